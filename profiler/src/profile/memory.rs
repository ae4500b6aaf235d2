//! Page faults by what memory they hit. Pure.

use std::{cmp::Reverse, collections::BTreeMap};

use profiler_common::{
    cause::CauseKind,
    fault::{FaultKind, MappingClass},
    loss::Loss,
};

use super::{
    allocation, fault_checks,
    ledger::{as_float, phase_name},
    mapping_site,
    model::{Ledger, MappingRow, Memory},
};
use crate::{
    classify::fault,
    collect::{
        faults::{Mapping, MappingId, PageFaults},
        snapshot::Snapshot,
    },
    gap::{Gap, Unavailable},
    probe::settings::FaultLevel,
    symbolize::measurement::Measurement,
};

/// Page faults by kind and by mapping.
#[must_use]
pub fn of(measurement: &Measurement, ledger: &Ledger) -> Memory {
    let faults = ledger
        .by_cause
        .iter()
        .filter(|row| row.cause == CauseKind::PageFault);
    Memory {
        faults_by_kind: faults.map(|row| (row.detail.clone(), row.count)).collect(),
        by_mapping: by_mapping(measurement, ledger),
        allocations: allocation::sites(measurement),
        process: measurement.snapshot.run.memory,
    }
}

/// What is not known of page faults, and why.
pub(super) fn unavailable(snapshot: &Snapshot) -> Vec<Unavailable> {
    let mut list = Vec::new();
    if snapshot.faults.level == FaultLevel::Count.name() {
        list.push(Unavailable::new(
            Gap::FaultKindAndMapping,
            "not asked for: use `--faults kind` or `--faults pages`",
        ));
    } else if snapshot.faults.level == FaultLevel::Kind.name() {
        list.push(Unavailable::new(
            Gap::FaultMapping,
            "not asked for: use `--faults pages`",
        ));
    }
    list.extend(snapshot.faults.unavailable.iter().cloned());
    let lost = |loss: Loss| {
        snapshot
            .counts
            .losses
            .get(loss.name())
            .copied()
            .unwrap_or(0)
    };
    let unpaged = lost(Loss::PageTableFull);
    if unpaged != 0 {
        list.push(Unavailable::new(
            Gap::FaultPages,
            format!(
                "there was no room for those of {unpaged}, which are counted by mapping: distinct \
                 pages are a lower bound there; `--fault-pages` makes more room"
            ),
        ));
    }
    list
}

/// One or several mappings that are shown as one.
struct Group<'a> {
    tgid: u32,
    class: MappingClass,
    start: u64,
    end: u64,
    bytes: u64,
    name: &'a str,
    tally: Tally,
}

/// Faults of a group.
#[derive(Default)]
struct Tally {
    faults: u64,
    named: u64,
    /// Faults by page.
    pages: BTreeMap<u64, u64>,
    by_kind: BTreeMap<String, u64>,
    phases: BTreeMap<String, u64>,
}

impl Tally {
    fn add(&mut self, faults: &PageFaults, phase: String) {
        let kind = fault::settle(faults.kind, faults.is_major).name();
        self.faults += faults.count;
        if faults.page != 0 {
            self.named += faults.count;
            *self.pages.entry(faults.page).or_default() += faults.count;
        }
        *self.by_kind.entry(kind.to_owned()).or_default() += faults.count;
        *self.phases.entry(phase).or_default() += faults.count;
    }
}

fn by_mapping(measurement: &Measurement, ledger: &Ledger) -> Vec<MappingRow> {
    let snapshot = &measurement.snapshot;
    if snapshot.faults.level != FaultLevel::Pages.name() {
        return Vec::new();
    }
    let (mut groups, group_of) = group(&snapshot.faults.mappings);
    let mut others: BTreeMap<(u32, MappingClass), Tally> = BTreeMap::new();
    for faults in &snapshot.faults.pages {
        let phase = phase_name(snapshot, faults.phase);
        let id = faults.mapping;
        if let Some(&index) = group_of.get(&id) {
            groups[index].tally.add(faults, phase);
            continue;
        }
        // The programs name what is no mapping by its class alone.
        let class = u8::try_from(id.id).ok().and_then(MappingClass::from_code);
        let class = class.unwrap_or_default();
        let other = others.entry((id.tgid, class)).or_default();
        other.add(faults, phase);
    }
    let mut rows: Vec<(MappingRow, Vec<(u64, u64)>)> = groups
        .into_iter()
        .filter(|group| group.tally.faults != 0)
        .map(|group| {
            let place = (group.class, group.tgid);
            let start = Some(format!("{:#x}", group.start));
            let pages = mapping_site::sample(&group.tally.pages);
            let row = row(place, group.bytes, group.name, start, group.tally);
            (row, pages)
        })
        .collect();
    rows.extend(
        others
            .into_iter()
            .map(|((tgid, class), tally)| (row((class, tgid), 0, "", None, tally), Vec::new())),
    );
    rows.sort_by_key(|(row, _)| Reverse(row.faults));
    let makers = allocation::Makers::of(measurement);
    for (row, pages) in rows.iter_mut().take(mapping_site::MOST_ROWS) {
        mapping_site::name(&makers, row, pages);
    }
    let mut rows: Vec<MappingRow> = rows.into_iter().map(|(row, _)| row).collect();
    rows.extend(remainder(ledger, &rows));
    rows.sort_by_key(|row| Reverse(row.faults));
    rows
}

/// What the ledger has and no mapping: of this it is not known where it was.
fn remainder(ledger: &Ledger, rows: &[MappingRow]) -> Option<MappingRow> {
    let known: u64 = rows.iter().map(|row| row.faults).sum();
    let faults = fault_checks::total(ledger).checked_sub(known)?;
    (faults != 0).then(|| MappingRow {
        kind: MappingClass::Unknown.name().to_owned(),
        faults,
        pages_are_lower_bound: true,
        by_kind: BTreeMap::from([(FaultKind::Unknown.name().to_owned(), faults)]),
        ..MappingRow::default()
    })
}

fn row(
    (class, tgid): (MappingClass, u32),
    bytes: u64,
    name: &str,
    start: Option<String>,
    tally: Tally,
) -> MappingRow {
    let distinct_pages = tally.pages.len() as u64;
    MappingRow {
        kind: class.name().to_owned(),
        bytes,
        path: (class == MappingClass::File && !name.is_empty()).then(|| name.to_owned()),
        allocated_at: None,
        allocation_stack: None,
        faults: tally.faults,
        distinct_pages,
        pages_are_lower_bound: tally.named != tally.faults,
        faults_per_page: (distinct_pages != 0)
            .then(|| as_float(tally.named) / as_float(distinct_pages)),
        start,
        tgid,
        by_kind: tally.by_kind,
        phases: tally.phases,
    }
}

/// What makes mappings of one address space candidates for being one.
type Likeness<'a> = (u32, u32, u8, u32, u64, &'a str);

/// Puts together what is one to people: all parts of a file in a process, and
/// what a mapping was before and after it grew.
fn group(mappings: &[Mapping]) -> (Vec<Group<'_>>, BTreeMap<MappingId, usize>) {
    let mut alike: BTreeMap<Likeness<'_>, Vec<&Mapping>> = BTreeMap::new();
    for mapping in mappings {
        let Mapping { id, class, .. } = mapping;
        let likeness = (
            id.tgid,
            id.space,
            *class,
            mapping.device,
            mapping.inode,
            mapping.name.as_str(),
        );
        alike.entry(likeness).or_default().push(mapping);
    }
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut group_of = BTreeMap::new();
    for ((tgid, _, class, _, _, name), mut members) in alike {
        let class = MappingClass::from_code(class).unwrap_or_default();
        members.sort_by_key(|mapping| mapping.start);
        let first_group = groups.len();
        for mapping in members {
            let last = groups.len();
            let open = groups[first_group..].last_mut();
            let joins =
                open.filter(|group| class == MappingClass::File || mapping.start < group.end);
            if let Some(group) = joins {
                // What overlaps has been counted already.
                let news = mapping.end.saturating_sub(mapping.start.max(group.end));
                group.bytes += news;
                group.end = group.end.max(mapping.end);
                group_of.insert(mapping.id, last - 1);
                continue;
            }
            group_of.insert(mapping.id, last);
            groups.push(Group {
                tgid,
                class,
                start: mapping.start,
                end: mapping.end,
                bytes: mapping.end - mapping.start,
                name,
                tally: Tally::default(),
            });
        }
    }
    (groups, group_of)
}

#[cfg(test)]
mod tests {
    use profiler_common::fault::detail;

    use super::*;
    use crate::{collect::row::Row, profile::build};

    fn mapping(id: u64, class: MappingClass, start: u64, end: u64, inode: u64) -> Mapping {
        Mapping {
            id: MappingId {
                tgid: 1,
                space: 1,
                id,
            },
            start,
            end,
            inode,
            class: class.code(),
            name: if inode == 0 { "" } else { "lib.so" }.to_owned(),
            ..Mapping::default()
        }
    }

    fn faults(id: u64, page: u64, kind: FaultKind, count: u64) -> PageFaults {
        PageFaults {
            mapping: MappingId {
                tgid: 1,
                space: 1,
                id,
            },
            page,
            kind: kind.code(),
            count,
            ..PageFaults::default()
        }
    }

    fn snapshot(mappings: Vec<Mapping>, pages: Vec<PageFaults>, total: u64) -> Measurement {
        let mut snapshot = Snapshot::default();
        snapshot.counts.rows = vec![Row {
            kind: CauseKind::PageFault.code(),
            detail: detail::of(6, FaultKind::FirstTouch.code()),
            count: total,
            ..Row::default()
        }];
        snapshot.faults.level = FaultLevel::Pages.name().to_owned();
        snapshot.faults.mappings = mappings;
        snapshot.faults.pages = pages;
        snapshot.into()
    }

    /// A mapping that has grown is one, with each page once; another one beside
    /// it remains another one.
    #[test]
    fn a_grown_mapping_is_one() {
        use MappingClass::Anonymous;
        let mappings = vec![
            mapping(100, Anonymous, 0x5000, 0x9000, 0),
            mapping(101, Anonymous, 0x3000, 0x9000, 0),
            mapping(102, Anonymous, 0x9000, 0xa000, 0),
        ];
        let pages = vec![
            faults(100, 0x8000, FaultKind::FirstTouch, 1),
            faults(101, 0x8000, FaultKind::CopyOnWrite, 2),
            faults(101, 0x3000, FaultKind::FirstTouch, 1),
            faults(102, 0x9000, FaultKind::FirstTouch, 1),
        ];
        let memory = build::profile(&snapshot(mappings, pages, 5)).memory;
        let [grown, beside] = &memory.by_mapping[..] else {
            panic!("{:?}", memory.by_mapping);
        };
        assert_eq!((grown.faults, grown.distinct_pages), (4, 2));
        assert_eq!(grown.bytes, 0x6000);
        assert_eq!(grown.faults_per_page, Some(2.0));
        assert_eq!(grown.by_kind["copy_on_write"], 2);
        assert_eq!((beside.faults, beside.bytes), (1, 0x1000));
    }

    /// All parts of a file are one, and their sizes add up.
    #[test]
    fn parts_of_a_file_are_one() {
        use MappingClass::File;
        let mappings = vec![
            mapping(100, File, 0x1000, 0x3000, 7),
            mapping(101, File, 0x8000, 0x9000, 7),
        ];
        let pages = vec![
            faults(100, 0x1000, FaultKind::FileMinor, 1),
            faults(101, 0x8000, FaultKind::CopyOnWrite, 1),
        ];
        let memory = build::profile(&snapshot(mappings, pages, 2)).memory;
        assert_eq!(memory.by_mapping.len(), 1);
        let row = &memory.by_mapping[0];
        assert_eq!((row.bytes, row.faults), (0x3000, 2));
        assert_eq!(row.path.as_deref(), Some("lib.so"));
    }

    /// Faults without a page, a mapping or either are in the sum all the same.
    #[test]
    fn nothing_is_left_out_of_the_sum() {
        let none = u64::from(MappingClass::None.code());
        let mappings = vec![mapping(100, MappingClass::Heap, 0x1000, 0x9000, 0)];
        let pages = vec![
            faults(100, 0x1000, FaultKind::FirstTouch, 1),
            faults(100, 0, FaultKind::FirstTouch, 4),
            faults(none, 0x100, FaultKind::Protection, 1),
            faults(12345, 0x2000, FaultKind::FirstTouch, 1),
        ];
        let memory = build::profile(&snapshot(mappings, pages, 10)).memory;
        let sum: u64 = memory.by_mapping.iter().map(|row| row.faults).sum();
        assert_eq!(sum, 10);
        let heap = memory.by_mapping.iter().find(|row| row.kind == "heap");
        let heap = heap.expect("the heap is listed");
        assert_eq!((heap.faults, heap.distinct_pages), (5, 1));
        assert!(heap.pages_are_lower_bound);
        assert!(memory.by_mapping.iter().any(|row| row.kind == "none"));
    }
}
