//! Threads that come, become another program, and go.

use aya_ebpf::{
    helpers::{bpf_get_current_comm, bpf_get_current_task, bpf_ktime_get_ns},
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use aya_log_ebpf::debug;
use profiler_common::{
    cause::CauseKind,
    config::filter,
    fault_config::level,
    key::{LedgerKey, key_flags},
    loss::Loss,
    thread::{ThreadId, ThreadState, state},
};

use crate::{
    config::{config, in_text},
    ledger, losses,
    maps::{PENDING_FAULTS, THREAD_INFO, THREADS},
    phase,
    probes::exit::entry_of_current,
    regs, target, task,
};

/// In the state of a thread that leaves its CPU for the last time.
const TASK_DEAD: u32 = 0x80;

/// `sched:sched_wakeup_new`: the child of a measured thread is measured from its
/// first return on. The parent is the current thread.
///
/// Not `sched_process_fork`, which from Linux 7.1 on can be preempted, and is
/// then passed over for another thread that forks on the same CPU: a child
/// would be lost with all its entries. Here interrupts are off.
///
/// Whoever's child it is, nobody else has its number any more.
///
/// proto: `sched_wakeup_new(struct task_struct *p)`, all kernels. Minimum
/// kernel: 5.5 (BTF tracepoints).
#[btf_tracepoint(function = "sched_wakeup_new")]
pub fn sched_wakeup_new(ctx: BtfTracePointContext) -> i32 {
    let child: u64 = ctx.arg(0);
    let Some(tid) = task::field(child, config!(task_pid_offset)) else {
        return 0;
    };
    if let Some(row) = THREADS.get_ptr(tid) {
        // SAFETY: a row just looked up.
        let gone = unsafe { *row };
        if state::is_counted(gone.state) {
            losses::note(Loss::ThreadEndUnseen, 1);
        }
        forget(tid, gone.born);
    }
    if config!(filter) != filter::THREADS {
        return 0;
    }
    let Some(parent) = target::row() else {
        return 0;
    };
    // SAFETY: a row just looked up.
    let parent = unsafe { (*parent).state };
    let (Some(tgid), Some(flags)) = (
        task::field(child, config!(task_tgid_offset)),
        task::field(child, config!(task_flags_offset)),
    ) else {
        return 0;
    };
    let state = if flags & config!(worker_flags) != 0 {
        state::WORKER
    } else {
        state::COUNTED
    };
    // Workers make workers.
    let makes_worker = parent == state::WORKER && state == state::WORKER;
    if !(state::is_counted(parent) || makes_worker) {
        return 0;
    }
    let parent_tid = target::current_tid();
    if target::follow(child, tid, tgid, parent_tid, state).is_none() {
        debug!(&ctx, "no room to follow thread {} of {}", tid, parent_tid);
    }
    0
}

/// `sched:sched_process_exec`: a launched command begins to be counted here,
/// with the return of its own `execve`.
///
/// proto: `sched_process_exec(struct task_struct *p, pid_t old_pid, struct
/// linux_binprm *bprm)`, all kernels. Minimum kernel: 5.5 (BTF tracepoints).
#[btf_tracepoint(function = "sched_process_exec")]
pub fn sched_process_exec(ctx: BtfTracePointContext) -> i32 {
    on_exec(&ctx)
}

/// The same once more: where programs on tracepoints can be preempted, the first may
/// have been passed over. Where it was not, there is nothing left to do.
#[btf_tracepoint(function = "sched_process_exec")]
pub fn sched_process_exec_again(ctx: BtfTracePointContext) -> i32 {
    on_exec(&ctx)
}

#[inline(always)]
fn on_exec(ctx: &BtfTracePointContext) -> i32 {
    let old_tid: u32 = ctx.arg(1);
    let tid = target::current_tid();
    let Some(thread) = THREADS.get_ptr(old_tid) else {
        return 0;
    };
    // SAFETY: takes nothing and always returns the current task.
    let task = unsafe { bpf_get_current_task() };
    // SAFETY: a row just looked up.
    let before = unsafe { *thread };
    if before.task != 0 && before.task != task {
        return 0;
    }
    if before.state == state::UNTIL_EXEC {
        debug!(ctx, "thread {} is counted from here on", tid);
    }
    let born = before.born;
    let now = ThreadState {
        task,
        state: state::COUNTED,
        ..before
    };
    if THREADS.insert(tid, now, 0).is_err() {
        debug!(ctx, "no room to follow thread {} through exec", tid);
        return 0;
    }
    if old_tid != tid {
        // A thread that was not the leader takes over the leader's number.
        let _ = THREADS.remove(old_tid);
        describe_successor(old_tid, tid, born);
    }
    // The same instruction of another program may be another system-call gate.
    // SAFETY: takes nothing.
    target::begin_epoch(unsafe { bpf_ktime_get_ns() });
    rename(ThreadId { tid, born });
    0
}

/// Gives the description of a thread that changed its number to the new one.
#[inline(always)]
fn describe_successor(old_tid: u32, tid: u32, born: u32) {
    let old = ThreadId { tid: old_tid, born };
    // SAFETY: the row is copied before anything else can change it.
    if let Some(info) = unsafe { THREAD_INFO.get(old) } {
        let info = *info;
        let _ = THREAD_INFO.insert(ThreadId { tid, born }, info, 0);
    }
}

/// Takes down the name that the current thread has now.
#[inline(always)]
fn rename(id: ThreadId) {
    let Some(info) = THREAD_INFO.get_ptr_mut(id) else {
        return;
    };
    if let Ok(comm) = bpf_get_current_comm() {
        // SAFETY: a row just looked up, written by its own thread only.
        unsafe { (*info).comm = comm };
    }
}

/// `sched:sched_process_exit`: the thread is gone; and if it went by its own
/// system call, that call is counted here, since it never returns.
///
/// From Linux 7.1 on it can be preempted, and is passed over for another thread
/// that ends on the same CPU. Such an end is seen below.
///
/// proto: `sched_process_exit(struct task_struct *p)`; from 6.15 on with
/// `bool group_dead` behind. Minimum kernel: 5.5 (BTF tracepoints).
#[btf_tracepoint(function = "sched_process_exit")]
pub fn sched_process_exit(_ctx: BtfTracePointContext) -> i32 {
    end();
    0
}

/// `sched:sched_switch` away from a thread that will not run again, with
/// interrupts off: no end is passed over here. Its number may be another
/// thread's by now.
///
/// Every switch of every CPU passes here, so the first question is asked without
/// a helper.
///
/// proto: `sched_switch(bool preempt, struct task_struct *prev, struct
/// task_struct *next)`; from 5.18 on with `unsigned int prev_state` behind.
#[btf_tracepoint(function = "sched_switch")]
pub fn thread_gone(ctx: BtfTracePointContext) -> i32 {
    let task: u64 = ctx.arg(1);
    let state = task + u64::from(config!(task_state_offset));
    // SAFETY: a member of a trusted task, at an offset from the kernel's BTF.
    if unsafe { (state as *const u32).read_volatile() } & TASK_DEAD != 0 {
        end();
    }
    0
}

/// Ends the current thread's row, if it has one. A function of its own, since the
/// switches between threads shall not pay for it.
#[inline(never)]
fn end() -> u32 {
    let Some(row) = target::row() else {
        return 0;
    };
    // SAFETY: a row just looked up.
    let thread = unsafe { *row };
    let tid = target::current_tid();
    if state::is_counted(thread.state) && target::counted().is_some() {
        count_last_call(tid, thread.born);
    }
    let born = thread.born;
    rename(ThreadId { tid, born });
    forget(tid, born);
    1
}

/// Takes a thread out of the table: whoever has its number next is another one.
#[inline(always)]
fn forget(tid: u32, born: u32) {
    // SAFETY: takes nothing.
    let now_ns = unsafe { bpf_ktime_get_ns() };
    if let Some(info) = THREAD_INFO.get_ptr_mut(ThreadId { tid, born }) {
        // SAFETY: a row just looked up, of a thread that is gone.
        unsafe { (*info).ended_ns = now_ns };
    }
    let _ = THREADS.remove(tid);
    if config!(fault.level) != level::COUNT {
        let _ = PENDING_FAULTS.remove(tid);
    }
    target::begin_epoch(now_ns);
}

/// Counts `exit` or `exit_group` if that is what the thread is in. A thread that
/// was killed instead is on its way out of an earlier entry; where the exit
/// probe comes too late to see that, it is counted here.
#[inline(always)]
fn count_last_call(tid: u32, born: u32) {
    let Some(slot) = regs::of_current().and_then(regs::slot) else {
        return;
    };
    let Some(entry) = entry_of_current() else {
        return;
    };
    let number = entry.detail;
    let plain = number & !config!(x32_bit);
    let native = in_text!(syscall)(slot) && (plain == 60 || plain == 231);
    let compat =
        (in_text!(int80)(slot) || in_text!(compat)(slot)) && (number == 1 || number == 252);
    let mut key = LedgerKey {
        tid,
        born,
        user_ip: entry.user_ip,
        detail: number,
        slot: 0,
        phase: phase::current(),
        kind: CauseKind::Syscall.code(),
        flags: if compat { key_flags::COMPAT } else { 0 },
        padding: 0,
    };
    if !native && !compat {
        if !target::counts_killed() {
            return;
        }
        key.slot = entry.slot;
        key.kind = entry.kind;
    }
    ledger::add(&key, 1);
}
