//! Page faults by what memory they hit, as text.

use std::io::{self, Write};

use profiler_common::cause::CauseKind;

use super::{
    style::Look,
    table,
    text::{heading, more},
    units::{bytes, count, rate, share},
};
use crate::profile::model::{CauseRow, MappingRow, Profile};

/// Mappings shown.
const MAPPINGS: usize = 12;

/// Writes both tables, if there were any page faults.
///
/// # Errors
/// Whatever the output reports.
pub fn write(profile: &Profile, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let kinds: Vec<&CauseRow> = profile
        .ledger
        .by_cause
        .iter()
        .filter(|row| row.cause == CauseKind::PageFault)
        .collect();
    if kinds.is_empty() {
        return Ok(());
    }
    heading("Memory", out)?;
    by_kind(&kinds, look, out)?;
    by_mapping(profile, look, out)
}

fn by_kind(kinds: &[&CauseRow], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let total = kinds.iter().map(|row| row.count).sum();
    let columns = [
        "page faults",
        "count",
        "share",
        "read",
        "write",
        "exec",
        "major",
    ];
    let rows = kinds.iter().map(|row| {
        let access = |name| count(row.accesses.get(name).copied().unwrap_or(0));
        vec![
            row.detail.clone(),
            count(row.count),
            share(row.count, total),
            access("read"),
            access("write"),
            access("exec"),
            row.major.map_or_else(|| "-".to_owned(), count),
        ]
    });
    write!(
        out,
        "{}",
        table::render(&columns.map(str::to_owned), rows, 1, look)
    )
}

fn by_mapping(profile: &Profile, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mappings = &profile.memory.by_mapping;
    if mappings.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let columns = [
        "mapping", "made by", "process", "mostly", "faults", "pages", "per page",
    ];
    let rows = mappings.iter().take(look.rows(MAPPINGS)).map(|row| {
        let bound = if row.pages_are_lower_bound {
            "≥ "
        } else {
            ""
        };
        let mostly = row.by_kind.iter().max_by_key(|(_, faults)| **faults);
        vec![
            name(row),
            row.allocated_at.clone().unwrap_or_default(),
            row.tgid.to_string(),
            mostly.map_or_else(String::new, |(kind, _)| kind.clone()),
            count(row.faults),
            format!("{bound}{}", count(row.distinct_pages)),
            row.faults_per_page.map_or_else(|| "-".to_owned(), rate),
        ]
    });
    let table = table::render(&columns.map(str::to_owned), rows, 4, look);
    write!(out, "{table}")?;
    more(mappings.len(), look.rows(MAPPINGS), "mappings", out)
}

/// A mapping as people call it.
pub(super) fn name(row: &MappingRow) -> String {
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
