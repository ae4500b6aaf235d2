//! The evidence of polling as text.

use std::io::{self, Write};

use super::{
    prose,
    style::Look,
    units::{count, rate},
};
use crate::profile::{ledger::as_float, model::Polling};

/// Writes the evidence.
///
/// # Errors
/// Whatever the output reports.
pub fn write(polling: &Polling, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let by_thread = polling.sqes_by_sq_thread.map_or_else(
        || "unknown number by the kernel's thread (before Linux 5.12 it is nobody's)".to_owned(),
        |n| format!("{} by the kernel's thread", count(n)),
    );
    let where_from = polling.phase.as_deref().unwrap_or("whole run");
    let submissions = format!(
        "{by_thread}, {} in system calls ({where_from})",
        count(polling.sqes_by_enter)
    );
    prose::labelled(out, look, "submissions", &submissions)?;
    prose::labelled(out, look, "io_uring_enter", &count(polling.enter_calls))?;
    let total = polling.sqes_by_sq_thread.unwrap_or(0) + polling.sqes_by_enter;
    let irqs: Vec<String> = polling
        .device_irqs
        .iter()
        .map(|(name, &n)| format!("{name} {} ({} per I/O)", count(n), per(n, total)))
        .collect();
    let irqs = if irqs.is_empty() {
        "none".to_owned()
    } else {
        irqs.join(", ")
    };
    prose::labelled(out, look, "device interrupts", &irqs)?;
    for finding in &polling.findings {
        prose::labelled(out, look, "finding", finding)?;
    }
    Ok(())
}

/// One number per another.
fn per(n: u64, of: u64) -> String {
    if of == 0 {
        "-".to_owned()
    } else {
        rate(as_float(n) / as_float(of))
    }
}
