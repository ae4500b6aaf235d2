//! Non-maskable interrupts. They pass neither of the functions that the exit
//! backend watches, so this program serves both backends.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use profiler_common::{cause::CauseKind, key::region};

use crate::{
    config::in_text,
    count::{Entry, count},
    maps::NMI_HANDLERS,
    regs,
};

/// `nmi:nmi_handler`: fires once for each handler, after it has run.
///
/// proto: `nmi_handler(void *handler, s64 delta_ns, int handled)`, all kernels.
///
/// Every NMI runs through a list of handlers: see [`NmiHandlers`] for how the first
/// of them is told, which stands for the interrupt.
///
/// [`NmiHandlers`]: profiler_common::nmi::NmiHandlers
///
/// Minimum kernel: 5.5 (BTF tracepoints).
#[btf_tracepoint(function = "nmi_handler")]
pub fn nmi_handler(ctx: BtfTracePointContext) -> i32 {
    let handler: u64 = ctx.arg(0);
    let Some(handlers) = NMI_HANDLERS.get_ptr_mut(0) else {
        return 0;
    };
    // SAFETY: this CPU's memory of the map; an NMI is not interrupted by another.
    if !unsafe { &mut *handlers }.begins(handler) {
        return 0;
    }
    // From user mode an NMI runs on the thread's own stack and leaves its stub
    // there; from the kernel it has a stack of its own and leaves no trace here.
    let from_user = regs::of_current()
        .and_then(regs::slot)
        .is_some_and(in_text!(nmi));
    if from_user {
        let entry = Entry {
            kind: CauseKind::Nmi.code(),
            detail: 0,
            slot: 0,
            user_ip: 0,
        };
        count(&ctx, region::IRQS_OFF, entry);
    }
    0
}
