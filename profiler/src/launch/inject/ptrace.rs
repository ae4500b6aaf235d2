//! The few requests of `ptrace(2)` in use, and what stops say.

use std::io;

use nix::unistd::Pid;

use crate::{
    document::run::ChildUsage,
    sys::{Ended, proc::Status},
};

/// Options of a traced process: stop at exec and before its end, tell system
/// calls from traps, and follow its threads, any of which may execute a program.
pub(super) const OPTIONS: i32 = libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_TRACEEXIT
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACESYSGOOD;
/// With all that it creates.
pub(super) const OPTIONS_CHILDREN: i32 =
    OPTIONS | libc::PTRACE_O_TRACEFORK | libc::PTRACE_O_TRACEVFORK;

/// Not in the C library's headers for Rust.
const PTRACE_GETSIGMASK: libc::c_uint = 0x420a;
const PTRACE_SETSIGMASK: libc::c_uint = 0x420b;
/// Bytes of the kernel's signal set.
const SIGSET_BYTES: usize = 8;

/// Why a traced process has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It is another program now, and has not run yet.
    Exec,
    /// It has forked a process with memory of its own.
    Fork,
    /// It has created a thread, or a process that shares its memory.
    Clone,
    /// It is about to end, and still has its memory.
    Exit,
    /// It has been created, and has not run yet; or may go on after a stop.
    Fresh,
    /// It was told to stop, as by Ctrl-Z.
    Group,
    /// It is about to be sent this signal.
    Signal(i32),
    /// It is going into or out of a system call.
    Syscall,
}

/// News of a process.
#[derive(Clone, Copy, Debug)]
pub(super) enum News {
    Stopped(Stop),
    Ended(Ended, ChildUsage),
}

/// What a status of `wait4` says.
pub(super) fn understand(status: i32, usage: ChildUsage) -> News {
    if !libc::WIFSTOPPED(status) {
        let ended = if libc::WIFSIGNALED(status) {
            Ended::Killed(libc::WTERMSIG(status))
        } else {
            Ended::Exited(libc::WEXITSTATUS(status))
        };
        return News::Ended(ended, usage);
    }
    let signal = libc::WSTOPSIG(status);
    News::Stopped(match status >> 16 {
        libc::PTRACE_EVENT_EXEC => Stop::Exec,
        libc::PTRACE_EVENT_FORK => Stop::Fork,
        libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => Stop::Clone,
        libc::PTRACE_EVENT_EXIT => Stop::Exit,
        libc::PTRACE_EVENT_STOP if signal == libc::SIGTRAP => Stop::Fresh,
        libc::PTRACE_EVENT_STOP => Stop::Group,
        _ if signal == libc::SIGTRAP | 0x80 => Stop::Syscall,
        _ => Stop::Signal(signal),
    })
}

fn request(request: libc::c_uint, pid: Pid, address: usize, data: usize) -> io::Result<()> {
    // SAFETY: where a request reads or writes memory of ours, the callers below
    // pass the address of a live value of the size that it takes.
    match unsafe { libc::ptrace(request, pid.as_raw(), address, data) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn flags(options: i32) -> usize {
    options.unsigned_abs() as usize
}

/// Traces a process without stopping it.
pub(super) fn seize(pid: Pid, options: i32) -> io::Result<()> {
    request(libc::PTRACE_SEIZE, pid, 0, flags(options))
}

/// Changes the options.
pub(super) fn set_options(pid: Pid, options: i32) -> io::Result<()> {
    request(libc::PTRACE_SETOPTIONS, pid, 0, flags(options))
}

/// Lets it go on, with a signal or with none (0).
pub(super) fn go_on(pid: Pid, signal: i32) -> io::Result<()> {
    request(libc::PTRACE_CONT, pid, 0, flags(signal))
}

/// Lets it go on to the next way into or out of a system call.
pub(super) fn to_syscall(pid: Pid) -> io::Result<()> {
    request(libc::PTRACE_SYSCALL, pid, 0, 0)
}

/// Leaves it stopped, as it was told, but hears when it may go on.
pub(super) fn listen(pid: Pid) -> io::Result<()> {
    request(libc::PTRACE_LISTEN, pid, 0, 0)
}

/// Stops it as soon as it can be stopped.
pub(super) fn interrupt(pid: Pid) -> io::Result<()> {
    request(libc::PTRACE_INTERRUPT, pid, 0, 0)
}

/// Whether it is still there, and followed by us.
pub(super) fn is_traced(pid: Pid) -> bool {
    let status = Status::of(pid.as_raw().unsigned_abs());
    status.is_ok_and(|status| status.numbers("TracerPid").eq([std::process::id()]))
}

/// Lets it go for good, with a signal or with none (0).
pub(super) fn detach(pid: Pid, signal: i32) -> io::Result<()> {
    request(libc::PTRACE_DETACH, pid, 0, flags(signal))
}

/// The process that a stop at a fork is about.
pub(super) fn created(pid: Pid) -> io::Result<Pid> {
    let mut number: libc::c_ulong = 0;
    request(libc::PTRACE_GETEVENTMSG, pid, 0, (&raw mut number) as usize)?;
    i32::try_from(number)
        .map(Pid::from_raw)
        .map_err(io::Error::other)
}

/// The registers.
pub(super) fn registers(pid: Pid) -> io::Result<libc::user_regs_struct> {
    // SAFETY: all of its fields are integers.
    let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
    request(libc::PTRACE_GETREGS, pid, 0, (&raw mut registers) as usize)?;
    Ok(registers)
}

/// Sets the registers.
pub(super) fn set_registers(pid: Pid, registers: &libc::user_regs_struct) -> io::Result<()> {
    request(
        libc::PTRACE_SETREGS,
        pid,
        0,
        (&raw const *registers) as usize,
    )
}

/// The signals that it has blocked.
pub(super) fn blocked(pid: Pid) -> io::Result<u64> {
    let mut set = 0_u64;
    request(
        PTRACE_GETSIGMASK,
        pid,
        SIGSET_BYTES,
        (&raw mut set) as usize,
    )?;
    Ok(set)
}

/// Blocks exactly these signals.
pub(super) fn block(pid: Pid, set: u64) -> io::Result<()> {
    request(
        PTRACE_SETSIGMASK,
        pid,
        SIGSET_BYTES,
        (&raw const set) as usize,
    )
}
