//! The thread table: who is followed, and what is known of them.

use std::{collections::BTreeSet, io::ErrorKind};

use anyhow::{Context, Result, ensure};
use aya::{
    Ebpf,
    maps::{Array, HashMap, MapData, MapError},
};
use aya_obj::generated::BPF_NOEXIST;
use nix::unistd::Pid;
use profiler_common::{
    names::map,
    thread::{ThreadId, ThreadInfo, ThreadState, born_at, state},
    window::WindowState,
};
use serde::{Deserialize, Serialize};

use super::bpf_maps::{find, hash};
use crate::sys::{monotonic_ns, proc, process_of};

/// One thread that was followed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// The thread.
    pub tid: u32,
    /// Which thread of that number it is.
    pub generation: u32,
    /// Its process.
    pub tgid: u32,
    /// Who created it, or 0 where that is not known.
    pub parent_tid: u32,
    /// Its name at its end, or now.
    pub comm: String,
    /// When it was first followed, by `CLOCK_MONOTONIC`.
    pub started_ns: u64,
    /// When it ended, or 0.
    pub ended_ns: u64,
}

/// Puts a thread into the table, unless it is in it. `state` is one of
/// [`profiler_common::thread::state`]. The row made.
///
/// # Errors
/// If the table cannot be written.
pub fn follow(ebpf: &mut Ebpf, tid: u32, tgid: u32, state: u32) -> Result<Option<ThreadId>> {
    let now_ns = monotonic_ns();
    let id = ThreadId {
        tid,
        born: born_at(now_ns),
    };
    let thread = ThreadState {
        task: 0,
        born: id.born,
        state,
        seen: 0,
    };
    match table(ebpf)?.insert(tid, thread, u64::from(BPF_NOEXIST)) {
        Ok(()) => {}
        Err(MapError::SyscallError(error)) if error.io_error.kind() == ErrorKind::AlreadyExists => {
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    }
    let info = ThreadInfo {
        started_ns: now_ns,
        ended_ns: 0,
        tgid,
        parent_tid: 0,
        comm: comm_bytes(&comm_of(tgid, tid)),
    };
    descriptions(ebpf)?.insert(id, info, 0)?;
    Ok(Some(id))
}

/// Takes a thread that has ended out of the table again.
fn forget(ebpf: &mut Ebpf, id: ThreadId) -> Result<()> {
    descriptions(ebpf)?.remove(&id)?;
    let mut table = table(ebpf)?;
    // Unless the programs have seen its end, and perhaps another's beginning.
    let is_there = table.get(&id.tid, 0).is_ok_and(|row| row.born == id.born);
    if is_there {
        table.remove(&id.tid)?;
    }
    Ok(())
}

/// The thread table.
fn table(ebpf: &mut Ebpf) -> Result<HashMap<&mut MapData, u32, ThreadState>> {
    let table = ebpf.map_mut(map::THREADS).context("no thread table")?;
    Ok(HashMap::try_from(table)?)
}

/// The table of what is known of threads.
fn descriptions(ebpf: &mut Ebpf) -> Result<HashMap<&mut MapData, ThreadId, ThreadInfo>> {
    let name = map::THREAD_INFO;
    let table = ebpf.map_mut(name).context("no description table")?;
    Ok(HashMap::try_from(table)?)
}

/// Counts a followed thread no more, until [`resume`].
///
/// # Errors
/// If it is not followed.
pub fn suspend(ebpf: &mut Ebpf, tid: u32) -> Result<()> {
    let mut table = table(ebpf)?;
    let row = table.get(&tid, 0)?;
    ensure!(state::is_counted(row.state), "it is not being counted");
    let state = state::SUSPENDED;
    table.insert(tid, ThreadState { state, ..row }, 0)?;
    // The caches still believe that it is counted.
    begin_epoch(ebpf)
}

/// Counts a suspended thread again, from a return on that stands for its first one if
/// it `was_born` when it was suspended.
///
/// # Errors
/// If it is gone. Whoever has its number now was never suspended.
pub fn resume(ebpf: &mut Ebpf, tid: u32, was_born: bool) -> Result<()> {
    let mut table = table(ebpf)?;
    let row = table.get(&tid, 0)?;
    ensure!(row.state == state::SUSPENDED, "it is another one");
    let state = if was_born {
        state::FIRST_RETURN
    } else {
        state::COUNTED
    };
    Ok(table.insert(tid, ThreadState { state, ..row }, 0)?)
}

/// Has everything asked anew that is known of threads.
fn begin_epoch(ebpf: &mut Ebpf) -> Result<()> {
    let variables = ebpf.map_mut(map::VARIABLES).context("no variables")?;
    let mut variables = Array::<_, WindowState>::try_from(variables)?;
    let window = variables.get(&0, 0)?;
    let epoch = monotonic_ns();
    Ok(variables.set(0, WindowState { epoch, ..window }, 0)?)
}

/// Follows every thread of a running process. Threads that it creates in the
/// meantime are followed by the programs, once their creator is; so the list is
/// read again until it holds none that nobody follows.
///
/// A thread can end between being listed and being followed: nobody would see it
/// end then. One that is still there afterwards will be seen.
///
/// # Errors
/// If there is no such process.
pub fn follow_process(ebpf: &mut Ebpf, pid: Pid) -> Result<()> {
    let tgid = pid.as_raw().unsigned_abs();
    let mut dead = BTreeSet::new();
    loop {
        let known = alive(ebpf);
        let mut is_complete = true;
        for entry in std::fs::read_dir(format!("/proc/{tgid}/task"))? {
            let Ok(tid) = entry?.file_name().to_string_lossy().parse::<u32>() else {
                continue;
            };
            if known.contains(&tid) || dead.contains(&tid) {
                continue;
            }
            // One that was born since the table was read is followed already.
            let Some(id) = follow(ebpf, tid, tgid, state::COUNTED)? else {
                continue;
            };
            if process_of(tid) == Some(tgid) {
                is_complete = false;
            } else {
                forget(ebpf, id)?;
                dead.insert(tid);
            }
        }
        if is_complete {
            return Ok(());
        }
    }
}

/// Numbers of the threads being followed now.
pub fn alive(ebpf: &Ebpf) -> Vec<u32> {
    let Ok(map) = find(ebpf, map::THREADS) else {
        return Vec::new();
    };
    let Ok(table) = HashMap::<_, u32, ThreadState>::try_from(map) else {
        return Vec::new();
    };
    table.keys().filter_map(Result::ok).collect()
}

/// What is known of every thread that was followed.
///
/// # Errors
/// If the table cannot be read.
pub fn all(ebpf: &Ebpf) -> Result<Vec<Thread>> {
    let mut threads: Vec<Thread> = hash::<ThreadId, ThreadInfo>(ebpf, map::THREAD_INFO)?
        .into_iter()
        .map(|(id, info)| Thread {
            tid: id.tid,
            generation: id.born,
            tgid: info.tgid,
            parent_tid: info.parent_tid,
            comm: name_now(id.tid, &info),
            started_ns: info.started_ns,
            ended_ns: info.ended_ns,
        })
        .collect();
    threads.sort_by_key(|thread| (thread.started_ns, thread.tid));
    Ok(threads)
}

/// The name a thread has now, or had when it ended.
fn name_now(tid: u32, info: &ThreadInfo) -> String {
    if info.ended_ns == 0 {
        let now = comm_of(info.tgid, tid);
        if !now.is_empty() {
            return now;
        }
    }
    let length = info
        .comm
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(info.comm.len());
    String::from_utf8_lossy(&info.comm[..length]).into_owned()
}

/// A living thread's name.
fn comm_of(tgid: u32, tid: u32) -> String {
    proc::text(format!("/proc/{tgid}/task/{tid}/comm"))
        .map(|name| name.trim_end().to_owned())
        .unwrap_or_default()
}

/// A name as the kernel stores it.
fn comm_bytes(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().take(15).zip(name.bytes()) {
        *to = from;
    }
    bytes
}
