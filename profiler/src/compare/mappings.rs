//! Two sides' page faults by what memory they hit.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    basis::Measure,
    change::{Counts, change, weight},
    model::MappingChange,
    side::Group,
    visible,
};
use crate::profile::{code::base_name, model::MappingRow};

type Key = (String, String);
type Table = BTreeMap<Key, Vec<u64>>;

/// By mapping, the largest difference first.
#[must_use]
pub fn changes(before: &Group, after: &Group, measure: &Measure) -> Vec<MappingChange> {
    let (first, second) = (table(before), table(after));
    let keys: BTreeSet<&Key> = first.keys().chain(second.keys()).collect();
    let mut rows: Vec<MappingChange> = keys
        .into_iter()
        .map(|key| MappingChange {
            kind: key.0.clone(),
            what: key.1.clone(),
            change: change(
                &counts(before, &first, key),
                &counts(after, &second, key),
                measure,
            ),
        })
        .collect();
    rows.sort_by(|a, b| weight(&b.change).total_cmp(&weight(&a.change)));
    rows
}

fn counts(group: &Group, table: &Table, key: &Key) -> Counts {
    table.get(key).cloned().or_else(|| {
        let runs = group.profiles.iter();
        runs.map(|run| visible::mappings(run).then_some(0))
            .collect()
    })
}

fn table(group: &Group) -> Table {
    let runs = group.profiles.len();
    let mut table = Table::new();
    for (run, profile) in group.profiles.iter().enumerate() {
        for row in &profile.memory.by_mapping {
            let key = (row.kind.clone(), what(row));
            let counts = table.entry(key).or_insert_with(|| vec![0; runs]);
            if let Some(count) = counts.get_mut(run) {
                *count = count.saturating_add(row.faults);
            }
        }
    }
    table
}

/// What a mapping is recognised by on the other side: its file, who made it, or
/// else its size.
fn what(row: &MappingRow) -> String {
    if let Some(path) = &row.path {
        return base_name(path).to_owned();
    }
    if let Some(code) = &row.allocated_at {
        return without_lines(code);
    }
    match row.kind.as_str() {
        "heap" | "stack" | "none" | "special" | "unknown" => String::new(),
        _ => format!("{} bytes", row.bytes),
    }
}

/// `f at a.c:12 (via malloc)` without the line, which moves.
fn without_lines(code: &str) -> String {
    let mut plain = String::with_capacity(code.len());
    let mut parts = code.split(':').peekable();
    while let Some(part) = parts.next() {
        plain.push_str(part);
        let Some(next) = parts.peek_mut() else { break };
        let rest = next.trim_start_matches(|letter: char| letter.is_ascii_digit());
        if rest.len() == next.len() {
            plain.push(':');
        } else {
            *next = rest;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines are dropped, the colons of names are not.
    #[test]
    fn lines_are_dropped() {
        let code = "a::B<T>::c at memory.rs:117 (via mmap)";
        assert_eq!(without_lines(code), "a::B<T>::c at memory.rs (via mmap)");
        assert_eq!(without_lines("f at a.c:12"), "f at a.c");
        assert_eq!(without_lines(""), "");
    }
}
