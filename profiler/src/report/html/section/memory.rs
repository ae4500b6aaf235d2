//! Page faults by the memory that they hit.

use maud::{Markup, html};
use profiler_common::cause::CauseKind;

use crate::{
    profile::model::Profile,
    report::{
        html::{
            page::Section,
            table::{Kind, more, table},
        },
        memory::name,
        units::{bytes, count, rate, share},
    },
};

/// Rows of each table.
const ROWS: usize = 60;

/// The section, if there were page faults or allocations.
#[must_use]
pub fn section(profile: &Profile) -> Option<Section> {
    let memory = &profile.memory;
    let has_faults = profile
        .ledger
        .by_cause
        .iter()
        .any(|row| row.cause == CauseKind::PageFault);
    if !has_faults && memory.by_mapping.is_empty() && memory.allocations.is_empty() {
        return None;
    }
    let body = html! {
        @if has_faults { (kinds(profile)) }
        @if !memory.by_mapping.is_empty() { (mappings(profile)) }
        @if !memory.allocations.is_empty() { (allocations(profile)) }
    };
    Some(Section::new("memory", "Memory", body))
}

fn kinds(profile: &Profile) -> Markup {
    let rows = profile.ledger.by_cause.iter();
    let rows: Vec<_> = rows
        .filter(|row| row.cause == CauseKind::PageFault)
        .collect();
    let total = rows.iter().map(|row| row.count).sum();
    let columns = [
        ("kind", Kind::Text),
        ("count", Kind::Number),
        ("share", Kind::Number),
        ("read", Kind::Number),
        ("write", Kind::Number),
        ("exec", Kind::Number),
        ("major", Kind::Number),
    ];
    let cells = rows.iter().take(ROWS).map(|row| {
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
    table("Page faults by kind", &columns, 1, cells)
}

fn mappings(profile: &Profile) -> Markup {
    let rows = &profile.memory.by_mapping;
    let columns = [
        ("mapping", Kind::Code),
        ("made by", Kind::Code),
        ("process", Kind::Number),
        ("mostly", Kind::Text),
        ("faults", Kind::Number),
        ("pages", Kind::Number),
        ("faults per page", Kind::Number),
    ];
    let cells = rows.iter().take(ROWS).map(|row| {
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
    html! {
        (table("Page faults by mapping; pages of 4 KiB that had any", &columns, 1, cells))
        (more(rows.len(), ROWS, "mappings", "memory.by_mapping"))
    }
}

fn allocations(profile: &Profile) -> Markup {
    let rows = &profile.memory.allocations;
    let columns = [
        ("code", Kind::Code),
        ("call", Kind::Code),
        ("process", Kind::Number),
        ("calls", Kind::Number),
        ("memory", Kind::Number),
    ];
    let cells = rows.iter().take(ROWS).map(|row| {
        vec![
            row.allocated_at.clone(),
            row.call.clone(),
            row.tgid.to_string(),
            count(row.calls),
            bytes(row.bytes),
        ]
    });
    html! {
        (table("Where the program asked the kernel for memory", &columns, 1, cells))
        (more(rows.len(), ROWS, "places", "memory.allocations"))
    }
}
