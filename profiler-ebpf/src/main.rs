//! The eBPF programs: they see every entry of a target thread into the kernel
//! and count it under the thread, the phase and the cause.
//!
//! Two families, of which the profiler attaches one or both:
//! *entry* (tracepoints, one for each way into the kernel) and *exit* (one hook
//! that every return to user mode passes).
#![no_std]
#![no_main]
#![feature(core_intrinsics, asm_experimental_arch)]
#![expect(
    clippy::inline_always,
    clippy::cast_possible_truncation,
    clippy::needless_pass_by_value,
    reason = "a call costs more than these do; map keys hold the low halves; a program's \
              context is handed to it by value"
)]
#![expect(
    unreachable_pub,
    reason = "nothing imports this crate: programs and maps are found by their names"
)]
#![expect(
    internal_features,
    reason = "the plain atomic add has no other door on this target"
)]

mod allocations;
mod atomic;
mod config;
mod count;
mod disturbance;
mod fault;
mod ledger;
mod losses;
mod maps;
mod origin;
mod phase;
mod probes;
mod purpose;
mod regs;
mod senders;
mod signals;
mod stacks;
mod target;
mod task;

/// Never reached: nothing here panics, and the verifier would refuse a loop.
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}

/// The kernel offers its tracing helpers to GPL-compatible programs only.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
