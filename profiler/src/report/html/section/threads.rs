//! Entries by thread.

use std::cmp::Reverse;

use maud::html;

use crate::{
    profile::model::Profile,
    report::{
        html::{
            page::Section,
            prose::entry,
            table::{Kind, more, table},
        },
        units::{count, share},
    },
};

/// Rows of the table.
const ROWS: usize = 100;

/// The section, if there are threads.
#[must_use]
pub fn section(profile: &Profile) -> Option<Section> {
    let mut threads: Vec<_> = profile.ledger.by_thread.iter().collect();
    if threads.is_empty() {
        return None;
    }
    threads.sort_by_key(|thread| Reverse(thread.total));
    let columns = [
        ("thread", Kind::Number),
        ("name", Kind::Code),
        ("process", Kind::Number),
        ("most frequent", Kind::Text),
        ("of it", Kind::Number),
        ("count", Kind::Number),
        ("share", Kind::Number),
    ];
    let rows = threads.iter().take(ROWS).map(|thread| {
        let first = thread.by_cause.first();
        vec![
            thread.tid.to_string(),
            thread.comm.clone(),
            thread.tgid.to_string(),
            first.map_or_else(String::new, |row| entry(&row.cause, &row.detail)),
            first.map_or_else(String::new, |row| count(row.count)),
            count(thread.total),
            share(thread.total, profile.ledger.total),
        ]
    });
    let body = html! {
        (table("Entries by thread", &columns, 1, rows))
        (more(threads.len(), ROWS, "threads", "ledger.by_thread"))
    };
    Some(Section::new("threads", "Threads", body))
}
