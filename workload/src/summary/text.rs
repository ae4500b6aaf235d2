//! The summary for people.

use std::{
    fmt,
    io::{self, Write},
};

use super::{IoSummary, LatencyNs};

/// Writes a summary as a dozen aligned lines.
///
/// # Errors
///
/// Those of `out`.
pub fn write_text(summary: &IoSummary, out: &mut dyn Write) -> io::Result<()> {
    let mut line = |label: &str, text: fmt::Arguments<'_>| writeln!(out, "{label:<10}{text}");
    line(
        "target",
        format_args!(
            "{}: {} B random reads, depth {}, batch {}",
            summary.target, summary.block_size_bytes, summary.depth, summary.batch
        ),
    )?;
    if let Some(served_by) = &summary.served_by {
        line("served by", format_args!("{served_by}"))?;
    }
    line(
        "ring",
        format_args!("{} ({})", summary.mode, summary.flags.join(" ")),
    )?;
    line("threads", format_args!("{}", threads(summary)))?;
    line(
        "result",
        format_args!(
            "{} I/Os in {}: {} per second, {} failed",
            grouped(summary.ios),
            span(summary.duration_ns),
            grouped(rounded(summary.iops)),
            grouped(summary.errors)
        ),
    )?;
    line(
        "latency",
        format_args!("{}", percentiles(&summary.latency_ns)),
    )?;
    line(
        "bitmap",
        format_args!(
            "{}: {} of {} pages touched in steady state, {} to set up",
            summary.bitmap.kind,
            grouped(summary.bitmap.pages_touched),
            grouped(summary.bitmap.pages),
            span(summary.bitmap.populate_ns)
        ),
    )?;
    line("polling", format_args!("{}", polling(summary)))?;
    line(
        "set-up",
        format_args!("{}, seed {}", span(summary.setup_ns), summary.seed),
    )?;
    for note in &summary.notes {
        line("note", format_args!("{note}"))?;
    }
    Ok(())
}

fn threads(summary: &IoSummary) -> String {
    let user = format!("user thread on CPU {}", summary.cpus.user);
    match (&summary.polling.sq_thread, summary.cpus.sq) {
        (Some(thread), Some(cpu)) => {
            format!("{user}, {} (tid {}) on CPU {cpu}", thread.comm, thread.tid)
        }
        (Some(thread), None) => format!("{user}, {} (tid {}) free", thread.comm, thread.tid),
        (None, _) => user,
    }
}

fn polling(summary: &IoSummary) -> String {
    let polling = &summary.polling;
    let interrupts = polling.device_irqs.map_or_else(
        || {
            let served_by = summary.served_by.as_ref();
            let is_alone = served_by.is_some_and(|it| it.device().is_none());
            let what = if is_alone {
                "no device"
            } else {
                "device interrupts not known"
            };
            what.to_owned()
        },
        |count| format!("{} device interrupts", grouped(count)),
    );
    format!(
        "{} wake-ups, {} calls of io_uring_enter, {interrupts}",
        grouped(polling.wakeups),
        grouped(polling.enter_calls)
    )
}

fn percentiles(latency: &LatencyNs) -> String {
    let named = [
        ("p50", latency.p50),
        ("p90", latency.p90),
        ("p99", latency.p99),
        ("p99.9", latency.p999),
        ("p99.99", latency.p9999),
        ("p99.999", latency.p99999),
        ("max", latency.max),
    ];
    let shown: Vec<String> = named
        .into_iter()
        .filter_map(|(name, ns)| ns.map(|ns| format!("{name} {}", span(ns))))
        .collect();
    if shown.is_empty() {
        "no I/O completed".to_owned()
    } else {
        shown.join("  ")
    }
}

/// A time span with three digits and a unit.
fn span(ns: u64) -> String {
    let (unit, name) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => (1_000, "us"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let whole = ns / unit;
    let thousandths = ns % unit * 1000 / unit;
    match whole {
        0..10 => format!("{whole}.{:02} {name}", thousandths / 10),
        10..100 => format!("{whole}.{} {name}", thousandths / 100),
        _ => format!("{whole} {name}"),
    }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is not negative, and the cast saturates"
)]
fn rounded(rate: f64) -> u64 {
    rate.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_keep_three_digits_and_change_unit_at_a_thousand() {
        for (ns, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 us"),
            (33_290, "33.2 us"),
            (999_999, "999 us"),
            (5_004_000_000, "5.00 s"),
        ] {
            assert_eq!(span(ns), text);
        }
    }

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn percentiles_without_samples_are_left_out() {
        let latency = LatencyNs {
            p50: Some(2_000),
            max: Some(3_000),
            ..LatencyNs::default()
        };
        assert_eq!(percentiles(&latency), "p50 2.00 us  max 3.00 us");
        assert_eq!(percentiles(&LatencyNs::default()), "no I/O completed");
    }
}
