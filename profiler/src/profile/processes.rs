//! Processes by name.

use std::collections::BTreeMap;

use super::model::{Profile, ThreadRow};

/// The process of a thread. A thread whose description did not fit stands for
/// itself, as it does in the table by code.
#[must_use]
pub fn of(thread: &ThreadRow) -> u32 {
    if thread.tgid == 0 {
        thread.tid
    } else {
        thread.tgid
    }
}

/// The name of each process: its first thread's, or else one of another thread.
#[must_use]
pub fn names(profile: &Profile) -> BTreeMap<u32, &str> {
    let mut names = BTreeMap::new();
    for thread in &profile.ledger.by_thread {
        let name = names.entry(of(thread)).or_insert("");
        if name.is_empty() || thread.tid == thread.tgid {
            *name = &thread.comm;
        }
    }
    names
}

/// A process as people call it.
#[must_use]
pub fn name(names: &BTreeMap<u32, &str>, tgid: u32) -> String {
    match names.get(&tgid) {
        Some(name) if !name.is_empty() => (*name).to_owned(),
        _ => format!("process {tgid}"),
    }
}
