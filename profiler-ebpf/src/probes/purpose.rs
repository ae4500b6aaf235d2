//! What call-function interrupts were for.

use aya_ebpf::{
    macros::{btf_tracepoint, raw_tracepoint},
    programs::{BtfTracePointContext, RawTracePointContext},
};
use profiler_common::{interruption::purpose_flags, vector::Vector};

use super::vector::is_from_user;
use crate::{config::in_text, purpose};

/// The kernel's `TLB_REMOTE_SHOOTDOWN`: flushed because another CPU asked.
const REMOTE_SHOOTDOWN: i32 = 1;

/// With the exit backend nothing else looks at the start of an interrupt.
macro_rules! mark_programs {
    ($($name:ident = $vector:ident, $tracepoint:literal;)+) => {$(
        #[doc = concat!("`irq_vectors:", $tracepoint, "`, proto: `(int vector)`.")]
        #[btf_tracepoint(function = $tracepoint)]
        pub fn $name(ctx: BtfTracePointContext) -> i32 {
            let is_stub = in_text!(vectors[Vector::$vector as usize]);
            if let Some(born) = is_from_user(&ctx, is_stub) {
                purpose::begin(Vector::$vector.code(), born);
            }
            0
        }
    )+};
}

mark_programs! {
    mark_call_function = CallFunction, "call_function_entry";
    mark_call_function_single = CallFunctionSingle, "call_function_single_entry";
}

/// `irq_vectors:call_function_exit`: before softirqs are run, which may call
/// functions of their own.
#[btf_tracepoint(function = "call_function_exit")]
pub fn call_function_exit(_ctx: BtfTracePointContext) -> i32 {
    purpose::end();
    0
}

/// `irq_vectors:call_function_single_exit`: as above.
#[btf_tracepoint(function = "call_function_single_exit")]
pub fn call_function_single_exit(_ctx: BtfTracePointContext) -> i32 {
    purpose::end();
    0
}

/// `csd:csd_function_entry`: from Linux 6.5 on.
///
/// proto: `csd_function_entry(smp_call_func_t func, call_single_data_t *csd)`.
/// A plain raw tracepoint: typed ones have no function pointers.
#[raw_tracepoint(tracepoint = "csd_function_entry")]
pub fn csd_function_entry(ctx: RawTracePointContext) -> i32 {
    let function: u64 = ctx.arg(0);
    purpose::calls(function, 0);
    0
}

/// `tlb:tlb_flush`: where there is no `csd_function_entry`.
///
/// proto: `tlb_flush(int reason, unsigned long pages)`, all kernels.
#[btf_tracepoint(function = "tlb_flush")]
pub fn tlb_flush(ctx: BtfTracePointContext) -> i32 {
    let reason: i32 = ctx.arg(0);
    if reason == REMOTE_SHOOTDOWN {
        purpose::calls(0, purpose_flags::TLB_FLUSH);
    }
    0
}
