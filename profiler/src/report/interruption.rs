//! Interrupts told apart, and who sent them, as tables.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    io::{self, Write},
};

use super::{style::Look, table, units::count};
use crate::profile::{
    model::{CauseRow, Profile},
    senders::Sender,
};

/// Writes what the interrupts were for.
///
/// # Errors
/// Whatever the output reports.
pub fn purposes(profile: &Profile, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let columns = ["interrupt", "for", "kernel function", "count", "further"].map(str::to_owned);
    let rows = profile.ledger.by_cause.iter().flat_map(|row| {
        row.purposes.iter().map(|purpose| {
            vec![
                row.detail.clone(),
                purpose.purpose.clone(),
                purpose.function.clone().unwrap_or_default(),
                count(purpose.count),
                count(purpose.further_calls),
            ]
        })
    });
    write!(out, "{}", table::render(&columns, rows, 3, look))
}

/// Whether there is anything to tell apart.
#[must_use]
pub fn has_purposes(profile: &Profile) -> bool {
    let tells = |row: &CauseRow| row.purposes.iter().any(|p| p.purpose != "not_told");
    profile.ledger.by_cause.iter().any(tells)
}

/// Writes who sent interrupts, the most frequent ones. Returns how many there
/// are in all.
///
/// # Errors
/// Whatever the output reports.
pub fn senders(
    profile: &Profile,
    senders: &[Sender],
    most: usize,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<usize> {
    let columns = ["sender", "name", "from", "for", "to", "count"].map(str::to_owned);
    // Places that have the same name here are one row.
    let mut counts: BTreeMap<Vec<String>, u64> = BTreeMap::new();
    for sender in senders {
        let cells = vec![
            sender.tid.to_string(),
            sender.comm.clone(),
            origin(profile, sender),
            sender.purpose.clone(),
            format!("{} {}", sender.target_tid, sender.target_comm),
        ];
        *counts.entry(cells).or_default() += sender.count;
    }
    let mut rows: Vec<(Vec<String>, u64)> = counts.into_iter().collect();
    rows.sort_by_key(|&(_, count)| Reverse(count));
    let length = rows.len();
    let rows = rows.into_iter().take(most).map(|(mut cells, n)| {
        cells.push(count(n));
        cells
    });
    write!(out, "{}", table::render(&columns, rows, 5, look))?;
    Ok(length)
}

/// What the sender was doing: its system call and the code that made it, as far
/// as the ledger knows that code; else the place in the kernel.
pub(super) fn origin(profile: &Profile, sender: &Sender) -> String {
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
