//! What else measured CPUs did, as the programs keep it.

use std::collections::BTreeMap;

use anyhow::Result;
use aya::Ebpf;
use profiler_common::{
    disturbance::{DisturbanceKey, DisturbanceTime},
    names::map,
};
use serde::{Deserialize, Serialize};

use super::bpf_maps::{hash, text};

/// What one disturber did to one thread on one CPU.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisturbanceRow {
    /// The CPU.
    pub cpu: u32,
    /// The thread disturbed.
    pub tid: u32,
    /// Its name, if it is a submission thread: those are in no other table.
    pub thread: String,
    /// A `Disturber` code.
    pub what: u32,
    /// IRQ number, softirq number or vector's code, by `what`.
    pub detail: u32,
    /// Name of the task that ran instead, if it was one.
    pub comm: String,
    /// Times.
    pub count: u64,
    /// Sum of their lengths.
    pub total_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

/// What else measured CPUs did.
///
/// # Errors
/// If the map cannot be read.
pub fn rows(ebpf: &Ebpf) -> Result<Vec<DisturbanceRow>> {
    let mut rows: Vec<(DisturbanceKey, DisturbanceTime)> = hash(ebpf, map::DISTURBANCES)?;
    rows.sort_unstable_by_key(|(key, _)| *key);
    let names: BTreeMap<u32, [u8; 16]> = hash(ebpf, map::SQ_THREADS)?.into_iter().collect();
    Ok(rows
        .into_iter()
        .map(|(key, time)| DisturbanceRow {
            cpu: key.cpu,
            tid: key.tid,
            thread: names.get(&key.tid).map_or_else(String::new, text),
            what: key.what,
            detail: key.detail,
            comm: text(&key.comm),
            count: time.count,
            total_ns: time.total_ns,
            max_ns: time.max_ns,
        })
        .collect())
}
