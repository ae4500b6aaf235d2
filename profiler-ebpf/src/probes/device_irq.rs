//! Device interrupts.

use aya_ebpf::{
    helpers::bpf_probe_read_kernel, macros::btf_tracepoint, programs::BtfTracePointContext,
};
use profiler_common::vector::DEVICE_IRQ_BASE;

use super::vector::count_if_from_user;
use crate::{
    config::{config, in_text},
    maps::NEXT_ACTION,
};

/// `irq:irq_handler_entry`: fires once for each handler on the line.
///
/// proto: `irq_handler_entry(int irq, struct irqaction *action)`, all kernels.
///
/// Minimum kernel: 5.5 (BTF tracepoints).
#[btf_tracepoint(function = "irq_handler_entry")]
pub fn irq_handler_entry(ctx: BtfTracePointContext) -> i32 {
    let irq: i32 = ctx.arg(0);
    let action: u64 = ctx.arg(1);
    if let Some(next) = NEXT_ACTION.get_ptr_mut(0) {
        // SAFETY: this CPU's memory of the map; interrupts are off.
        let expected = unsafe { next.replace(0) };
        // The second handler of the same interrupt is not a second interrupt.
        if expected == action {
            return 0;
        }
    }
    let detail = DEVICE_IRQ_BASE + irq.cast_unsigned();
    count_if_from_user(&ctx, detail, in_text!(common_interrupt));
    0
}

/// `irq:irq_handler_exit`: notes which handler of a shared line comes next.
///
/// proto: `irq_handler_exit(int irq, struct irqaction *action, int ret)`.
///
/// Minimum kernel: 5.5 (BTF tracepoints).
#[btf_tracepoint(function = "irq_handler_exit")]
pub fn irq_handler_exit(ctx: BtfTracePointContext) -> i32 {
    let action: u64 = ctx.arg(1);
    let field = action + u64::from(config!(irqaction_next_offset));
    // SAFETY: the helper checks the address; the offset is from the kernel's BTF.
    let following = unsafe { bpf_probe_read_kernel(field as *const u64) }.unwrap_or(0);
    if let Some(next) = NEXT_ACTION.get_ptr_mut(0) {
        // SAFETY: this CPU's memory of the map; interrupts are off.
        unsafe { *next = following };
    }
    0
}
