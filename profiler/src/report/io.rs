//! A program's own numbers as text.

use std::io::{self, Write};

use workload::summary::{IoSummary, LatencyNs};

use super::{
    prose,
    style::Look,
    units::{count, duration_ns, rate},
};

/// What was read and what answered, in a sentence for the first lines of a result;
/// nothing if the program does not say what answered.
#[must_use]
pub fn target(summary: &IoSummary) -> Option<String> {
    let served_by = summary.served_by.as_ref()?;
    Some(format!("reads {}: {served_by}", summary.target))
}

/// Writes what a program said of its I/O.
///
/// # Errors
/// Whatever the output reports.
pub fn write(summary: &IoSummary, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let work = format!(
        "{} IOPS: {} I/Os of {} bytes in {}, {} errors",
        rate(summary.iops),
        count(summary.ios),
        summary.block_size_bytes,
        duration_ns(summary.duration_ns),
        count(summary.errors)
    );
    let latencies: Vec<String> = percentiles(&summary.latency_ns)
        .into_iter()
        .filter_map(|(name, ns)| Some(format!("{name} {}", duration_ns(ns?))))
        .collect();
    let ring = format!("{} ({})", summary.mode, summary.flags.join(" "));
    let wakeups = format!(
        "{} of the submission thread",
        count(summary.polling.wakeups)
    );
    prose::labelled(out, look, "target", &summary.target)?;
    prose::labelled(out, look, "work", &work)?;
    prose::labelled(out, look, "latency", &latencies.join(", "))?;
    prose::labelled(out, look, "ring", &ring)?;
    prose::labelled(out, look, "wake-ups", &wakeups)?;
    for note in &summary.notes {
        prose::labelled(out, look, "note", note)?;
    }
    Ok(())
}

/// The percentiles by name, in order.
#[must_use]
pub fn percentiles(latency: &LatencyNs) -> [(&'static str, Option<u64>); 7] {
    let &LatencyNs {
        p50,
        p90,
        p99,
        p999,
        p9999,
        p99999,
        max,
    } = latency;
    [
        ("p50", p50),
        ("p90", p90),
        ("p99", p99),
        ("p99.9", p999),
        ("p99.99", p9999),
        ("p99.999", p99999),
        ("max", max),
    ]
}
