//! Names of system calls.

use profiler_common::{cause::SYSCALL_NUMBER_CLEARED, key::key_flags};
use syscalls::{x86, x86_64};

/// The name of a system call, by its number and the gate it came through.
/// 32-bit calls are marked, since their numbers mean other calls.
#[must_use]
pub fn name(number: u32, flags: u8) -> String {
    let is_compat = flags & key_flags::COMPAT != 0;
    if number == SYSCALL_NUMBER_CLEARED {
        return if is_compat {
            "ia32:sigreturn"
        } else {
            "rt_sigreturn"
        }
        .to_owned();
    }
    let index = usize::try_from(number).unwrap_or(usize::MAX);
    if is_compat {
        x86::Sysno::new(index).map_or_else(
            || format!("ia32:{number}"),
            |call| format!("ia32:{}", call.name()),
        )
    } else {
        x86_64::Sysno::new(index).map_or_else(
            || format!("syscall_{number}"),
            |call| call.name().to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same number is another call through the 32-bit gate.
    #[test]
    fn the_gate_decides_the_numbering() {
        assert_eq!(name(39, 0), "getpid");
        assert_eq!(name(20, key_flags::COMPAT), "ia32:getpid");
        assert_eq!(name(SYSCALL_NUMBER_CLEARED, 0), "rt_sigreturn");
    }

    /// A call newer than our table has its number for a name.
    #[test]
    fn unknown_numbers_stay_visible() {
        assert_eq!(name(9_999, 0), "syscall_9999");
    }
}
