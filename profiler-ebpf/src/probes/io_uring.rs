//! Who takes submissions off an io_uring: the kernel's thread, or a system call.
//!
//! Attached only when asked for: it costs something for each I/O.

use aya_ebpf::{
    helpers::bpf_get_current_comm, macros::btf_tracepoint, programs::BtfTracePointContext,
};
use profiler_common::submission::{BY_ENTER, BY_SQ_THREAD, WAYS};

use crate::{atomic, maps::SUBMISSIONS, phase, target};

/// How the kernel names its submission threads, from Linux 5.12 on.
const SQ_THREAD_COMM: &[u8; 8] = b"iou-sqp-";

/// Counts a submission if it belongs to a measured process.
#[inline(always)]
fn count_submission() {
    if !target::is_open_for_process() {
        return;
    }
    let comm = bpf_get_current_comm().unwrap_or_default();
    let is_sq_thread = u64::from_ne_bytes([
        comm[0], comm[1], comm[2], comm[3], comm[4], comm[5], comm[6], comm[7],
    ]) == u64::from_ne_bytes(*SQ_THREAD_COMM);
    let way = if is_sq_thread { BY_SQ_THREAD } else { BY_ENTER };
    if let Some(counter) = SUBMISSIONS.get_ptr_mut(u32::from(phase::current()) * WAYS + way) {
        atomic::add(counter, 1);
    }
}

/// `io_uring:io_uring_submit_req`: from Linux 6.4 on.
///
/// No argument is read: they differ between kernels.
#[btf_tracepoint(function = "io_uring_submit_req")]
pub fn io_uring_submit_req(_ctx: BtfTracePointContext) -> i32 {
    count_submission();
    0
}

/// `io_uring:io_uring_submit_sqe`: its name up to Linux 6.3.
#[btf_tracepoint(function = "io_uring_submit_sqe")]
pub fn io_uring_submit_sqe(_ctx: BtfTracePointContext) -> i32 {
    count_submission();
    0
}
