//! Page faults by memory of two runs as one.

use std::cmp::Reverse;

use super::rows::{add, add_counts, add_rows, both};
use crate::profile::{
    ledger::as_float,
    model::{AllocationRow, MappingRow, Memory, ProcessMemory},
};

/// Adds a run's memory. Pages are sums, as faults are: one that each of two runs
/// touched is two. A mapping's size is the largest that it had in any run.
pub(super) fn add_memory(sum: &mut Memory, mut run: Memory) {
    add_counts(&mut sum.faults_by_kind, run.faults_by_kind);
    for rows in [&mut sum.by_mapping, &mut run.by_mapping] {
        merge_mappings(rows, mapping);
    }
    add_rows(&mut sum.by_mapping, run.by_mapping, mapping, add_mapping);
    sum.by_mapping.sort_by_key(|row| Reverse(row.faults));
    add_rows(
        &mut sum.allocations,
        run.allocations,
        allocation,
        |known, row| add_allocation(known, &row),
    );
    sum.allocations.sort_by_key(|row| Reverse(row.bytes));
    sum.process = both(sum.process.take(), run.process, most);
}

/// Makes rows of one run with the same key one, as large as all of them.
pub(super) fn merge_mappings<K: Ord>(rows: &mut Vec<MappingRow>, key: impl Fn(&MappingRow) -> K) {
    add_rows(rows, Vec::new(), key, add_beside);
    rows.sort_by_key(|row| Reverse(row.faults));
}

/// Adds another mapping of the same run: the two are as large as both.
pub(super) fn add_beside(sum: &mut MappingRow, row: MappingRow) {
    let bytes = sum.bytes.saturating_add(row.bytes);
    add_mapping(sum, row);
    sum.bytes = bytes;
}

/// What makes two rows one mapping in any run. Addresses are random.
pub(super) fn mapping(row: &MappingRow) -> impl Ord + use<> {
    let place = (row.path.clone(), row.allocated_at.clone());
    (row.tgid, row.kind.clone(), place)
}

pub(super) fn add_mapping(sum: &mut MappingRow, row: MappingRow) {
    // Faults that could be given to a page: what the ratio was made of.
    let named = |row: &MappingRow| match row.faults_per_page {
        Some(ratio) => Some(ratio * as_float(row.distinct_pages)),
        None => (row.distinct_pages == 0).then_some(0.0),
    };
    let named = named(sum).zip(named(&row));
    sum.bytes = sum.bytes.max(row.bytes);
    add(&mut sum.faults, row.faults);
    add(&mut sum.distinct_pages, row.distinct_pages);
    let pages = as_float(sum.distinct_pages);
    sum.faults_per_page = named
        .filter(|_| sum.distinct_pages != 0)
        .map(|(first, second)| (first + second) / pages);
    sum.pages_are_lower_bound |= row.pages_are_lower_bound;
    if sum.start != row.start {
        sum.start = None;
    }
    sum.allocation_stack = sum.allocation_stack.take().or(row.allocation_stack);
    add_counts(&mut sum.by_kind, row.by_kind);
    add_counts(&mut sum.phases, row.phases);
}

/// What makes two rows one place that asks for memory, in any run.
pub(super) fn allocation(row: &AllocationRow) -> impl Ord + use<> {
    let place = (row.allocated_at.clone(), row.stack.clone());
    (row.tgid, row.call.clone(), place, row.truncated.clone())
}

pub(super) fn add_allocation(sum: &mut AllocationRow, row: &AllocationRow) {
    add(&mut sum.calls, row.calls);
    add(&mut sum.bytes, row.bytes);
}

/// What was held at most in any run.
fn most(sum: &mut ProcessMemory, run: ProcessMemory) {
    sum.resident_bytes = sum.resident_bytes.max(run.resident_bytes);
    let locked = sum.locked_bytes.zip(run.locked_bytes);
    sum.locked_bytes = locked.map(|(first, second)| first.max(second));
    sum.writable_bytes = sum.writable_bytes.max(run.writable_bytes);
    let populatable = sum.populatable_bytes.zip(run.populatable_bytes);
    sum.populatable_bytes = populatable.map(|(first, second)| first.max(second));
}
