//! What was kept of page faults: mappings, pages, and how many were major.

use std::collections::BTreeMap;

use anyhow::Result;
use profiler_common::{
    fault::{MappingInfo, MappingKey, PageKey, page},
    names::map,
};
use serde::{Deserialize, Serialize};

use super::{
    bpf_maps::hash,
    counts::without_major,
    numa_hints::{self, NumaHints},
};
use crate::{
    gap::Unavailable,
    probe::{session::Session, settings::FaultLevel},
    sys::fault_counters::FaultCounts,
};

/// A mapping that had page faults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// Which it is.
    pub id: MappingId,
    /// First address, the lowest seen.
    pub start: u64,
    /// First address behind it, the highest seen.
    pub end: u64,
    /// The file's offset at `start`, in pages.
    pub file_pages: u64,
    /// The file's inode, or 0.
    pub inode: u64,
    /// The file's device as the kernel writes it, or 0.
    pub device: u32,
    /// A `MappingClass` code.
    pub class: u8,
    /// The file's own name, without its folder. Empty if there is none.
    pub name: String,
}

/// Which mapping it is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct MappingId {
    /// The process.
    pub tgid: u32,
    /// Which of its address spaces.
    pub space: u32,
    /// Which mapping there.
    pub id: u64,
}

/// Page faults on one page, of one kind and in one phase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageFaults {
    /// The mapping.
    pub mapping: MappingId,
    /// The page's address, or 0: of those pages that there was no room to name.
    pub page: u64,
    /// A `FaultKind` code.
    pub kind: u8,
    /// The phase.
    pub phase: u16,
    /// Whether they had to be waited for.
    pub is_major: bool,
    /// How many.
    pub count: u64,
}

/// All that was kept of page faults, besides the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRecord {
    /// How far they were looked into: `count`, `kind` or `pages`.
    pub level: String,
    /// Mappings.
    pub mappings: Vec<Mapping>,
    /// Pages.
    pub pages: Vec<PageFaults>,
    /// What the kernel's own counters say, where they could be set up.
    pub counters: Option<FaultCounts>,
    /// What could not be told, and why.
    pub unavailable: Vec<Unavailable>,
    /// NUMA-hint faults of all the machine, where pages are balanced.
    #[serde(default)]
    pub numa_hints: Option<NumaHints>,
}

/// Reads it all out, beside what the kernel has counted: of the command's faults,
/// and of the machine's NUMA-hint faults.
///
/// # Errors
/// If a map cannot be read.
pub fn record(
    session: &mut Session,
    level: FaultLevel,
    counters: Option<FaultCounts>,
    machine_hints: Option<u64>,
) -> Result<FaultRecord> {
    let mut record = FaultRecord {
        level: level.name().to_owned(),
        counters,
        unavailable: session.unavailable.clone(),
        numa_hints: machine_hints
            .map(|machine| numa_hints::of(session, machine))
            .transpose()?,
        ..FaultRecord::default()
    };
    let ebpf = session.ebpf();
    if level == FaultLevel::Pages {
        let mappings = hash::<MappingKey, MappingInfo>(ebpf, map::MAPPINGS)?;
        record.mappings = mappings
            .iter()
            .map(|(key, info)| mapping(key, info))
            .collect();
        record.mappings.sort_by_key(|mapping| mapping.id);
        let mut counts: BTreeMap<PageKey, u64> = hash(ebpf, map::PAGES)?.into_iter().collect();
        counts.extend(hash::<PageKey, u64>(ebpf, map::UNPAGED)?);
        without_major(&mut counts, |key| {
            let is_major = key.page & page::MAJOR != 0;
            is_major.then_some(PageKey {
                page: key.page & !page::MAJOR,
                ..*key
            })
        });
        record.pages = counts
            .iter()
            .map(|(key, &count)| faults(key, count))
            .collect();
    }
    Ok(record)
}

fn mapping_id(key: &MappingKey) -> MappingId {
    MappingId {
        tgid: key.tgid,
        space: key.space,
        id: key.id,
    }
}

fn mapping(key: &MappingKey, info: &MappingInfo) -> Mapping {
    let length = info.name.iter().position(|&byte| byte == 0);
    let name = &info.name[..length.unwrap_or(info.name.len())];
    Mapping {
        id: mapping_id(key),
        start: info.start,
        end: info.end,
        file_pages: info.file_pages,
        inode: info.inode,
        device: info.device,
        class: u8::try_from(info.class).unwrap_or_default(),
        name: String::from_utf8_lossy(name).into_owned(),
    }
}

fn faults(key: &PageKey, count: u64) -> PageFaults {
    let bits = |value: u64| u16::try_from(value).unwrap_or_default();
    PageFaults {
        mapping: mapping_id(&key.mapping),
        page: key.page & page::ADDRESS,
        kind: u8::try_from(key.page & page::KIND).unwrap_or_default(),
        phase: bits(key.page >> page::PHASE_SHIFT & page::PHASE),
        is_major: key.page & page::MAJOR != 0,
        count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each fault ends up in one row, and a mark that has lost its row adds none.
    #[test]
    fn major_faults_are_counted_once() {
        let mut counts = BTreeMap::from([(1, 10), (101, 4), (102, 3), (103, 2), (3, 2)]);
        without_major(&mut counts, |&key| (key > 100).then(|| key - 100));
        assert_eq!(counts, BTreeMap::from([(1, 6), (101, 4), (103, 2)]));
    }
}
