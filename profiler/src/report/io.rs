//! A program's own numbers as text.

use std::io::{self, Write};

use workload::summary::{IoSummary, LatencyNs};

use super::units::{count, duration_ns, rate};

/// Writes what a program said of its I/O.
///
/// # Errors
/// Whatever the output reports.
pub fn write(summary: &IoSummary, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{}: {} I/Os of {} bytes in {}, {} IOPS, {} errors",
        summary.target,
        count(summary.ios),
        summary.block_size_bytes,
        duration_ns(summary.duration_ns),
        rate(summary.iops),
        count(summary.errors)
    )?;
    let latencies: Vec<String> = percentiles(&summary.latency_ns)
        .into_iter()
        .filter_map(|(name, ns)| Some(format!("{name} {}", duration_ns(ns?))))
        .collect();
    writeln!(out, "latency: {}", latencies.join(", "))?;
    writeln!(
        out,
        "ring: {} ({}), {} wake-ups of the submission thread",
        summary.mode,
        summary.flags.join(" "),
        count(summary.polling.wakeups)
    )?;
    for note in &summary.notes {
        writeln!(out, "note: {note}")?;
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
