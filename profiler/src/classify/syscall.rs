//! Names of system calls.

use profiler_common::key::key_flags;
use syscalls::{x86, x86_64};

/// Set in the numbers of the x32 interface, which has 64-bit registers and short
/// pointers.
const X32: u32 = 1 << 30;

/// Calls that the x32 interface has numbers of its own for, from this one on.
const FIRST_OF_X32: usize = 512;
const OF_X32: [&str; 36] = [
    "rt_sigaction",
    "rt_sigreturn",
    "ioctl",
    "readv",
    "writev",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "execve",
    "ptrace",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigqueueinfo",
    "sigaltstack",
    "timer_create",
    "mq_notify",
    "kexec_load",
    "waitid",
    "set_robust_list",
    "get_robust_list",
    "vmsplice",
    "move_pages",
    "preadv",
    "pwritev",
    "rt_tgsigqueueinfo",
    "recvmmsg",
    "sendmmsg",
    "process_vm_readv",
    "process_vm_writev",
    "setsockopt",
    "getsockopt",
    "io_setup",
    "io_submit",
    "execveat",
    "preadv2",
    "pwritev2",
];

/// The name of a system call, by its number and the gate it came through. Those of
/// other interfaces than the native one are marked, since the same numbers mean
/// other calls there. What is no call is named by its number, which programs take
/// for a signed one.
#[must_use]
pub fn name(number: u32, flags: u8) -> String {
    let index = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let signed = number.cast_signed();
    if flags & key_flags::COMPAT != 0 {
        return x86::Sysno::new(index(number)).map_or_else(
            || format!("ia32:{signed}"),
            |call| format!("ia32:{}", call.name()),
        );
    }
    if signed > 0 && number & X32 != 0 {
        let number = number & !X32;
        let own = index(number).checked_sub(FIRST_OF_X32);
        let own = own.and_then(|place| OF_X32.get(place).copied());
        let name = own.or_else(|| x86_64::Sysno::new(index(number)).map(|call| call.name()));
        return name.map_or_else(|| format!("x32:{number}"), |name| format!("x32:{name}"));
    }
    x86_64::Sysno::new(index(number)).map_or_else(
        || format!("syscall_{signed}"),
        |call| call.name().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same number is another call through the 32-bit gate.
    #[test]
    fn the_gate_decides_the_numbering() {
        assert_eq!(name(39, 0), "getpid");
        assert_eq!(name(20, key_flags::COMPAT), "ia32:getpid");
        assert_eq!(name(X32 + 39, 0), "x32:getpid");
        assert_eq!(name(X32 + 520, 0), "x32:execve");
        assert_eq!(name(X32 + 547, 0), "x32:pwritev2");
        assert_eq!(name(X32 + 9_999, 0), "x32:9999");
    }

    /// A call newer than our table has its number for a name.
    #[test]
    fn unknown_numbers_stay_visible() {
        assert_eq!(name(9_999, 0), "syscall_9999");
        assert_eq!(name(u32::MAX, 0), "syscall_-1");
        assert_eq!(name(u32::MAX, key_flags::COMPAT), "ia32:-1");
    }
}
