//! The thread table: who is followed, and what is known of them.

use anyhow::{Context, Result};
use aya::{Ebpf, maps::HashMap};
use nix::unistd::Pid;
use profiler_common::{
    names::map,
    thread::{ThreadId, ThreadInfo, ThreadState, born_at, state},
};

use super::{
    maps::{find, hash},
    snapshot::Thread,
};
use crate::sys::monotonic_ns;

/// Puts a thread into the table. `state` is one of [`profiler_common::thread::state`].
///
/// # Errors
/// If the table cannot be written.
pub fn follow(ebpf: &mut Ebpf, tid: u32, tgid: u32, state: u32) -> Result<()> {
    let now_ns = monotonic_ns();
    let born = born_at(now_ns);
    let info = ThreadInfo {
        started_ns: now_ns,
        ended_ns: 0,
        tgid,
        parent_tid: 0,
        comm: comm_bytes(&comm_of(tgid, tid)),
    };
    let table = ebpf
        .map_mut(map::THREAD_INFO)
        .context("no description table")?;
    HashMap::<_, ThreadId, ThreadInfo>::try_from(table)?.insert(ThreadId { tid, born }, info, 0)?;
    let table = ebpf.map_mut(map::THREADS).context("no thread table")?;
    HashMap::<_, u32, ThreadState>::try_from(table)?.insert(tid, ThreadState { born, state }, 0)?;
    Ok(())
}

/// Changes whether a followed thread is counted, and nothing else of it.
///
/// # Errors
/// If it is not followed.
pub fn set_state(ebpf: &mut Ebpf, tid: u32, state: u32) -> Result<()> {
    let table = ebpf.map_mut(map::THREADS).context("no thread table")?;
    let mut table = HashMap::<_, u32, ThreadState>::try_from(table)?;
    let ThreadState { born, .. } = table.get(&tid, 0)?;
    Ok(table.insert(tid, ThreadState { born, state }, 0)?)
}

/// Follows every thread of a running process. Threads that it creates in the
/// meantime are followed by the programs, once their creator is; so the list is
/// read again until it holds nothing new.
///
/// # Errors
/// If there is no such process.
pub fn follow_process(ebpf: &mut Ebpf, pid: Pid) -> Result<()> {
    let tgid = pid.as_raw().unsigned_abs();
    loop {
        let known = alive(ebpf);
        let mut news = 0;
        for entry in std::fs::read_dir(format!("/proc/{tgid}/task"))? {
            let Ok(tid) = entry?.file_name().to_string_lossy().parse::<u32>() else {
                continue;
            };
            if !known.contains(&tid) {
                follow(ebpf, tid, tgid, state::COUNTED)?;
                news += 1;
            }
        }
        if news == 0 {
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
            born: id.born,
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
    std::fs::read_to_string(format!("/proc/{tgid}/task/{tid}/comm"))
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
