//! Is this thread being measured?

use aya_ebpf::{
    bindings::BPF_NOEXIST,
    helpers::{
        bpf_get_current_comm, bpf_get_current_pid_tgid, bpf_get_current_task,
        bpf_get_smp_processor_id, bpf_ktime_get_ns,
    },
};
use core::{
    cell::UnsafeCell,
    ptr::{read_volatile, write_volatile},
};
use profiler_common::{
    config::filter,
    loss::Loss,
    thread::{ThreadId, ThreadInfo, ThreadState, born_at, state},
    window::{WindowState, open},
};

use crate::{
    config::config,
    losses,
    maps::{CPUS, THREAD_INFO, THREADS},
};

/// Two words that programs on all CPUs read and that few write.
#[repr(transparent)]
struct Shared(UnsafeCell<WindowState>);

impl Shared {
    #[inline(always)]
    fn epoch(&self) -> *mut u64 {
        self.0.get().cast()
    }

    #[inline(always)]
    fn open(&self) -> *const u64 {
        self.epoch().wrapping_add(1)
    }
}

// SAFETY: only whole aligned words are loaded and stored, which the machine
// does in one piece, and no order between them is relied upon.
unsafe impl Sync for Shared {}

/// See [`WindowState`]. The profiler opens and closes the window by writing it.
#[unsafe(no_mangle)]
static WINDOW: Shared = Shared(UnsafeCell::new(WindowState { epoch: 0, open: 0 }));

/// The epoch now.
#[inline(always)]
pub fn epoch() -> u32 {
    // SAFETY: the static's own memory; see `Shared` for who else writes it.
    let epoch = unsafe { read_volatile(WINDOW.epoch()) };
    epoch as u32
}

/// Begins a new epoch. A time stamp serves: two threads that end at once may
/// both store, and either value differs from all before.
#[inline(always)]
pub fn begin_epoch(now_ns: u64) {
    // SAFETY: the static's own memory; see `Shared` for who else writes it.
    unsafe { write_volatile(WINDOW.epoch(), now_ns) };
}

/// The window's bits.
#[inline(always)]
pub fn window() -> u64 {
    // SAFETY: the static's own memory; see `Shared` for who else writes it.
    unsafe { read_volatile(WINDOW.open()) }
}

/// Whether anything is being counted at all.
#[inline(always)]
pub fn is_open() -> bool {
    window() != 0
}

/// Whether the end of a killed thread stands for the return that it never made.
#[inline(always)]
pub fn counts_killed() -> bool {
    window() & open::COUNT_KILLED != 0
}

/// The number of the thread running now, as the initial pid namespace counts.
#[inline(always)]
pub fn current_tid() -> u32 {
    bpf_get_current_pid_tgid() as u32
}

/// The incarnation of the current thread if its entries are being counted.
#[inline(always)]
pub fn counted() -> Option<u32> {
    if !is_open() {
        return None;
    }
    if config!(filter) == filter::CPUS {
        return born_on_cpu(bpf_get_current_pid_tgid());
    }
    followed()
}

/// The current thread's row. Not one that another thread of its number has left
/// behind.
#[inline(always)]
pub fn row() -> Option<*mut ThreadState> {
    let row = THREADS.get_ptr_mut(current_tid())?;
    // SAFETY: takes nothing and always returns the current task.
    let task = unsafe { bpf_get_current_task() };
    // SAFETY: a row just looked up; only its own thread writes this word.
    let known = unsafe { &mut (*row).task };
    if *known == 0 {
        *known = task;
    }
    (*known == task).then_some(row)
}

/// The incarnation of the current thread if it is in the thread table, whether
/// or not the window is open.
#[inline(always)]
pub fn followed() -> Option<u32> {
    // SAFETY: a row just looked up; its words are read in one piece each.
    let thread = unsafe { *row()? };
    state::is_counted(thread.state).then_some(thread.born)
}

/// Whether the return that the current thread makes now stands for its first one,
/// which nobody has seen.
#[inline(always)]
pub fn takes_first_return() -> bool {
    let Some(row) = row() else {
        return false;
    };
    // SAFETY: a row just looked up, of the current thread.
    let now = unsafe { &mut (*row).state };
    let takes = *now == state::FIRST_RETURN;
    if takes {
        *now = state::COUNTED;
    }
    takes
}

/// The incarnation of any thread that is being measured, running or about to
/// run on a CPU; whether or not the window is open.
#[inline(always)]
pub fn born_of(tid: u32, tgid: u32, cpu: u32) -> Option<u32> {
    let known = THREADS.get_ptr(tid);
    if config!(filter) == filter::CPUS {
        let measured = CPUS.get(cpu).is_some_and(|flag| *flag != 0);
        if !measured || tid == 0 || tgid == config!(own_tgid) {
            return None;
        }
        let Some(thread) = known else {
            return Some(0);
        };
        // SAFETY: a row just looked up.
        return Some(unsafe { (*thread).born });
    }
    let thread = known?;
    // SAFETY: a row just looked up; its words are read in one piece each.
    let thread = unsafe { *thread };
    state::is_counted(thread.state).then_some(thread.born)
}

/// Whether a thread is the kernel's own, and works for a measured process.
#[inline(always)]
pub fn is_worker(tid: u32, tgid: u32, cpu: u32) -> bool {
    if config!(filter) == filter::CPUS {
        return born_of(tgid, tgid, cpu).is_some();
    }
    // SAFETY: a row just looked up.
    THREADS
        .get_ptr(tid)
        .is_some_and(|row| unsafe { (*row).state } == state::WORKER)
}

/// Whether the current thread, or the process for which it works, is counted.
#[inline(always)]
pub fn is_open_for_process() -> bool {
    if !is_open() {
        return false;
    }
    // SAFETY: a row just looked up.
    let state = |row: *mut ThreadState| unsafe { (*row).state };
    config!(filter) == filter::CPUS
        || row()
            .map(state)
            .is_some_and(|now| state::is_counted(now) || now == state::WORKER)
}

/// With a CPU filter, threads are taken down as they are met.
#[inline(always)]
fn born_on_cpu(pid_tgid: u64) -> Option<u32> {
    // SAFETY: takes nothing; the program cannot migrate.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    let measured = CPUS.get(cpu).is_some_and(|flag| *flag != 0);
    let tgid = (pid_tgid >> 32) as u32;
    if !measured || tgid == config!(own_tgid) {
        return None;
    }
    if let Some(thread) = row() {
        // SAFETY: a row just looked up.
        return Some(unsafe { (*thread).born });
    }
    // SAFETY: takes nothing and always returns the current task.
    let task = unsafe { bpf_get_current_task() };
    follow(task, pid_tgid as u32, tgid, 0, state::COUNTED)
}

/// Follows a thread. Its incarnation, or none if there was no room.
#[inline(always)]
pub fn follow(task: u64, tid: u32, tgid: u32, parent_tid: u32, state: u32) -> Option<u32> {
    // SAFETY: takes nothing.
    let now_ns = unsafe { bpf_ktime_get_ns() };
    let born = born_at(now_ns);
    let thread = ThreadState {
        task,
        born,
        state,
        seen: 0,
    };
    if THREADS.insert(tid, thread, 0).is_err() {
        losses::note(Loss::ThreadTableFull, 1);
        return None;
    }
    if state == state::WORKER {
        return Some(born);
    }
    let info = ThreadInfo {
        started_ns: now_ns,
        ended_ns: 0,
        tgid,
        parent_tid,
        comm: bpf_get_current_comm().unwrap_or_default(),
    };
    let id = ThreadId { tid, born };
    if THREAD_INFO
        .insert(id, info, u64::from(BPF_NOEXIST))
        .is_err()
    {
        losses::note(Loss::ThreadInfoFull, 1);
    }
    Some(born)
}
