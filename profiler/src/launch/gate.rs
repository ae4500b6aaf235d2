//! The gate: the command exists as a process, but not one of its instructions
//! has run. The profiler arms the probes for it and then lets it go.

use std::{
    ffi::CString,
    fs::File,
    io::{Read, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd},
};

use anyhow::{Context, Result};
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, OFlag, fcntl, open},
    sched::{CpuSet, sched_setaffinity},
    sys::{
        resource::{Resource, setrlimit},
        signal::{SigHandler, SigSet, SigmaskHow, Signal, kill, signal, sigprocmask},
        stat::Mode,
    },
    unistd::{ForkResult, Pid, dup2_stderr, dup2_stdout, execve, fork, pipe2},
};

use super::{
    c_string::c_string,
    command::{Command, Output},
    inject::{counting::Counting, tracer::Tracer},
    signals::Signals,
};
use crate::{error::Error, sys::open_files_before};

/// A process that waits at the gate.
pub struct HeldCommand {
    /// The process.
    pub pid: Pid,
    /// Writing one byte opens the gate; closing it unwritten sends the process home.
    go: File,
    /// What goes wrong behind the gate comes back through this.
    failure: File,
    name: String,
    /// Follows the command if its memory is to be locked.
    tracer: Option<Tracer>,
}

/// What went wrong behind the gate: a step and the system's error number.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Step {
    Affinity = 1,
    User = 2,
    Files = 3,
    Exec = 4,
    Conditions = 5,
}

impl HeldCommand {
    /// Creates the process. It waits before executing the command.
    ///
    /// The process must have one thread only. `inherited` are files that the
    /// command shall have open under their present numbers; `errors` is where
    /// its standard error goes if the command says that it is kept.
    ///
    /// # Errors
    /// If the process cannot be created.
    pub fn create(command: &Command, inherited: &[RawFd], errors: BorrowedFd<'_>) -> Result<Self> {
        let path = c_string(std::os::unix::ffi::OsStrExt::as_bytes(
            command.path.as_os_str(),
        ))?;
        let argv = command.argv()?;
        let envp = command.envp()?;
        let (wait, go) = pipe2(OFlag::O_CLOEXEC).context("cannot create a pipe")?;
        let (failure, report) = pipe2(OFlag::O_CLOEXEC).context("cannot create a pipe")?;
        // SAFETY: this process has one thread, so the child finds every lock
        // free and may do as it likes until it executes the command.
        let forked = unsafe { fork() }.context("cannot create a process")?;
        match forked {
            ForkResult::Child => {
                drop(go);
                drop(failure);
                let held = Held {
                    command,
                    inherited,
                    errors,
                    path,
                    argv,
                    envp,
                };
                let (step, errno) = held.pass(wait);
                let _ = File::from(report)
                    .write_all(&[step as u8, u8::try_from(errno as i32).unwrap_or(u8::MAX)]);
                // SAFETY: ends the child without running the parent's exit handlers.
                unsafe { libc::_exit(127) }
            }
            ForkResult::Parent { child } => {
                let prefault = command.conditions.prefault;
                Ok(Self {
                    pid: child,
                    go: File::from(go),
                    failure: File::from(failure),
                    name: command.arguments[0].to_string_lossy().into_owned(),
                    tracer: prefault.map(|how| Tracer::seize(child, how)).transpose()?,
                })
            }
        }
    }

    /// Opens the gate and waits until the command's own first instruction is next.
    ///
    /// # Errors
    /// [`Error::TargetNotStarted`] if the command could not be executed, or we were
    /// told to end before it was.
    pub fn release(
        mut self,
        counting: &mut dyn Counting,
        signals: &mut Signals,
    ) -> Result<(Pid, Option<Tracer>)> {
        self.go
            .write_all(&[1])
            .context("the process at the gate is gone")?;
        if let Some(tracer) = &mut self.tracer {
            tracer.through_exec(counting)?;
        } else if let Some(signal) = signals.wait_for(self.failure.as_fd())? {
            // Executing a program can take for ever: its file may be anywhere.
            let _it_may_be_gone = kill(self.pid, Signal::SIGKILL);
            let _how = nix::sys::wait::waitpid(self.pid, None);
            return Err(Error::TargetNotStarted(format!(
                "`{}` was not executed yet when {signal} arrived: try it by itself",
                self.name
            ))
            .into());
        }
        let mut words = Vec::new();
        // Ends without a word when executing the command has closed the pipe.
        self.failure.read_to_end(&mut words)?;
        let [step, errno] = words[..] else {
            return Ok((self.pid, self.tracer));
        };
        let errno = Errno::from_raw(i32::from(errno));
        let name = &self.name;
        let what = match step {
            s if s == Step::Affinity as u8 => "cannot run on the CPUs of --cpu",
            s if s == Step::User as u8 => "cannot become the user of --user",
            s if s == Step::Conditions as u8 => {
                "cannot be given its memory policy, or be kept from huge pages"
            }
            s if s == Step::Files as u8 => "cannot keep modeswitch's files open",
            _ => "cannot be executed",
        };
        let _ = nix::sys::wait::waitpid(self.pid, None);
        let hint = hint(step, errno);
        Err(Error::TargetNotStarted(format!("`{name}` {what}: {}{hint}", errno.desc())).into())
    }
}

/// What may be done about a command that cannot be executed.
fn hint(step: u8, errno: Errno) -> &'static str {
    if step == Step::User as u8 && errno == Errno::EPERM {
        ": that takes the capabilities CAP_SETUID and CAP_SETGID: run modeswitch with sudo, or \
         leave --user out"
    } else if errno == Errno::ENOEXEC {
        ": if it is a script, its first line must name the interpreter (`#!`)"
    } else if errno == Errno::EACCES || errno == Errno::EPERM {
        ": check its permissions, and those of its folders"
    } else if errno == Errno::ENOENT {
        ": the interpreter or loader that it names does not exist"
    } else {
        ""
    }
}

/// The child's side.
struct Held<'a> {
    command: &'a Command,
    inherited: &'a [RawFd],
    errors: BorrowedFd<'a>,
    path: CString,
    argv: Vec<CString>,
    envp: Vec<CString>,
}

impl Held<'_> {
    /// Waits for the gate to open and executes the command. Returns only if
    /// that fails.
    fn pass(&self, wait: OwnedFd) -> (Step, Errno) {
        if let Err(failed) = self.prepare() {
            // Report only once the parent listens.
            let _ = File::from(wait).read(&mut [0]);
            return failed;
        }
        let opened = File::from(wait).read(&mut [0]);
        if !matches!(opened, Ok(1)) {
            // The profiler is gone or has changed its mind.
            // SAFETY: ends the child without running the parent's exit handlers.
            unsafe { libc::_exit(0) }
        }
        match execve(&self.path, &self.argv, &self.envp) {
            Ok(never) => match never {},
            Err(errno) => (Step::Exec, errno),
        }
    }

    /// Everything that must not be counted against the command.
    fn prepare(&self) -> Result<(), (Step, Errno)> {
        let fail = |step: Step| move |errno: Errno| (step, errno);
        for &fd in self.inherited {
            // SAFETY: the files are open in the parent, so they are here.
            let fd = unsafe { BorrowedFd::borrow_raw(fd) };
            fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty())).map_err(fail(Step::Files))?;
        }
        match self.command.output {
            Output::Inherited => {}
            Output::ToStandardError => {
                dup2_stdout(std::io::stderr()).map_err(fail(Step::Files))?;
            }
            Output::Kept => {
                let nowhere = open("/dev/null", OFlag::O_WRONLY, Mode::empty());
                nowhere.and_then(dup2_stdout).map_err(fail(Step::Files))?;
                dup2_stderr(self.errors).map_err(fail(Step::Files))?;
            }
        }
        if let Some((soft, hard)) = open_files_before() {
            setrlimit(Resource::RLIMIT_NOFILE, soft, hard).map_err(fail(Step::Files))?;
        }
        if let Some(cpus) = &self.command.cpus {
            let mut set = CpuSet::new();
            for &cpu in cpus {
                set.set(cpu as usize).map_err(fail(Step::Affinity))?;
            }
            sched_setaffinity(Pid::from_raw(0), &set).map_err(fail(Step::Affinity))?;
        }
        let conditions = &self.command.conditions;
        conditions.assume().map_err(fail(Step::Conditions))?;
        if let Some(user) = &self.command.user {
            user.become_it().map_err(fail(Step::User))?;
        }
        // Rust ignores SIGPIPE and we block some: a command expects neither.
        // SAFETY: no handler is installed, only the default restored.
        unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }.map_err(fail(Step::Exec))?;
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None).map_err(fail(Step::Exec))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who may not change the user is not told of the permissions of files.
    #[test]
    fn hints_are_about_the_step_that_failed() {
        assert!(hint(Step::User as u8, Errno::EPERM).contains("CAP_SETUID"));
        assert!(hint(Step::Exec as u8, Errno::EACCES).contains("permissions"));
    }
}
