//! What else a CPU did while a measured thread had it, or was ready to.

use aya_ebpf::{
    bindings::BPF_NOEXIST,
    helpers::{
        bpf_get_current_comm, bpf_get_current_pid_tgid, bpf_get_smp_processor_id, bpf_ktime_get_ns,
    },
};
use profiler_common::{
    disturbance::{CpuState, DisturbanceKey, DisturbanceTime, Disturber, SQ_THREAD_COMM},
    loss::Loss,
};

use crate::{
    atomic, losses,
    maps::{CPU_STATES, DISTURBANCES, SQ_THREADS},
    target,
};

/// The clock.
#[inline(always)]
pub fn now_ns() -> u64 {
    // SAFETY: takes nothing.
    unsafe { bpf_ktime_get_ns() }
}

/// This CPU's number.
#[inline(always)]
pub fn this_cpu() -> u32 {
    // SAFETY: takes nothing; none of the callers can migrate.
    unsafe { bpf_get_smp_processor_id() }
}

/// This CPU's state.
#[inline(always)]
pub fn state_of(cpu: u32) -> Option<*mut CpuState> {
    CPU_STATES.get_ptr_mut(cpu)
}

/// Whether a thread is watched: a measured one, or the submission thread of a
/// measured process, which never returns to user mode.
#[inline(always)]
pub fn is_watched(tid: u32, tgid: u32, cpu: u32, comm: &[u8; 16]) -> bool {
    if target::born_of(tid, tgid, cpu).is_some() {
        return true;
    }
    let name = u64::from_ne_bytes([
        comm[0], comm[1], comm[2], comm[3], comm[4], comm[5], comm[6], comm[7],
    ]);
    let is_sq_thread =
        name == u64::from_ne_bytes(SQ_THREAD_COMM) && target::is_worker(tid, tgid, cpu);
    if is_sq_thread && SQ_THREADS.get_ptr(tid).is_none() {
        let _ = SQ_THREADS.insert(tid, comm, 0);
    }
    is_sq_thread
}

/// The thread that this CPU runs, if it is watched.
#[inline(always)]
pub fn watched_current(cpu: u32) -> Option<u32> {
    let pid_tgid = bpf_get_current_pid_tgid();
    let tid = pid_tgid as u32;
    let comm = bpf_get_current_comm().unwrap_or_default();
    is_watched(tid, (pid_tgid >> 32) as u32, cpu, &comm).then_some(tid)
}

/// The word in which a handler's beginning is kept.
type Since = fn(*mut CpuState) -> *mut u64;

/// A handler begins.
#[inline(always)]
pub fn begin(since: Since) {
    let cpu = this_cpu();
    let Some(state) = state_of(cpu) else {
        return;
    };
    if target::is_open() && watched_current(cpu).is_some() {
        // SAFETY: a member of this CPU's memory of the map.
        unsafe { *since(state) = now_ns() };
    }
}

/// A handler ends: the current thread is still the one that it kept waiting.
#[inline(always)]
pub fn end(since: Since, what: Disturber, detail: u32) {
    let cpu = this_cpu();
    let Some(state) = state_of(cpu) else {
        return;
    };
    let word = since(state);
    // SAFETY: a member of this CPU's memory of the map.
    let began_ns = unsafe { word.replace(0) };
    if began_ns == 0 {
        return;
    }
    let key = DisturbanceKey {
        cpu,
        tid: bpf_get_current_pid_tgid() as u32,
        what: what.code(),
        detail,
        comm: [0; 16],
    };
    charge(&key, now_ns() - began_ns);
}

/// Adds one disturbance to its row, making it if need be.
#[inline(never)]
pub fn charge(key: &DisturbanceKey, length_ns: u64) -> u32 {
    if let Some(row) = DISTURBANCES.get_ptr_mut(key) {
        // SAFETY: a row just looked up. Programs on this CPU that may come in
        // between charge other rows, and the CPU is part of the key.
        let time = unsafe { &mut *row };
        atomic::add(&raw mut time.count, 1);
        atomic::add(&raw mut time.total_ns, length_ns);
        time.max_ns = time.max_ns.max(length_ns);
        return 0;
    }
    let row = DisturbanceTime {
        count: 1,
        total_ns: length_ns,
        max_ns: length_ns,
    };
    if DISTURBANCES
        .insert(key, row, u64::from(BPF_NOEXIST))
        .is_err()
    {
        losses::note(Loss::DisturbanceFull, 1);
    }
    1
}
