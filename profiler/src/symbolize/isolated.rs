//! Work on files that strangers wrote, in a process of its own.
//!
//! A program's file can be truncated while it is being read, and its debug
//! information can be made to loop, to overflow the stack or to ask for all
//! memory; and whoever reads it has faults of its own. Whatever happens here ends
//! the helper and not the measurement: what was done until then is kept, and the
//! rest goes on in a new helper. A helper has no rights to be led astray with: see
//! [`confined`].

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::AsFd,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use nix::{
    errno::Errno,
    fcntl::OFlag,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{Signal, kill},
        wait::waitpid,
    },
    time::{ClockId, clock_getcpuclockid},
    unistd::{ForkResult, Pid, fork, getpid, pipe2},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::sys::{
    confined::{self, Limits},
    shows_progress,
};

/// Processor time for everything, and for one piece of work. Not time by the
/// clock, of which a busy or an emulated machine takes many times more.
const IN_ALL: Duration = Duration::from_secs(15);
const EACH: Duration = Duration::from_secs(5);
/// Time by the clock for everything, and for one piece of work: what a file system
/// that does not answer may take.
const IN_ALL_BY_CLOCK: Duration = Duration::from_mins(2);
const EACH_BY_CLOCK: Duration = Duration::from_secs(30);
/// Memory that a helper may ask for.
const MEMORY_BYTES: u64 = 4 << 30;
/// Helpers that may die before the rest is given up.
const MOST_DEATHS: usize = 8;
/// How often whoever waits is asked whether it has had enough, and told how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const TELL_EVERY: Duration = Duration::from_secs(1);
/// Why work was not done that nobody waited for.
const INTERRUPTED: &str = "looking it up was interrupted";
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

/// Whoever waits for it: is told how far it is, and may have had enough.
pub(super) struct Wait<'a> {
    enough: &'a mut dyn FnMut() -> bool,
    is_over: bool,
    /// What is done with which pieces of work.
    work: (&'static str, &'static str),
    /// When something was said last, if a terminal is there to say it to.
    said: Option<Instant>,
    /// Letters to take away from its line in the end.
    width: usize,
}

impl<'a> Wait<'a> {
    pub(super) fn new(enough: &'a mut dyn FnMut() -> bool) -> Self {
        Self {
            enough,
            is_over: false,
            work: ("", ""),
            said: shows_progress().then(Instant::now),
            width: 0,
        }
    }

    /// From here on, it is this that is done.
    pub(super) fn begin(&mut self, doing: &'static str, items: &'static str) {
        self.work = (doing, items);
    }

    /// Whether it was to end early.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    fn look(&mut self, done: usize, all: usize) -> Result<()> {
        self.is_over |= (self.enough)();
        if self.is_over {
            anyhow::bail!("{INTERRUPTED}");
        }
        if self.said.is_some_and(|said| said.elapsed() >= TELL_EVERY) {
            self.said = Some(Instant::now());
            let (doing, items) = self.work;
            let line = format!("{doing}: {done} of {all} {items}");
            tell(&format!("\r{line:width$}", width = self.width));
            self.width = self.width.max(line.len());
        }
        Ok(())
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if self.width != 0 {
            tell(&format!("\r{:width$}\r", "", width = self.width));
        }
    }
}

/// Says how far it is. Where nobody can hear it, nothing is lost.
fn tell(line: &str) {
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// Does each piece of work, in order. What cannot be done has a reason. Files that
/// are to be opened for it are in `may_read`, or in its folders.
///
/// This process must have one thread only.
pub(super) fn map<I, T>(
    items: &[I],
    may_read: &[PathBuf],
    wait: &mut Wait<'_>,
    work: impl Fn(&I, Effort) -> T,
) -> Vec<Result<T, String>>
where
    T: Serialize + DeserializeOwned,
{
    let mut time = Time {
        deadline: Instant::now() + IN_ALL_BY_CLOCK,
        spent: Duration::ZERO,
    };
    let mut done: Vec<Result<T, String>> = Vec::new();
    let mut effort = Effort::Full;
    let mut deaths = 0;
    while done.len() < items.len() {
        if wait.is_over || deaths > MOST_DEATHS || time.is_over() {
            let reason = if wait.is_over {
                INTERRUPTED
            } else {
                "there was no time left to look it up"
            };
            done.resize_with(items.len(), || Err(reason.to_owned()));
            break;
        }
        let before = done.len();
        let rest = &items[before..];
        match helper(rest, effort, may_read, &mut time, wait, &work, &mut done) {
            Ok(()) => {}
            Err(_) if wait.is_over => {}
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
    may_read: &[PathBuf],
    time: &mut Time,
    wait: &mut Wait<'_>,
    work: &impl Fn(&I, Effort) -> T,
    done: &mut Vec<Result<T, String>>,
) -> Result<()>
where
    T: Serialize + DeserializeOwned,
{
    let (from, to) = pipe2(OFlag::O_CLOEXEC).context("cannot create a pipe")?;
    let parent = getpid();
    let limits = Limits {
        may_read,
        memory_bytes: MEMORY_BYTES,
        cpu_seconds: IN_ALL.saturating_sub(time.spent).as_secs() + 1,
    };
    // SAFETY: this process has one thread, so the child finds every lock free.
    match unsafe { fork() }.context("cannot create a process")? {
        ForkResult::Child => {
            drop(from);
            let status = catch_unwind(AssertUnwindSafe(|| {
                std::panic::set_hook(Box::new(|_| {}));
                confined::confine(parent, to.as_fd(), &limits)?;
                child(items, effort, work, &mut File::from(to))
            }));
            let code = i32::from(!matches!(status, Ok(Ok(()))));
            // SAFETY: ends the child without running the parent's exit handlers.
            unsafe { libc::_exit(code) }
        }
        ForkResult::Parent { child } => {
            drop(to);
            let answers = Answers::of(child, File::from(from));
            let read = receive(answers, items.len(), time, wait, done);
            // It has answered, or will not: how it would end is of no interest.
            let _ = kill(child, Signal::SIGKILL);
            reap(child);
            read
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
    let mut effort = effort;
    for item in items {
        let mut answer = vec![0; 4];
        serde_json::to_writer(&mut answer, &work(item, effort))?;
        let length = u32::try_from(answer.len() - 4)?;
        answer[..4].copy_from_slice(&length.to_ne_bytes());
        to.write_all(&answer)?;
        effort = Effort::Full;
    }
    Ok(())
}

/// Reads answers until all are there, the helper ends or its time is over.
fn receive<T: DeserializeOwned>(
    mut from: Answers,
    expected: usize,
    time: &mut Time,
    wait: &mut Wait<'_>,
    done: &mut Vec<Result<T, String>>,
) -> Result<()> {
    let all = done.len() + expected;
    let before = time.spent;
    while done.len() < all {
        let until = time.deadline.min(Instant::now() + EACH_BY_CLOCK);
        let most = from.processor_time() + EACH;
        let mut look = |spent: Duration| {
            time.spent = before + spent;
            if spent > most || time.is_over() || Instant::now() >= until {
                anyhow::bail!("it took too long");
            }
            wait.look(done.len(), all)
        };
        let length = from.take(4, &mut look)?.try_into()?;
        let length = u32::from_ne_bytes(length).min(LONGEST);
        let answer = from.take(length as usize, &mut look)?;
        let answer = serde_json::from_slice(answer)?;
        done.push(Ok(answer));
    }
    Ok(())
}

/// What the whole work may take, and has taken.
struct Time {
    deadline: Instant,
    /// Processor time of all helpers.
    spent: Duration,
}

impl Time {
    fn is_over(&self) -> bool {
        self.spent >= IN_ALL || Instant::now() >= self.deadline
    }
}

/// What a helper has written: many short answers are read at once.
struct Answers {
    /// Whose processor time is looked at.
    clock: Option<ClockId>,
    from: File,
    bytes: Vec<u8>,
    taken: usize,
}

impl Answers {
    fn of(helper: Pid, from: File) -> Self {
        Self {
            clock: clock_getcpuclockid(helper).ok(),
            from,
            bytes: Vec::new(),
            taken: 0,
        }
    }

    /// What the helper has used, as far as the kernel tells.
    fn processor_time(&self) -> Duration {
        let time = self.clock.and_then(|clock| clock.now().ok());
        time.map_or(Duration::ZERO, Duration::from)
    }

    /// The next bytes. While they are waited for, `look` is told now and then what
    /// processor time was used, and may give up.
    fn take(
        &mut self,
        count: usize,
        look: &mut impl FnMut(Duration) -> Result<()>,
    ) -> Result<&[u8]> {
        while self.bytes.len() - self.taken < count {
            self.bytes.drain(..self.taken);
            self.taken = 0;
            look(self.processor_time())?;
            let nap = PollTimeout::try_from(LOOK_EVERY).unwrap_or(PollTimeout::ZERO);
            let mut files = [PollFd::new(self.from.as_fd(), PollFlags::POLLIN)];
            match poll(&mut files, nap) {
                Ok(0) | Err(Errno::EINTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            let mut news = [0; 1 << 14];
            match self.from.read(&mut news)? {
                0 => anyhow::bail!("the helper that read it died: the file may be damaged"),
                read => self.bytes.extend_from_slice(&news[..read]),
            }
        }
        let answer = &self.bytes[self.taken..][..count];
        self.taken += count;
        Ok(answer)
    }
}

fn reap(child: Pid) {
    while waitpid(child, None) == Err(Errno::EINTR) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A helper that dies takes only its own piece of work with it, and not if
    /// more care helps.
    #[test]
    fn deaths_are_survived() {
        let items = ["fine", "dies", "dies at full effort", "fine"];
        let mut never = || false;
        let results = map(&items, &[], &mut Wait::new(&mut never), |item, effort| {
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

    /// What a helper can do is to read what it is meant to, and to answer.
    #[test]
    fn helpers_have_no_rights() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        for name in ["given", "secret", "writable"] {
            std::fs::write(path(name), name).expect("room");
        }
        let only_owner = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(path("given"), only_owner).expect("ours");
        let kept = File::options().append(true).open(path("writable"));
        let kept = kept.expect("ours");
        let memory = nix::sys::memfd::memfd_create(c"x", nix::sys::memfd::MFdFlags::empty());
        let memory = memory.expect("memory");
        let by_number = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&memory));
        let may_read = [by_number.clone().into(), path("given")];
        let mut never = || false;
        let mut wait = Wait::new(&mut never);
        let tried = map(&[()], &may_read, &mut wait, |(), _| {
            let can = [
                ("see memory", std::fs::read(&by_number).is_ok()),
                ("read", std::fs::read(path("given")).is_ok()),
                ("read a secret", std::fs::read(path("secret")).is_ok()),
                ("read /proc", std::fs::read("/proc/self/status").is_ok()),
                ("write", std::fs::write(path("writable"), "x").is_ok()),
                ("write to a file of ours", (&kept).write_all(b"x").is_ok()),
                ("create", File::create(path("new")).is_ok()),
                ("remove", std::fs::remove_file(path("secret")).is_ok()),
                (
                    "connect",
                    std::net::TcpListener::bind("127.0.0.1:0").is_ok(),
                ),
                ("end others", kill(Pid::this(), None).is_ok()),
                // SAFETY: nothing is shared with a child that never runs.
                ("fork", unsafe { libc::fork() } >= 0),
            ];
            can.map(|(what, works)| works.then_some(what))
                .into_iter()
                .flatten()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        });
        // Before Linux 5.13 nothing limits what root's helper reads.
        // SAFETY: asks for a number, with no memory of ours.
        let landlock = unsafe {
            libc::syscall(
                libc::SYS_landlock_create_ruleset,
                std::ptr::null::<u8>(),
                0,
                1,
            )
        };
        let mut can = tried.into_iter().next().expect("one").expect("an answer");
        can.retain(|what| landlock > 0 || !what.starts_with("read "));
        assert_eq!(can, ["see memory", "read"]);
    }

    /// Whoever has had enough gets what there is, and the reason for the rest.
    #[test]
    fn interruption_keeps_what_is_done() {
        let asked = std::cell::Cell::new(0);
        let mut enough = || asked.replace(asked.get() + 1) > 20;
        let mut wait = Wait::new(&mut enough);
        let results = map(&[1, 2, 3], &[], &mut wait, |&item, _| {
            // It may not sleep.
            let begun = Instant::now();
            while item == 2 && begun.elapsed() < EACH {}
            item
        });
        assert!(wait.is_over());
        let reason = INTERRUPTED.to_owned();
        assert_eq!(results, [Ok(1), Err(reason.clone()), Err(reason)]);
    }
}
