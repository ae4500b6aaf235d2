//! A profile as metrics: `OpenMetrics` text, of which also the older Prometheus
//! format's parsers make sense (they are what the node exporter has), so no type
//! is used that only one of them knows.

use std::io::{self, Write};

use super::metric_family::{Family, Value};
use crate::profile::{
    file,
    model::{CheckVerdict, Profile},
};

/// Writes all metrics.
///
/// # Errors
/// Whatever the output reports.
pub fn write(profile: &Profile, out: &mut dyn Write) -> io::Result<()> {
    for family in about(profile)
        .into_iter()
        .chain(counts(profile))
        .chain(times(profile))
        .chain(accounting(profile))
        .chain(io(profile))
        .chain(memory(profile))
    {
        family.write(out)?;
    }
    writeln!(out, "# EOF")
}

/// Who measured what, where.
fn about(profile: &Profile) -> Vec<Family> {
    let schema = profile.schema_version.to_string();
    let tool = [
        ("version", profile.tool.version.as_str()),
        ("git", &profile.tool.git),
        ("schema", &schema),
    ];
    let run = [
        ("command", profile.target.command.join(" ")),
        ("kernel", profile.host.kernel.clone()),
        ("backend", profile.backend.name.to_string()),
        ("stacks", profile.backend.stacks.to_string()),
    ];
    let run = run.iter().map(|(name, text)| (*name, text.as_str()));
    let mut families = vec![
        Family::gauge("build_info", "The modeswitch that measured; always 1.")
            .with(tool, Value::Whole(1)),
        Family::gauge("run_info", "What was measured, and how; always 1.")
            .with(run, Value::Whole(1)),
    ];
    if profile.runs != 1 {
        let help = "How many runs these are the sums of.";
        families.push(Family::gauge("runs", help).alone(Value::Whole(profile.runs)));
    }
    if let Some(code) = profile.exit.code {
        families.push(
            Family::gauge("exit_code", "The command's exit status.").alone(Value::Signed(code)),
        );
    }
    families
}

fn counts(profile: &Profile) -> Vec<Family> {
    let mut entries = Family::counter(
        "entries",
        "Entries into the kernel by cause, detail and phase.",
    );
    let mut major = Family::counter(
        "major_page_faults",
        "Page faults that had to be waited for.",
    );
    for row in &profile.ledger.by_cause {
        for (phase, &count) in &row.phases {
            let labels = [
                ("cause", row.cause.as_str()),
                ("detail", &row.detail),
                ("phase", phase),
            ];
            entries.add(labels, Value::Whole(count));
        }
        if let Some(count) = row.major {
            major.add([("detail", row.detail.as_str())], Value::Whole(count));
        }
    }
    let mut families = vec![entries, major];
    if let Some(rate) = profile.ledger.rates.steady_per_million_ios {
        let help = "Entries in steady state for each million I/Os.";
        families
            .push(Family::gauge("steady_entries_per_million_ios", help).alone(Value::Real(rate)));
    }
    families
}

fn times(profile: &Profile) -> Vec<Family> {
    let mut phases = Family::gauge("phase_seconds", "How long each phase lasted.");
    for phase in &profile.window.phases {
        if let Some(ns) = phase.duration_ns {
            phases.add([("phase", phase.name.as_str())], Value::Ns(ns));
        }
    }
    let mut families = vec![
        Family::gauge("window_seconds", "How long was measured.")
            .alone(Value::Ns(profile.window.duration_ns)),
    ];
    if let Some(start) = file::unix_ns(&profile.window.start) {
        let help = "When the measurement began, since 1970.";
        families
            .push(Family::gauge("window_start_timestamp_seconds", help).alone(Value::Ns(start)));
    }
    families.push(phases);
    families
}

/// Whether the counts can be believed.
fn accounting(profile: &Profile) -> Vec<Family> {
    let accounting = &profile.accounting;
    let whole = |n: usize| Value::Whole(n as u64);
    let mut losses = Family::counter("losses", "What could not be kept, by reason.");
    for (reason, &lost) in &accounting.losses {
        losses.add([("reason", reason.as_str())], Value::Whole(lost));
    }
    let mut missed = Family::counter(
        "missed_events",
        "Events that the kernel did not show to a program. A program without a value cannot tell.",
    );
    for miss in &accounting.misses {
        if let Some(count) = miss.count {
            missed.add([("program", miss.program.as_str())], Value::Whole(count));
        }
    }
    let is_exact = u64::from(accounting.inexact.is_empty());
    let checks = accounting.cross_checks.iter();
    let wrong = checks.filter(|check| check.verdict == CheckVerdict::Inconsistent);
    let mut families = vec![
        Family::gauge(
            "exact",
            "1 if the counts are exact, 0 if they are a lower bound.",
        )
        .alone(Value::Whole(is_exact)),
        losses,
        missed,
        Family::counter("unclassified", "Entries whose cause is not known.")
            .alone(Value::Whole(accounting.unclassified)),
        Family::gauge("cross_checks_inconsistent", "Cross-checks that failed.")
            .alone(whole(wrong.count())),
        Family::gauge("unavailable", "Things that this run could not tell.")
            .alone(whole(accounting.unavailable.len())),
        Family::counter("self_cpu_seconds", "CPU time of modeswitch itself.")
            .alone(Value::Ns(accounting.own.cpu_ns)),
    ];
    if let Some(audit) = &accounting.audit {
        let help = "Returns less entries, where both were counted.";
        families.push(Family::gauge("audit_difference", help).alone(Value::Wide(audit.difference)));
    }
    families
}

/// What the program said of its own work.
fn io(profile: &Profile) -> Vec<Family> {
    let Some(io) = &profile.io else {
        return Vec::new();
    };
    let latency = &io.latency_ns;
    let quantiles = [
        ("0.5", latency.p50),
        ("0.9", latency.p90),
        ("0.99", latency.p99),
        ("0.999", latency.p999),
        ("0.9999", latency.p9999),
        ("0.99999", latency.p99999),
        ("1", latency.max),
    ];
    let mut summary = Family::summary(
        "io_latency_seconds",
        "Latency of an I/O in steady state; 1 is the longest.",
    );
    for (quantile, ns) in quantiles {
        if let Some(ns) = ns {
            summary.add([("quantile", quantile)], Value::Ns(ns));
        }
    }
    vec![
        Family::counter("ios", "I/Os completed in steady state.").alone(Value::Whole(io.ios)),
        Family::counter("io_errors", "I/Os that failed.").alone(Value::Whole(io.errors)),
        Family::gauge("ios_per_second", "I/Os per second of steady state.")
            .alone(Value::Real(io.iops)),
        summary,
    ]
}

fn memory(profile: &Profile) -> Vec<Family> {
    let Some(memory) = profile.memory.process else {
        return Vec::new();
    };
    let mut most = Family::gauge("memory_bytes", "Memory of the command at most, by kind.");
    for (kind, bytes) in [
        ("resident", Some(memory.resident_bytes)),
        ("locked", memory.locked_bytes),
        ("writable", Some(memory.writable_bytes)),
    ] {
        if let Some(bytes) = bytes {
            most.add([("kind", kind)], Value::Whole(bytes));
        }
    }
    vec![most]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{nasty, random_names};

    /// Whatever the names, each line is a comment or one sample, no sample is
    /// there twice, and the last line ends the exposition.
    #[test]
    fn names_stay_in_their_labels() {
        for name in random_names(200) {
            let mut text = Vec::new();
            write(&nasty(&name, false), &mut text).expect("written to memory");
            let text = String::from_utf8(text).expect("UTF-8");
            assert!(text.ends_with("\n# EOF\n"));
            let mut seen = std::collections::BTreeSet::new();
            for line in text.split('\n').filter(|line| !line.is_empty()) {
                assert!(!line.contains('\r'), "{line:?}");
                if line.starts_with('#') {
                    continue;
                }
                assert!(line.starts_with("modeswitch_"), "{line:?} of {name:?}");
                let (series, value) = line.rsplit_once(' ').expect("a value");
                assert!(value.parse::<f64>().is_ok(), "{line:?}");
                assert!(seen.insert(series.to_owned()), "{series} twice");
            }
        }
    }
}
