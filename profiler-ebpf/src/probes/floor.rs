//! An empty program: what any program at all would cost. Attached by the
//! benchmark only, which compares ours with it.

use aya_ebpf::{macros::raw_tracepoint, programs::RawTracePointContext};

/// Does nothing.
#[raw_tracepoint(tracepoint = "sys_exit")]
pub fn floor(_ctx: RawTracePointContext) -> i32 {
    0
}
