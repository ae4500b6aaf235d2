//! Interrupt vectors that have a tracepoint of their own.

use aya_ebpf::{EbpfContext, macros::btf_tracepoint, programs::BtfTracePointContext};
use profiler_common::{cause::CauseKind, key::region, vector::Vector};

use crate::{
    config::in_text,
    count::{Entry, count},
    origin, purpose, regs, target,
};

/// The incarnation of the current thread, if it is measured and the interrupt
/// being handled came from user mode.
#[inline(always)]
pub fn is_from_user(ctx: &BtfTracePointContext, is_stub: impl FnOnce(u64) -> bool) -> Option<u32> {
    // Dear questions last: the walk up the stack costs over a microsecond.
    let slot = regs::of_current().and_then(regs::slot)?;
    if !is_stub(slot) {
        return None;
    }
    let born = target::counted()?;
    origin::is_outermost(ctx.as_ptr(), slot).then_some(born)
}

/// Counts an interrupt if it came from user mode. The instruction it hit is an
/// accident, so none is recorded.
#[inline(always)]
pub fn count_if_from_user(
    ctx: &BtfTracePointContext,
    detail: u32,
    is_stub: impl FnOnce(u64) -> bool,
) {
    let Some(born) = is_from_user(ctx, is_stub) else {
        return;
    };
    let entry = Entry {
        kind: CauseKind::Interrupt.code(),
        detail,
        slot: 0,
        user_ip: 0,
    };
    count(ctx, region::IRQS_OFF, entry);
    if detail == Vector::CallFunction.code() || detail == Vector::CallFunctionSingle.code() {
        purpose::begin(detail, born);
    }
}

/// One program for each vector: a program cannot run twice at once on a CPU,
/// so sharing one would lose events.
///
/// proto: `(int vector)`, all kernels. Minimum kernel: 5.5 (BTF tracepoints).
macro_rules! vector_programs {
    ($($name:ident = $vector:ident, $tracepoint:literal;)+) => {$(
        #[doc = concat!("`irq_vectors:", $tracepoint, "`.")]
        #[btf_tracepoint(function = $tracepoint)]
        pub fn $name(ctx: BtfTracePointContext) -> i32 {
            let is_stub = in_text!(vectors[Vector::$vector as usize]);
            count_if_from_user(&ctx, Vector::$vector.code(), is_stub);
            0
        }
    )+};
}

vector_programs! {
    local_timer_entry = LocalTimer, "local_timer_entry";
    reschedule_entry = Reschedule, "reschedule_entry";
    call_function_entry = CallFunction, "call_function_entry";
    call_function_single_entry = CallFunctionSingle, "call_function_single_entry";
    irq_work_entry = IrqWork, "irq_work_entry";
    error_apic_entry = ErrorApic, "error_apic_entry";
    spurious_apic_entry = SpuriousApic, "spurious_apic_entry";
    x86_platform_ipi_entry = X86PlatformIpi, "x86_platform_ipi_entry";
    thermal_apic_entry = ThermalApic, "thermal_apic_entry";
    threshold_apic_entry = ThresholdApic, "threshold_apic_entry";
    deferred_error_apic_entry = DeferredErrorApic, "deferred_error_apic_entry";
}
