//! Tasks, interrupts and softirqs in a measured thread's way. Attached only when
//! asked for: task switches and softirqs are frequent on any CPU.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use profiler_common::{
    disturbance::{CpuState, DisturbanceKey, Disturber},
    vector::Vector,
};

use crate::{
    config::config,
    disturbance::{begin, charge, end, is_watched, now_ns, state_of, this_cpu, watched_current},
    maps::WAITING,
    target, task,
};

/// `sched:sched_switch`: charges the task that leaves, if a watched thread was
/// waiting for it to.
///
/// proto: `sched_switch(bool preempt, struct task_struct *prev, struct
/// task_struct *next)`; from 5.18 on with `unsigned int prev_state` behind.
#[btf_tracepoint(function = "sched_switch")]
pub fn disturbance_sched_switch(ctx: BtfTracePointContext) -> i32 {
    let prev: u64 = ctx.arg(1);
    let next: u64 = ctx.arg(2);
    let cpu = this_cpu();
    let Some(state) = state_of(cpu) else {
        return 0;
    };
    // SAFETY: this CPU's memory of the map; the run queue is locked.
    let state = unsafe { &mut *state };
    leave(prev, cpu, state);
    enter(next, cpu, state);
    0
}

/// `prev` leaves the CPU.
#[inline(always)]
fn leave(prev: u64, cpu: u32, state: &mut CpuState) {
    if state.task_since_ns != 0 {
        let length_ns = now_ns() - state.task_since_ns;
        state.task_since_ns = 0;
        // Unless it has been given another CPU meanwhile.
        if state.waiting_tid != 0 {
            let key = DisturbanceKey {
                cpu,
                tid: state.waiting_tid,
                what: Disturber::Task.code(),
                detail: 0,
                comm: task::comm(prev, config!(task_comm_offset)).unwrap_or_default(),
            };
            charge(&key, length_ns);
        }
    }
    let Some(tid) = watched_current(cpu) else {
        return;
    };
    // Not 0: it goes to sleep, or dies.
    let is_ready = task::field(prev, config!(task_state_offset)) == Some(0);
    if is_ready && target::is_open() {
        state.waiting_tid = tid;
        let _ = WAITING.insert(tid, cpu, 0);
    }
}

/// `next` is given the CPU.
#[inline(always)]
fn enter(next: u64, cpu: u32, state: &mut CpuState) {
    let (Some(tid), Some(tgid), Some(comm)) = (
        task::field(next, config!(task_pid_offset)),
        task::field(next, config!(task_tgid_offset)),
        task::comm(next, config!(task_comm_offset)),
    ) else {
        return;
    };
    if !is_watched(tid, tgid, cpu, &comm) {
        if tid != 0 && state.waiting_tid != 0 {
            state.task_since_ns = now_ns();
        }
        return;
    }
    let Some(row) = WAITING.get_ptr(tid) else {
        return;
    };
    // SAFETY: a row just looked up.
    let before = unsafe { *row };
    if let Some(left) = state_of(before) {
        // SAFETY: a member of the map's memory.
        let waiting = unsafe { &raw mut (*left).waiting_tid };
        // SAFETY: as above; a word, read in one piece.
        if unsafe { waiting.read_volatile() } == tid {
            // SAFETY: as above.
            unsafe { waiting.write_volatile(0) };
        }
    }
    let _ = WAITING.remove(tid);
}

/// `irq:irq_handler_entry`, proto: `(int irq, struct irqaction *action)`.
#[btf_tracepoint(function = "irq_handler_entry")]
pub fn disturbance_irq_entry(_ctx: BtfTracePointContext) -> i32 {
    begin(irq);
    0
}

/// `irq:irq_handler_exit`, proto: `(int irq, struct irqaction *action, int ret)`.
#[btf_tracepoint(function = "irq_handler_exit")]
pub fn disturbance_irq_exit(ctx: BtfTracePointContext) -> i32 {
    let number: u32 = ctx.arg(0);
    end(irq, Disturber::DeviceIrq, number);
    0
}

/// `irq:softirq_entry`, proto: `(unsigned int vec_nr)`.
#[btf_tracepoint(function = "softirq_entry")]
pub fn disturbance_softirq_entry(_ctx: BtfTracePointContext) -> i32 {
    begin(softirq);
    0
}

/// `irq:softirq_exit`, proto: `(unsigned int vec_nr)`.
#[btf_tracepoint(function = "softirq_exit")]
pub fn disturbance_softirq_exit(ctx: BtfTracePointContext) -> i32 {
    let number: u32 = ctx.arg(0);
    end(softirq, Disturber::Softirq, number);
    0
}

#[inline(always)]
fn irq(state: *mut CpuState) -> *mut u64 {
    // SAFETY: a member of a live map value.
    unsafe { &raw mut (*state).irq_since_ns }
}

#[inline(always)]
fn softirq(state: *mut CpuState) -> *mut u64 {
    // SAFETY: a member of a live map value.
    unsafe { &raw mut (*state).softirq_since_ns }
}

#[inline(always)]
fn vector(state: *mut CpuState) -> *mut u64 {
    // SAFETY: a member of a live map value.
    unsafe { &raw mut (*state).vector_since_ns }
}

/// `irq_vectors:*`, proto: `(int vector)`: interrupts are off in between.
macro_rules! vector_programs {
    ($($vector:ident: $begin:ident = $entry:literal, $end:ident = $exit:literal;)+) => {$(
        #[doc = concat!("`irq_vectors:", $entry, "`")]
        #[btf_tracepoint(function = $entry)]
        pub fn $begin(_ctx: BtfTracePointContext) -> i32 {
            begin(vector);
            0
        }

        #[doc = concat!("`irq_vectors:", $exit, "`")]
        #[btf_tracepoint(function = $exit)]
        pub fn $end(_ctx: BtfTracePointContext) -> i32 {
            end(vector, Disturber::Vector, Vector::$vector.code());
            0
        }
    )+};
}

vector_programs! {
    LocalTimer: disturbance_local_timer_entry = "local_timer_entry",
        disturbance_local_timer_exit = "local_timer_exit";
    Reschedule: disturbance_reschedule_entry = "reschedule_entry",
        disturbance_reschedule_exit = "reschedule_exit";
    CallFunction: disturbance_call_function_entry = "call_function_entry",
        disturbance_call_function_exit = "call_function_exit";
    CallFunctionSingle: disturbance_call_function_single_entry = "call_function_single_entry",
        disturbance_call_function_single_exit = "call_function_single_exit";
    IrqWork: disturbance_irq_work_entry = "irq_work_entry",
        disturbance_irq_work_exit = "irq_work_exit";
}
