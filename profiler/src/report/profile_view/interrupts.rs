//! What interrupts were for, who sent them, and what else the CPUs did.

use std::{cmp::Reverse, collections::BTreeMap};

use crate::{
    profile::model::{CauseRow, Profile, Sender},
    report::{
        units::{count, duration_ns},
        view::{Block, Cell, Kind, List, Scope, Section, Table, Tone, column},
    },
};

/// What interrupts were for, if any can be told apart.
pub(super) fn purposes(profile: &Profile) -> Option<Section> {
    let tells = |row: &CauseRow| row.purposes.iter().any(|p| p.purpose != "not_told");
    if !profile.ledger.by_cause.iter().any(tells) {
        return None;
    }
    let rows = profile.ledger.by_cause.iter().flat_map(|row| {
        row.purposes.iter().map(|purpose| {
            let cells = [
                row.detail.clone(),
                purpose.purpose.clone(),
                purpose.function.clone().unwrap_or_default(),
                count(purpose.count),
                count(purpose.further_calls),
            ];
            cells.map(Cell::from).to_vec()
        })
    });
    let table = Table {
        caption: "What interrupts were for".to_owned(),
        list: List {
            what: "purposes",
            field: "ledger.by_cause[].purposes",
            usual: usize::MAX,
        },
        columns: vec![
            column("interrupt", Kind::Name),
            column("for", Kind::Text),
            column("kernel function", Kind::Name),
            column("count", Kind::Number),
            column("further", Kind::Number),
        ],
        heads: 3,
        rows: rows.collect(),
        scope: Scope::Always,
    };
    let blocks = vec![Block::Table(table)];
    Some(Section::new("purposes", "What interrupts were for", blocks))
}

/// Who sent interrupts, if that was asked for.
pub(super) fn senders(profile: &Profile) -> Option<Section> {
    let (id, title) = ("senders", "Who sent interrupts");
    let senders = profile.senders.as_deref()?;
    if senders.is_empty() {
        let text = "No thread was seen to send an interrupt to a measured thread.";
        return Some(Section::full(
            id,
            title,
            vec![Block::prose(Tone::Plain, text)],
        ));
    }
    // Places that have the same name here are one row.
    let mut counts: BTreeMap<[String; 5], u64> = BTreeMap::new();
    for sender in senders {
        let cells = [
            sender.tid.to_string(),
            sender.comm.clone(),
            origin(profile, sender),
            sender.purpose.clone(),
            format!("{} {}", sender.target_tid, sender.target_comm),
        ];
        *counts.entry(cells).or_default() += sender.count;
    }
    let mut rows: Vec<([String; 5], u64)> = counts.into_iter().collect();
    rows.sort_by_key(|&(_, count)| Reverse(count));
    let rows = rows.into_iter().map(|(cells, n)| {
        let cells = cells.into_iter().chain([count(n)]);
        cells.map(Cell::from).collect()
    });
    let table = Table {
        caption: title.to_owned(),
        list: List {
            what: "senders",
            field: "senders",
            usual: 12,
        },
        columns: vec![
            column("sender", Kind::Id),
            column("name", Kind::Name),
            column("from", Kind::Name),
            column("for", Kind::Text),
            column("to", Kind::Name),
            column("count", Kind::Number),
        ],
        heads: 2,
        rows: rows.collect(),
        scope: Scope::Always,
    };
    Some(Section::new(id, title, vec![Block::Table(table)]))
}

/// What the sender was doing: its system call and the code that made it, as far
/// as the ledger knows that code; else the place in the kernel.
fn origin(profile: &Profile, sender: &Sender) -> String {
    let Some(cause) = &sender.cause else {
        return sender.call_site.clone();
    };
    let what = sender.detail.as_deref().unwrap_or(cause);
    let mut code = profile.ledger.by_code.iter();
    let symbol = code
        .find(|row| row.tgid == sender.tgid && Some(&row.user_ip) == sender.user_ip.as_ref())
        .and_then(|row| row.symbol.as_ref());
    symbol.map_or_else(|| what.to_owned(), |symbol| format!("{what} by {symbol}"))
}

/// What else the CPUs did, if that was asked for.
pub(super) fn disturbance(profile: &Profile) -> Option<Section> {
    let (id, title) = ("disturbance", "Disturbance");
    let found = profile.disturbance.as_deref()?;
    if found.is_empty() {
        let text = "Nothing was seen to take time from a measured thread.";
        return Some(Section::full(
            id,
            title,
            vec![Block::prose(Tone::Plain, text)],
        ));
    }
    let rows = found.iter().map(|row| {
        let cells = [
            row.cpu.to_string(),
            row.tid.to_string(),
            row.thread.clone(),
            row.kind.clone(),
            row.what.clone(),
            count(row.count),
            duration_ns(row.total_ns),
            duration_ns(row.max_ns),
        ];
        cells.map(Cell::from).to_vec()
    });
    let table = Table {
        caption: "Time taken from measured threads on their CPUs, which is no entry of theirs"
            .to_owned(),
        list: List {
            what: "disturbers",
            field: "disturbance",
            usual: 12,
        },
        columns: vec![
            column("CPU", Kind::Id),
            column("thread", Kind::Id),
            column("name", Kind::Name),
            column("by", Kind::Text),
            column("which", Kind::Name),
            column("count", Kind::Number),
            column("total", Kind::Number),
            column("longest", Kind::Number),
        ],
        heads: 5,
        rows: rows.collect(),
        scope: Scope::Always,
    };
    Some(Section::new(id, title, vec![Block::Table(table)]))
}
