//! What else the CPUs did, as a table.

use std::io::{self, Write};

use super::{
    style::Look,
    table,
    units::{count, duration_ns},
};
use crate::profile::disturbance::Disturbance;

/// Writes the disturbances that took longest.
///
/// # Errors
/// Whatever the output reports.
pub fn write(rows: &[Disturbance], most: usize, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let columns = [
        "CPU", "thread", "name", "by", "which", "count", "total", "longest",
    ];
    let cells = rows.iter().take(most).map(|row| {
        vec![
            row.cpu.to_string(),
            row.tid.to_string(),
            row.thread.clone(),
            row.kind.clone(),
            row.what.clone(),
            count(row.count),
            duration_ns(row.total_ns),
            duration_ns(row.max_ns),
        ]
    });
    let columns = columns.map(str::to_owned);
    write!(out, "{}", table::render(&columns, cells, 5, look))
}
