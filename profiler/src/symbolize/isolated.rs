//! Work on files that strangers wrote, in a process of its own.
//!
//! A program's file can be truncated while it is being read, and its debug
//! information can be made to loop, to overflow the stack or to ask for all
//! memory. Whatever happens here ends the helper and not the measurement: what
//! was done until then is kept, and the rest goes on in a new helper.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::AsFd,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use nix::{
    errno::Errno,
    fcntl::OFlag,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        resource::{Resource, setrlimit},
        signal::{Signal, kill},
        wait::{WaitStatus, waitpid},
    },
    unistd::{ForkResult, Pid, fork, pipe2},
};
use serde::{Serialize, de::DeserializeOwned};

/// Time for everything.
const IN_ALL: Duration = Duration::from_secs(15);
/// Time for one piece of work.
const EACH: Duration = Duration::from_secs(5);
/// Memory that a helper may ask for.
const MEMORY_BYTES: u64 = 4 << 30;
/// Helpers that may die before the rest is given up.
const MOST_DEATHS: usize = 8;
/// Longest answer to one piece of work.
const LONGEST: u32 = 256 << 20;

/// How hard to try: what kills a helper is tried again more carefully.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// Everything.
    Full,
    /// Only what is simple.
    Careful,
}

/// Does each piece of work, in order. What cannot be done has a reason.
///
/// This process must have one thread only.
pub(super) fn map<I, T>(items: &[I], work: impl Fn(&I, Effort) -> T) -> Vec<Result<T, String>>
where
    T: Serialize + DeserializeOwned,
{
    let deadline = Instant::now() + IN_ALL;
    let mut done: Vec<Result<T, String>> = Vec::new();
    let mut effort = Effort::Full;
    let mut deaths = 0;
    while done.len() < items.len() {
        if deaths > MOST_DEATHS || Instant::now() >= deadline {
            let reason = "there was no time left to look it up";
            done.resize_with(items.len(), || Err(reason.to_owned()));
            break;
        }
        let before = done.len();
        let rest = &items[before..];
        match helper(rest, effort, deadline, &work, &mut done) {
            Ok(()) => {}
            Err(error) => {
                deaths += 1;
                // The first piece of work was tried carefully already, or none
                // was done before it: then it is given up.
                let again = done.len() > before || effort == Effort::Full;
                if again {
                    effort = Effort::Careful;
                    continue;
                }
                done.push(Err(format!("reading its file failed: {error:#}")));
            }
        }
        effort = Effort::Full;
    }
    done
}

/// Runs one helper over `items`. The first is done with `effort`, the rest fully.
fn helper<I, T>(
    items: &[I],
    effort: Effort,
    deadline: Instant,
    work: &impl Fn(&I, Effort) -> T,
    done: &mut Vec<Result<T, String>>,
) -> Result<()>
where
    T: Serialize + DeserializeOwned,
{
    let (from, to) = pipe2(OFlag::O_CLOEXEC).context("cannot create a pipe")?;
    // SAFETY: this process has one thread, so the child finds every lock free.
    match unsafe { fork() }.context("cannot create a process")? {
        ForkResult::Child => {
            drop(from);
            let status = catch_unwind(AssertUnwindSafe(|| {
                child(items, effort, work, &mut File::from(to))
            }));
            let code = i32::from(!matches!(status, Ok(Ok(()))));
            // SAFETY: ends the child without running the parent's exit handlers.
            unsafe { libc::_exit(code) }
        }
        ForkResult::Parent { child } => {
            drop(to);
            let mut from = File::from(from);
            let read = receive(&mut from, items.len(), deadline, done);
            if read.is_err() {
                let _ = kill(child, Signal::SIGKILL);
            }
            let ended = reap(child);
            read?;
            ended
        }
    }
}

/// The helper's side: its answers, each behind its length.
fn child<I, T: Serialize>(
    items: &[I],
    effort: Effort,
    work: &impl Fn(&I, Effort) -> T,
    to: &mut File,
) -> Result<()> {
    std::panic::set_hook(Box::new(|_| {}));
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    setrlimit(Resource::RLIMIT_DATA, MEMORY_BYTES, MEMORY_BYTES)?;
    let mut effort = effort;
    for item in items {
        let answer = serde_json::to_vec(&work(item, effort))?;
        let length = u32::try_from(answer.len())?;
        to.write_all(&length.to_ne_bytes())?;
        to.write_all(&answer)?;
        effort = Effort::Full;
    }
    Ok(())
}

/// Reads answers until all are there, the helper ends or its time is over.
fn receive<T: DeserializeOwned>(
    from: &mut File,
    expected: usize,
    deadline: Instant,
    done: &mut Vec<Result<T, String>>,
) -> Result<()> {
    for _ in 0..expected {
        let until = deadline.min(Instant::now() + EACH);
        let mut length = [0; 4];
        read_exact(from, &mut length, until)?;
        let length = u32::from_ne_bytes(length).min(LONGEST);
        let mut answer = vec![0; length as usize];
        read_exact(from, &mut answer, until)?;
        done.push(Ok(serde_json::from_slice(&answer)?));
    }
    Ok(())
}

fn read_exact(from: &mut File, bytes: &mut [u8], until: Instant) -> Result<()> {
    let mut filled = 0;
    while filled < bytes.len() {
        let left = until.saturating_duration_since(Instant::now());
        let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        let mut files = [PollFd::new(from.as_fd(), PollFlags::POLLIN)];
        match poll(&mut files, left) {
            Ok(0) => anyhow::bail!("it took too long"),
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        }
        match from.read(&mut bytes[filled..])? {
            0 => anyhow::bail!("it is damaged, or was changed meanwhile"),
            count => filled += count,
        }
    }
    Ok(())
}

fn reap(child: Pid) -> Result<()> {
    loop {
        match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, 0)) => return Ok(()),
            Ok(_) => anyhow::bail!("it is damaged, or was changed meanwhile"),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A helper that dies takes only its own piece of work with it, and not if
    /// more care helps.
    #[test]
    fn deaths_are_survived() {
        let items = ["fine", "dies", "dies at full effort", "fine"];
        let results = map(&items, |item, effort| {
            if *item == "dies" || (item.starts_with("dies") && effort == Effort::Full) {
                std::process::abort();
            }
            item.len()
        });
        assert_eq!(results[0], Ok(4));
        assert!(results[1].is_err());
        assert_eq!(results[2], Ok(19));
        assert_eq!(results[3], Ok(4));
    }
}
