//! Page faults by the memory that they hit.

use profiler_common::cause::CauseKind;

use crate::{
    profile::{
        merge::programs::{self, By, Owned},
        model::{CauseRow, MappingRow, Profile},
    },
    report::{
        units::{bytes, count, rate, share},
        view::{Block, Cell, Kind, List, Scope, Section, Table, column},
    },
};

/// The section, if there were page faults or allocations.
pub(super) fn section(profile: &Profile, by: By) -> Option<Section> {
    let tables = [
        kinds(profile),
        mappings(profile, by),
        allocations(profile, by),
    ];
    let blocks: Vec<Block> = tables.into_iter().flatten().map(Block::Table).collect();
    blocks.first()?;
    Some(Section::new("memory", "Memory", blocks))
}

fn kinds(profile: &Profile) -> Option<Table> {
    let rows = profile.ledger.by_cause.iter();
    let rows: Vec<&CauseRow> = rows
        .filter(|row| row.cause == CauseKind::PageFault)
        .collect();
    rows.first()?;
    let total = rows.iter().map(|row| row.count).sum();
    let cells = rows.iter().map(|row| {
        let access = |name| count(row.accesses.get(name).copied().unwrap_or(0));
        let cells = [
            row.detail.clone(),
            count(row.count),
            share(row.count, total),
            access("read"),
            access("write"),
            access("exec"),
            row.major.map_or_else(|| "-".to_owned(), count),
        ];
        cells.map(Cell::from).to_vec()
    });
    let numbers = ["count", "share", "read", "write", "exec", "major"];
    let numbers = numbers.map(|name| column(name, Kind::Number));
    Some(Table {
        caption: "Page faults by kind".to_owned(),
        list: List {
            what: "kinds",
            field: "ledger.by_cause",
            usual: usize::MAX,
        },
        columns: [column("page faults", Kind::Name)]
            .into_iter()
            .chain(numbers)
            .collect(),
        heads: 1,
        rows: cells.collect(),
        scope: Scope::Always,
    })
}

fn mappings(profile: &Profile, by: By) -> Option<Table> {
    let rows = programs::mappings(profile, by);
    rows.first()?;
    let cells = rows.iter().map(|Owned { owner, row }| {
        let bound = if row.pages_are_lower_bound {
            "≥ "
        } else {
            ""
        };
        let mostly = row.by_kind.iter().max_by_key(|(_, faults)| **faults);
        let cells = [
            name(row),
            row.allocated_at.clone().unwrap_or_default(),
            owner.clone(),
            mostly.map_or_else(String::new, |(kind, _)| kind.clone()),
            count(row.faults),
            format!("{bound}{}", count(row.distinct_pages)),
            row.faults_per_page.map_or_else(|| "-".to_owned(), rate),
        ];
        cells.map(Cell::from).to_vec()
    });
    Some(Table {
        caption: "Page faults by mapping; pages of 4 KiB that had any".to_owned(),
        list: List {
            what: "mappings",
            field: "memory.by_mapping",
            usual: 12,
        },
        columns: vec![
            column("mapping", Kind::Path),
            column("made by", Kind::Name),
            column("process", Kind::Id),
            column("mostly", Kind::Name),
            column("faults", Kind::Number),
            column("pages", Kind::Number),
            column("per page", Kind::Number),
        ],
        heads: 1,
        rows: cells.collect(),
        scope: Scope::Always,
    })
}

fn allocations(profile: &Profile, by: By) -> Option<Table> {
    let rows = programs::allocations(profile, by);
    rows.first()?;
    let cells = rows.iter().map(|Owned { owner, row }| {
        let cells = [
            row.allocated_at.clone(),
            row.call.clone(),
            owner.clone(),
            count(row.calls),
            bytes(row.bytes),
        ];
        cells.map(Cell::from).to_vec()
    });
    Some(Table {
        caption: "Where the program asked the kernel for memory".to_owned(),
        list: List {
            what: "places",
            field: "memory.allocations",
            usual: 12,
        },
        columns: vec![
            column("code", Kind::Name),
            column("call", Kind::Name),
            column("process", Kind::Id),
            column("calls", Kind::Number),
            column("memory", Kind::Number),
        ],
        heads: 1,
        rows: cells.collect(),
        scope: Scope::Full,
    })
}

/// A mapping as people call it.
fn name(row: &MappingRow) -> String {
    match (row.kind.as_str(), &row.path) {
        ("heap" | "stack", _) => row.kind.clone(),
        // The kernel keeps these segments in a file system of its own.
        ("file", Some(path)) if path.starts_with("/SYSV") || path.starts_with("SYSV") => {
            format!("System V shared memory {}", bytes(row.bytes))
        }
        ("file", Some(path)) => format!("{path} (file)"),
        ("none", _) => "no mapping".to_owned(),
        ("special", _) => "the kernel's own".to_owned(),
        ("unknown", _) => "unknown".to_owned(),
        ("shared_anonymous", _) => format!("shared anonymous {}", bytes(row.bytes)),
        ("hugetlb", _) => format!("huge pages {}", bytes(row.bytes)),
        (kind, _) => format!("{kind} {}", bytes(row.bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files go by their names, other memory by its size.
    #[test]
    fn mappings_have_names() {
        let row = |kind: &str, path: Option<&str>| MappingRow {
            kind: kind.to_owned(),
            path: path.map(str::to_owned),
            bytes: 128 << 20,
            ..MappingRow::default()
        };
        assert_eq!(name(&row("heap", None)), "heap");
        assert_eq!(name(&row("file", Some("libc.so.6"))), "libc.so.6 (file)");
        assert_eq!(name(&row("anonymous", None)), "anonymous 128 MiB");
        let segment = row("file", Some("/SYSV00000000"));
        assert_eq!(name(&segment), "System V shared memory 128 MiB");
    }
}
