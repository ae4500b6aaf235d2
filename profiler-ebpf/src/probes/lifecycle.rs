//! Threads that come, become another program, and go.

use aya_ebpf::{
    helpers::{bpf_get_current_comm, bpf_ktime_get_ns},
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use aya_log_ebpf::debug;
use profiler_common::{
    cause::CauseKind,
    config::filter,
    fault_config::level,
    key::{LedgerKey, key_flags},
    thread::{ThreadId, ThreadState, state},
};

use crate::{
    config::{config, in_text},
    ledger,
    maps::{PENDING_FAULTS, THREAD_INFO, THREADS},
    phase,
    probes::exit::entry_of_current,
    regs, target, task,
};

/// Threads that the kernel makes for itself in a process's name: io_uring's
/// (`PF_IO_WORKER`), vhost's (`PF_USER_WORKER`). They never are in user mode.
const PF_WORKERS: u32 = 0x10 | 0x4000;

/// `sched:sched_wakeup_new`: the child of a measured thread is measured from its
/// first return on. The parent is the current thread.
///
/// Not `sched_process_fork`, which from Linux 7.1 on can be preempted, and is
/// then passed over for another thread that forks on the same CPU: a child
/// would be lost with all its entries. Here interrupts are off.
///
/// proto: `sched_wakeup_new(struct task_struct *p)`, all kernels. Minimum
/// kernel: 5.5 (BTF tracepoints).
#[btf_tracepoint(function = "sched_wakeup_new")]
pub fn sched_wakeup_new(ctx: BtfTracePointContext) -> i32 {
    if config!(filter) != filter::THREADS || target::followed().is_none() {
        return 0;
    }
    let child: u64 = ctx.arg(0);
    let (Some(tid), Some(tgid), Some(flags)) = (
        task::field(child, config!(task_pid_offset)),
        task::field(child, config!(task_tgid_offset)),
        task::field(child, config!(task_flags_offset)),
    ) else {
        return 0;
    };
    if flags & PF_WORKERS != 0 {
        return 0;
    }
    let parent_tid = target::current_tid();
    if THREADS.get_ptr(tid).is_some() {
        // The end of the thread that had this number before was not seen.
        // SAFETY: takes nothing.
        target::begin_epoch(unsafe { bpf_ktime_get_ns() });
    }
    if target::follow(tid, tgid, parent_tid).is_none() {
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
    let old_tid: u32 = ctx.arg(1);
    let tid = target::current_tid();
    let Some(thread) = THREADS.get_ptr(old_tid) else {
        return 0;
    };
    // SAFETY: a row just looked up.
    let ThreadState {
        born,
        state: before,
    } = unsafe { *thread };
    if before == state::UNTIL_EXEC {
        debug!(&ctx, "thread {} is counted from here on", tid);
    }
    let now = ThreadState {
        born,
        state: state::COUNTED,
    };
    if THREADS.insert(tid, now, 0).is_err() {
        debug!(&ctx, "no room to follow thread {} through exec", tid);
        return 0;
    }
    if old_tid != tid {
        // A thread that was not the leader takes over the leader's number.
        let _ = THREADS.remove(old_tid);
        // SAFETY: takes nothing.
        target::begin_epoch(unsafe { bpf_ktime_get_ns() });
        describe_successor(old_tid, tid, born);
    }
    rename(ThreadId { tid, born }, 0);
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

/// Takes down the name that the current thread has now, and its end if it ends.
#[inline(always)]
fn rename(id: ThreadId, ended_ns: u64) {
    let Some(info) = THREAD_INFO.get_ptr_mut(id) else {
        return;
    };
    if let Ok(comm) = bpf_get_current_comm() {
        // SAFETY: a row just looked up, written by its own thread only.
        unsafe { (*info).comm = comm };
    }
    // SAFETY: as above.
    unsafe { (*info).ended_ns = ended_ns };
}

/// `sched:sched_process_exit`: the thread is gone; and if it went by its own
/// system call, that call is counted here, since it never returns.
///
/// proto: `sched_process_exit(struct task_struct *p)`; from 6.15 on with
/// `bool group_dead` behind. Minimum kernel: 5.5 (BTF tracepoints).
#[btf_tracepoint(function = "sched_process_exit")]
pub fn sched_process_exit(_ctx: BtfTracePointContext) -> i32 {
    let Some(born) = target::followed() else {
        return 0;
    };
    let tid = target::current_tid();
    if target::counted().is_some() {
        count_last_call(tid, born);
    }
    // SAFETY: takes nothing.
    let now_ns = unsafe { bpf_ktime_get_ns() };
    rename(ThreadId { tid, born }, now_ns);
    let _ = THREADS.remove(tid);
    if config!(fault.level) != level::COUNT {
        let _ = PENDING_FAULTS.remove(tid);
    }
    target::begin_epoch(now_ns);
    0
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
    let native = in_text!(syscall)(slot) && (number == 60 || number == 231);
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
        // A thread of the kernel's own has never been in user mode.
        if !target::counts_killed() || in_text!(ret_from_fork)(slot) {
            return;
        }
        key.slot = entry.slot;
        key.kind = entry.kind;
    }
    ledger::add(&key, 1);
}
