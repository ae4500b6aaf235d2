//! What interrupts were for, who sent them, and what else the CPUs did.

use maud::{Markup, html};

use crate::{
    profile::{disturbance::Disturbance, model::Profile, senders::Sender},
    report::{
        html::{
            page::Section,
            table::{Kind, more, table},
        },
        interruption::{has_purposes, origin},
        units::{count, duration_ns},
    },
};

/// Rows of each table.
const ROWS: usize = 60;

/// The section, if any of it is there.
#[must_use]
pub fn section(profile: &Profile) -> Option<Section> {
    let senders = profile.senders.as_deref();
    let disturbers = profile.disturbance.as_deref();
    if !has_purposes(profile) && senders.is_none() && disturbers.is_none() {
        return None;
    }
    let body = html! {
        @if has_purposes(profile) { (purposes(profile)) }
        @match senders {
            Some([]) => { p { "Nobody was seen to send an interrupt to a measured thread." } }
            Some(rows) => { (senders_table(profile, rows)) }
            None => {}
        }
        @match disturbers {
            Some([]) => { p { "Nothing was seen to take time from a measured thread." } }
            Some(rows) => { (disturbance(rows)) }
            None => {}
        }
    };
    Some(Section::new(
        "interrupts",
        "Interrupts and disturbance",
        body,
    ))
}

fn purposes(profile: &Profile) -> Markup {
    let columns = [
        ("interrupt", Kind::Text),
        ("for", Kind::Text),
        ("kernel function", Kind::Code),
        ("count", Kind::Number),
        ("further calls", Kind::Number),
    ];
    let all = || {
        let rows = profile.ledger.by_cause.iter();
        rows.flat_map(|row| row.purposes.iter().map(move |purpose| (row, purpose)))
    };
    let rows = all().take(ROWS).map(|(row, purpose)| {
        vec![
            row.detail.clone(),
            purpose.purpose.clone(),
            purpose.function.clone().unwrap_or_default(),
            count(purpose.count),
            count(purpose.further_calls),
        ]
    });
    html! {
        (table("What interrupts were for", &columns, 2, rows))
        (more(all().count(), ROWS, "purposes", "ledger.by_cause[].purposes"))
    }
}

fn senders_table(profile: &Profile, senders: &[Sender]) -> Markup {
    let columns = [
        ("sender", Kind::Number),
        ("name", Kind::Code),
        ("from", Kind::Code),
        ("for", Kind::Text),
        ("to", Kind::Code),
        ("times asked", Kind::Number),
    ];
    let rows = senders.iter().take(ROWS).map(|row| {
        vec![
            row.tid.to_string(),
            row.comm.clone(),
            origin(profile, row),
            row.purpose.clone(),
            format!("{} {}", row.target_tid, row.target_comm),
            count(row.count),
        ]
    });
    html! {
        (table("Who sent interrupts", &columns, 2, rows))
        (more(senders.len(), ROWS, "senders", "senders"))
    }
}

fn disturbance(disturbers: &[Disturbance]) -> Markup {
    let columns = [
        ("by", Kind::Text),
        ("which", Kind::Code),
        ("CPU", Kind::Number),
        ("kept waiting", Kind::Code),
        ("count", Kind::Number),
        ("total", Kind::Number),
        ("longest", Kind::Number),
    ];
    let rows = disturbers.iter().take(ROWS).map(|row| {
        vec![
            row.kind.clone(),
            row.what.clone(),
            row.cpu.to_string(),
            format!("{} {}", row.thread, row.tid),
            count(row.count),
            duration_ns(row.total_ns),
            duration_ns(row.max_ns),
        ]
    });
    html! {
        (table("Time taken from measured threads on their CPUs, which is no entry of theirs", &columns, 2, rows))
        (more(disturbers.len(), ROWS, "disturbers", "disturbance"))
    }
}
