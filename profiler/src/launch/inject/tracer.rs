//! Following a command from exec to exec, to lock its memory at each.
//!
//! Between those stops the command runs at full speed. Tracing costs it
//! something where it is sent signals, which pass through here.

use std::collections::{BTreeSet, VecDeque};

use anyhow::{Context, Result};
use nix::{errno::Errno, unistd::Pid};

use super::{
    call::{At, Gone, NoCall, mlockall},
    limits::{self, Status},
    ptrace::{self, News, Stop},
    vdso,
};
use crate::{
    launch::conditions::Prefault,
    sys::{self, ChildUsage, Ended},
};

/// Whoever counts entries, to be told which are not the program's.
pub trait Counting {
    /// Entries of this thread are ours from here on.
    fn suspend(&mut self, tid: u32);
    /// And the program's again.
    fn resume(&mut self, tid: u32);
}

/// What became of the fix.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Programs whose memory was locked, by name, in order.
    pub locked: Vec<String>,
    /// What had to be changed for it.
    pub changed: BTreeSet<String>,
    /// Why the command itself was left as it was, if it was.
    pub refused: Option<String>,
    /// Why some of its children were.
    pub refused_children: Vec<String>,
}

/// A command being followed.
pub struct Tracer {
    pid: Pid,
    prefault: Prefault,
    syscall_offset: u64,
    /// Processes that have been met.
    known: BTreeSet<Pid>,
    /// Created with memory of their own, and not met yet.
    forked: BTreeSet<Pid>,
    /// Met before we heard who created them: they wait.
    early: BTreeSet<Pid>,
    /// Ends that were met on the way.
    ends: VecDeque<(Pid, Ended, ChildUsage)>,
    /// What became of the fix.
    pub report: Report,
}

impl Tracer {
    /// Begins to follow a process that has not executed its command yet.
    ///
    /// # Errors
    /// If this process may not trace it.
    pub fn seize(pid: Pid, prefault: Prefault) -> Result<Self> {
        let syscall_offset = vdso::syscall_offset().context("cannot prefault from outside")?;
        let tracer = Self {
            pid,
            prefault,
            syscall_offset,
            known: BTreeSet::from([pid]),
            forked: BTreeSet::new(),
            early: BTreeSet::new(),
            ends: VecDeque::new(),
            report: Report::default(),
        };
        ptrace::seize(pid, tracer.options()).context(
            "cannot trace the command, as prefaulting from outside needs: CAP_SYS_PTRACE, and \
             nobody else tracing it",
        )?;
        Ok(tracer)
    }

    fn options(&self) -> i32 {
        if self.prefault.children {
            ptrace::OPTIONS_CHILDREN
        } else {
            ptrace::OPTIONS
        }
    }

    /// Waits until the command has been executed and its memory is locked, or
    /// it has ended.
    ///
    /// # Errors
    /// If it cannot be waited for.
    pub fn through_exec(&mut self, counting: &mut dyn Counting) -> Result<()> {
        loop {
            let Some((pid, status, usage)) = sys::wait_traced(Some(self.pid), true)? else {
                return Ok(());
            };
            let news = ptrace::understand(status, usage);
            let is_over = matches!(news, News::Ended(..) | News::Stopped(Stop::Exec));
            self.handle(pid, news, counting);
            if is_over {
                return Ok(());
            }
        }
    }

    /// Deals with everything that has happened since. How the command ended, if
    /// it has.
    ///
    /// # Errors
    /// If it cannot be waited for.
    pub fn events(&mut self, counting: &mut dyn Counting) -> Result<Option<(Ended, ChildUsage)>> {
        loop {
            while let Some((pid, ended, usage)) = self.ends.pop_front() {
                if pid == self.pid {
                    return Ok(Some((ended, usage)));
                }
                self.known.remove(&pid);
            }
            let Some((pid, status, usage)) = sys::wait_traced(None, false)? else {
                return Ok(None);
            };
            self.handle(pid, ptrace::understand(status, usage), counting);
        }
    }

    fn handle(&mut self, pid: Pid, news: News, counting: &mut dyn Counting) {
        let stop = match news {
            News::Ended(ended, usage) => {
                self.ends.push_back((pid, ended, usage));
                return;
            }
            News::Stopped(stop) => stop,
        };
        let is_new = self.known.insert(pid);
        let going = match stop {
            Stop::Exec => {
                self.lock(pid, At::Exec, counting);
                ptrace::go_on(pid, 0)
            }
            Stop::Fork | Stop::Clone => {
                self.creation(pid, stop == Stop::Fork, counting);
                ptrace::go_on(pid, 0)
            }
            Stop::Fresh if is_new => {
                if self.forked.remove(&pid) {
                    self.lock(pid, At::Birth, counting);
                    ptrace::go_on(pid, 0)
                } else {
                    self.early.insert(pid);
                    Ok(())
                }
            }
            Stop::Group => ptrace::listen(pid),
            Stop::Signal(signal) => ptrace::go_on(pid, signal),
            Stop::Fresh | Stop::Syscall => ptrace::go_on(pid, 0),
        };
        if let Err(error) = going {
            // It was killed in the meantime, and its end will be heard of.
            log::debug!("cannot let process {pid} go on: {error}");
        }
    }

    /// A traced process has created another.
    fn creation(&mut self, parent: Pid, has_own_memory: bool, counting: &mut dyn Counting) {
        let Ok(child) = ptrace::created(parent) else {
            return;
        };
        if self.early.remove(&child) {
            if has_own_memory {
                self.lock(child, At::Birth, counting);
            }
            if let Err(error) = ptrace::go_on(child, 0) {
                log::debug!("cannot let process {child} go on: {error}");
            }
        } else if has_own_memory {
            self.forked.insert(child);
        } else {
            // Nothing to do when it is met.
            self.known.insert(child);
        }
    }

    /// Locks the memory of a stopped process, or says why not.
    fn lock(&mut self, pid: Pid, at: At, counting: &mut dyn Counting) {
        let name = Status::of(pid).map_or_else(|_gone| String::new(), |s| s.name().to_owned());
        let refused = match self.try_lock(pid, at, counting) {
            Ok(()) => {
                self.report.locked.push(name);
                return;
            }
            Err(NoCall::Gone(Gone(ended, usage))) => {
                self.ends.push_back((pid, ended, usage));
                return;
            }
            Err(NoCall::Refused(why)) => format!("`{name}`: {why}"),
        };
        if pid == self.pid {
            self.report.refused = Some(refused);
        } else {
            self.report.refused_children.push(refused);
        }
    }

    fn try_lock(&mut self, pid: Pid, at: At, counting: &mut dyn Counting) -> Result<(), NoCall> {
        let status = Status::of(pid)?;
        if let Some(why) = status.refusal(pid, self.prefault.needed_bytes) {
            return Err(NoCall::Refused(why));
        }
        let lifted = status.lift_limit(pid).map_err(NoCall::Refused)?;
        let tid = pid.as_raw().unsigned_abs();
        let mut uncounted = |ours: bool| {
            if ours {
                counting.suspend(tid);
            } else {
                counting.resume(tid);
            }
        };
        // Half-way through, the program could not go on without us: should we
        // be killed there, it is killed too.
        ptrace::set_options(pid, self.options() | libc::PTRACE_O_EXITKILL)?;
        let called = mlockall(pid, at, self.syscall_offset, &mut uncounted);
        if !matches!(called, Err(NoCall::Gone(_))) {
            ptrace::set_options(pid, self.options())?;
        }
        match (called, lifted) {
            (Ok(0), Some(before)) => {
                self.report.changed.insert(format!(
                    "RLIMIT_MEMLOCK raised from {} KiB to unlimited",
                    before.rlim_cur >> 10
                ));
                Ok(())
            }
            (Ok(0), None) => Ok(()),
            (failed, lifted) => {
                if let Some(before) = lifted {
                    limits::set_limit(pid, &before)?;
                }
                let number = failed?;
                let errno = Errno::from_raw(i32::try_from(-number).unwrap_or(0));
                Err(NoCall::Refused(format!("mlockall: {}", errno.desc())))
            }
        }
    }
}

impl Drop for Tracer {
    /// Whatever waits here may go on.
    fn drop(&mut self) {
        for &pid in &self.early {
            let _it_may_be_gone = ptrace::detach(pid, 0);
        }
    }
}
