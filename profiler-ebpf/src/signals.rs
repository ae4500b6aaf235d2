//! Which system call has just returned without a number of its own.
//!
//! The return of a signal handler replaces all registers, the number of the call
//! among them, with -1. Others have that number, too: a program that asks for it, a
//! call that a tracer has taken the number from, and those by which uprobes
//! return. What tells them apart is the stack pointer: only a handler's return
//! goes back to where the thread was when the signal was delivered.

use aya_ebpf::helpers::{bpf_get_current_pid_tgid, bpf_probe_read_kernel, bpf_probe_read_user};
use profiler_common::{
    cause::SYSCALL_NUMBER_CLEARED,
    thread::{SignalFrame, SignalFrames},
};

use crate::{
    config::in_text,
    maps::SIGNAL_FRAMES,
    probes::syscall::nr,
    regs::{self, Regs},
};

/// The bytes of `mov $NUMBER, %rax; syscall`, but for the number: uprobes'
/// trampolines are written so.
const MOVE: [u8; 3] = [0x48, 0xc7, 0xc0];
const SYSCALL: [u8; 2] = [0x0f, 0x05];

/// Takes down that a signal is being delivered to a handler.
#[inline(always)]
pub fn note_delivery(handler: u64) {
    let Some(regs) = regs::of_current() else {
        return;
    };
    let place = regs + core::mem::offset_of!(Regs, ip) as u64;
    // SAFETY: the helper checks the address. From `ip` to `sp`.
    let Ok([ip, _, _, sp]) = (unsafe { bpf_probe_read_kernel(place as *const [u64; 4]) }) else {
        return;
    };
    let tid = bpf_get_current_pid_tgid() as u32;
    // SAFETY: the row is this thread's own.
    let [first, second, third, _] = unsafe { SIGNAL_FRAMES.get(tid) }
        .copied()
        .unwrap_or_default();
    let newest = SignalFrame { sp, ip, handler };
    let frames: SignalFrames = [newest, first, second, third];
    let _ = SIGNAL_FRAMES.insert(tid, frames, 0);
}

/// The number of the system call that the current thread returns from, which the
/// saved registers do not have. `is_late`: a signal that was delivered on the way
/// may have replaced them once more.
#[inline(never)]
pub fn cleared_number(regs: u64, is_late: bool) -> u32 {
    let place = regs + core::mem::offset_of!(Regs, ip) as u64;
    // SAFETY: the helper checks the address. From `ip` to `sp`.
    let Ok([mut ip, _, _, mut sp]) = (unsafe { bpf_probe_read_kernel(place as *const [u64; 4]) })
    else {
        return SYSCALL_NUMBER_CLEARED;
    };
    let is_compat =
        regs::slot(regs).is_some_and(|slot| in_text!(int80)(slot) || in_text!(compat)(slot));
    let handler_return = if is_compat {
        nr::IA32_SIGRETURN
    } else {
        nr::RT_SIGRETURN
    };
    let tid = bpf_get_current_pid_tgid() as u32;
    // SAFETY: the row is this thread's own.
    let [newest, second, third, fourth] = unsafe { SIGNAL_FRAMES.get(tid) }
        .copied()
        .unwrap_or_default();
    let mut goes_back = sp == second.sp || sp == third.sp || sp == fourth.sp;
    if is_late && ip == newest.handler && sp != newest.sp {
        ip = newest.ip;
        sp = newest.sp;
        goes_back = sp == second.sp || sp == third.sp || sp == fourth.sp;
    } else {
        goes_back |= sp == newest.sp;
    }
    if goes_back {
        return handler_return;
    }
    if is_compat {
        return SYSCALL_NUMBER_CLEARED;
    }
    // SAFETY: the helper checks the address.
    let before = unsafe { bpf_probe_read_user(ip.wrapping_sub(9) as *const [u8; 9]) };
    match before {
        // Number -1: the thread goes on behind the instruction that asked.
        Ok([a, b, c, n0, n1, n2, n3, s0, s1]) if [s0, s1] == SYSCALL => {
            let number = u32::from_le_bytes([n0, n1, n2, n3]);
            if [a, b, c] == MOVE && (number == nr::URETPROBE || number == nr::UPROBE) {
                number
            } else {
                SYSCALL_NUMBER_CLEARED
            }
        }
        // A delivery that was not seen, or is forgotten.
        _ => handler_return,
    }
}
