//! Page faults in user mode.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use profiler_common::{cause::CauseKind, key::region};

use crate::{
    count::{Entry, count},
    regs::Regs,
};

/// `exceptions:page_fault_user`: fires for faults from user mode only.
///
/// proto: `page_fault_user(unsigned long address, struct pt_regs *regs,
/// unsigned long error_code)`, all kernels.
///
/// Minimum kernel: 5.5 (BTF tracepoints).
#[btf_tracepoint(function = "page_fault_user")]
pub fn page_fault_user(ctx: BtfTracePointContext) -> i32 {
    let regs: *const Regs = ctx.arg(1);
    let error_code: u64 = ctx.arg(2);
    // SAFETY: a trusted pointer to `struct pt_regs`; the verifier checks the access.
    let user_ip = unsafe { (*regs).ip };
    let entry = Entry {
        kind: CauseKind::PageFault.code(),
        detail: error_code as u32,
        slot: 0,
        user_ip,
    };
    count(&ctx, region::IRQS_OFF, entry);
    0
}
