//! Following a command from exec to exec, to lock its memory at each.
//!
//! Between those stops the command runs at full speed. Tracing costs it
//! something where it is sent signals, which pass through here, and where it
//! creates and ends threads.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use nix::{errno::Errno, unistd::Pid};

use super::{
    call::{CallError, Exited, StopPoint, mlockall},
    counting::Counting,
    limits::{self, Lockable},
    privileged,
    ptrace::{self, News, Stop},
    room::Room,
    vdso,
};
use crate::{
    document::run::ChildUsage,
    launch::{conditions::Prefault, signals::wait_for_news},
    sys::{self, Ended},
};

/// How long those who are let go may take to stop.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked whether they have.
const POLLING: Duration = Duration::from_millis(1);

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
    /// How the kernel killed the command for want of memory, if it did.
    pub out_of_memory: Option<String>,
}

/// What is to be done with a process that has just been created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// It has memory of its own, which is to be locked.
    Lock,
    /// It shares locked memory, or will execute a program first.
    Nothing,
    /// It is none of ours.
    Release,
}

/// A command being followed.
pub struct Tracer {
    pid: Pid,
    prefault: Prefault,
    syscall_offset: u64,
    /// Processes that have been met.
    known: BTreeSet<Pid>,
    /// Created, and not met yet.
    due: BTreeMap<Pid, Due>,
    /// Met before we heard who created them: they wait.
    early: BTreeSet<Pid>,
    /// Of processes whose memory is locked, what the lock left out, in bytes.
    unlocked_bytes: BTreeMap<Pid, u64>,
    /// Ends that were met on the way.
    ends: VecDeque<(Pid, Ended, ChildUsage)>,
    /// What the command had when its memory was last locked.
    room: Option<Room>,
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
            due: BTreeMap::new(),
            early: BTreeSet::new(),
            unlocked_bytes: BTreeMap::new(),
            ends: VecDeque::new(),
            room: None,
            report: Report::default(),
        };
        ptrace::seize(pid, tracer.options()).context(
            "cannot trace the command, as prefaulting from outside needs: CAP_SYS_PTRACE, and \
             nobody else tracing it",
        )?;
        Ok(tracer)
    }

    /// Whether memory is locked at all.
    #[must_use]
    pub fn locks(&self) -> bool {
        !self.prefault.only_follow
    }

    fn options(&self) -> i32 {
        if self.prefault.children {
            ptrace::OPTIONS_CHILDREN
        } else {
            ptrace::OPTIONS
        }
    }

    /// Waits until the command has been executed and its memory is locked, or
    /// it has ended, as it does when we are told to end.
    ///
    /// # Errors
    /// If it cannot be waited for.
    pub fn through_exec(&mut self, counting: &mut dyn Counting) -> Result<()> {
        loop {
            let Some((pid, status, usage)) = wait_for_news(self.pid)? else {
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
                    if ended == Ended::Killed(libc::SIGKILL) {
                        self.report.out_of_memory = self.room.as_ref().and_then(Room::ran_out);
                    }
                    return Ok(Some((ended, usage)));
                }
                self.known.remove(&pid);
                self.unlocked_bytes.remove(&pid);
            }
            let Some((pid, status, usage)) = sys::traced_news()? else {
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
                self.lock(pid, StopPoint::Exec, counting);
                ptrace::go_on(pid, 0)
            }
            Stop::Fork | Stop::Clone => {
                self.creation(pid, stop == Stop::Fork, counting);
                ptrace::go_on(pid, 0)
            }
            Stop::Fresh if is_new => {
                if let Some(due) = self.due.remove(&pid) {
                    self.meet(pid, due, counting)
                } else {
                    self.early.insert(pid);
                    Ok(())
                }
            }
            Stop::Exit => {
                let unlocked_bytes = self.unlocked_bytes.get(&pid).copied();
                counting.ending(pid.as_raw().unsigned_abs(), unlocked_bytes);
                ptrace::go_on(pid, 0)
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

    /// A traced process has created another, or a thread.
    fn creation(&mut self, parent: Pid, has_own_memory: bool, counting: &mut dyn Counting) {
        let Ok(child) = ptrace::created(parent) else {
            return;
        };
        let due = if has_own_memory {
            Due::Lock
        } else if self.prefault.children || is_thread(parent, child) {
            Due::Nothing
        } else {
            Due::Release
        };
        if !self.early.remove(&child) {
            self.due.insert(child, due);
        } else if let Err(error) = self.meet(child, due, counting) {
            log::debug!("cannot let process {child} go on: {error}");
        }
    }

    /// Deals with a process that has been created and not run yet.
    fn meet(&mut self, pid: Pid, due: Due, counting: &mut dyn Counting) -> io::Result<()> {
        match due {
            Due::Lock => self.lock(pid, StopPoint::Birth, counting),
            Due::Nothing => {}
            Due::Release => {
                self.known.remove(&pid);
                return ptrace::detach(pid, 0);
            }
        }
        ptrace::go_on(pid, 0)
    }

    /// Lets everybody go who is still followed: nobody serves them from here on, and a
    /// later command's tracer would take them for its own.
    ///
    /// Whoever does not stop at once, as in uninterruptible sleep, is let go when this
    /// process ends.
    pub fn release(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        for pid in std::mem::take(&mut self.early) {
            let _it_may_be_gone = ptrace::detach(pid, 0);
            self.known.remove(&pid);
        }
        self.known.extend(std::mem::take(&mut self.due).into_keys());
        // Those that have ended, or have stopped, are heard of all the same.
        for &pid in &self.known {
            let _it_may_have_stopped = ptrace::interrupt(pid);
        }
        while !self.known.is_empty() && Instant::now() < deadline {
            let Ok(Some((pid, status, usage))) = sys::traced_news() else {
                std::thread::sleep(POLLING);
                self.known.retain(|&pid| ptrace::is_traced(pid));
                continue;
            };
            let stop = match ptrace::understand(status, usage) {
                News::Ended(..) => {
                    self.known.remove(&pid);
                    continue;
                }
                News::Stopped(stop) => stop,
            };
            if let (Stop::Fork | Stop::Clone, Ok(child)) = (stop, ptrace::created(pid)) {
                // It stops before it runs.
                self.known.insert(child);
            }
            let signal = if let Stop::Signal(signal) = stop {
                signal
            } else {
                0
            };
            let _it_may_be_gone = ptrace::detach(pid, signal);
            self.known.remove(&pid);
        }
        for pid in &self.known {
            log::warn!("process {pid} is followed until modeswitch ends");
        }
    }

    /// Locks the memory of a stopped process, or says why not.
    fn lock(&mut self, pid: Pid, at: StopPoint, counting: &mut dyn Counting) {
        if self.prefault.only_follow {
            return;
        }
        self.unlocked_bytes.remove(&pid);
        let name = Lockable::of(pid).map_or_else(|_gone| String::new(), |s| s.name().to_owned());
        let refused = match self.try_lock(pid, at, counting) {
            Ok(()) => {
                if let Ok(status) = Lockable::of(pid) {
                    self.unlocked_bytes.insert(pid, status.unlocked_bytes());
                }
                self.report.locked.push(name);
                return;
            }
            Err(CallError::Exited(Exited(ended, usage))) => {
                self.ends.push_back((pid, ended, usage));
                return;
            }
            Err(CallError::Refused(why)) => format!("`{name}`: {why}. It was left unharmed"),
            Err(CallError::Harmed(how)) => format!("`{name}`: {how}"),
        };
        if pid == self.pid {
            self.report.refused = Some(refused);
        } else {
            self.report.refused_children.push(refused);
        }
    }

    fn try_lock(
        &mut self,
        pid: Pid,
        at: StopPoint,
        counting: &mut dyn Counting,
    ) -> Result<(), CallError> {
        let status = Lockable::of(pid)?;
        let file = PathBuf::from(format!("/proc/{pid}/exe"));
        if let Some(harm) = privileged::lost_by_tracing(&file) {
            return Err(CallError::Harmed(harm));
        }
        let room = Room::of(pid);
        if let Some(why) = status.refusal(&room, self.prefault.needed_bytes) {
            return Err(CallError::Refused(why));
        }
        if pid == self.pid {
            self.room = Some(room);
        }
        let lifted = status.lift_limit(pid).map_err(CallError::Refused)?;
        // Half-way through, the program could not go on without us: should we
        // be killed there, it is killed too.
        ptrace::set_options(pid, self.options() | libc::PTRACE_O_EXITKILL)?;
        let called = mlockall(pid, at, self.syscall_offset, counting);
        if !matches!(called, Err(CallError::Exited(_))) {
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
                Err(CallError::Refused(format!("mlockall: {}", errno.desc())))
            }
        }
    }
}

/// Whether what a process has created is a thread of it.
fn is_thread(parent: Pid, child: Pid) -> bool {
    Path::new(&format!("/proc/{parent}/task/{child}")).exists()
}

impl Drop for Tracer {
    fn drop(&mut self) {
        self.release();
    }
}
