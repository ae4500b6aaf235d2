//! Interrupts on their way to a measured thread's CPU. Attached only when asked
//! for: the kernel has these tracepoints from Linux 6.4 on.

use aya_ebpf::{
    helpers::bpf_get_smp_processor_id,
    macros::{btf_tracepoint, raw_tracepoint},
    programs::{BtfTracePointContext, RawTracePointContext},
};
use profiler_common::interruption::running;

use crate::{config::config, maps::RUNNING, senders, target, task};

/// `sched:sched_switch`: keeps which measured thread this CPU runs. The run
/// queue would tell, too, but not every kernel lets programs find it.
///
/// proto: `sched_switch(bool preempt, struct task_struct *prev, struct
/// task_struct *next)`; from 5.18 on with `unsigned int prev_state` behind.
#[btf_tracepoint(function = "sched_switch")]
pub fn senders_sched_switch(ctx: BtfTracePointContext) -> i32 {
    let next: u64 = ctx.arg(2);
    // SAFETY: takes nothing; the run queue is locked.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    let (Some(tid), Some(tgid)) = (
        task::field(next, config!(task_pid_offset)),
        task::field(next, config!(task_tgid_offset)),
    ) else {
        return 0;
    };
    let word = target::born_of(tid, tgid, cpu).map_or(0, |born| running(tid, born));
    if let Some(now) = RUNNING.get_ptr_mut(cpu) {
        // SAFETY: only this CPU writes its word, in one piece.
        unsafe { core::ptr::write_volatile(now, word) };
    }
    0
}

/// `csd:csd_queue_cpu`: a CPU is asked to call a function.
///
/// proto: `csd_queue_cpu(const unsigned int cpu, unsigned long callsite,
/// smp_call_func_t func, call_single_data_t *csd)`. A plain raw tracepoint:
/// typed ones have no function pointers.
#[raw_tracepoint(tracepoint = "csd_queue_cpu")]
pub fn csd_queue_cpu(ctx: RawTracePointContext) -> i32 {
    let cpu: u32 = ctx.arg(0);
    let call_site: u64 = ctx.arg(1);
    let function: u64 = ctx.arg(2);
    senders::sent(&ctx, cpu, function, call_site);
    0
}

/// `ipi:ipi_send_cpu`: an interrupt is sent. Those with a function to call have
/// been seen when that was queued; without one it is a reschedule.
///
/// proto: `ipi_send_cpu(const unsigned int cpu, unsigned long callsite, void
/// *callback)`.
#[btf_tracepoint(function = "ipi_send_cpu")]
pub fn ipi_send_cpu(ctx: BtfTracePointContext) -> i32 {
    let cpu: u32 = ctx.arg(0);
    let call_site: u64 = ctx.arg(1);
    let callback: u64 = ctx.arg(2);
    if callback == 0 {
        senders::sent(&ctx, cpu, 0, call_site);
    }
    0
}
