//! An experiment as text.

use std::io::{self, Write};

use super::{
    style::{FAINT, Look, STRONG},
    table,
    units::{count, duration_ns, rate},
};
use crate::{
    experiment::{
        conclude::value,
        model::{CauseComparison, Experiment, MetricComparison},
        spread::Spread,
    },
    profile::{model::Profile, rates::steady_ns},
};

/// Writes an experiment for people.
///
/// # Errors
/// Whatever the output reports.
pub fn write(experiment: &Experiment, look: Look, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{STRONG}{}{STRONG:#}", experiment.conclusion)?;
    let names: Vec<&str> = experiment
        .variants
        .iter()
        .map(|v| v.name.as_str())
        .collect();
    let &[before, after] = &names[..] else {
        return Ok(());
    };
    for variant in &experiment.variants {
        writeln!(
            out,
            "{:10} {}, {} runs{}",
            variant.name,
            variant.description,
            variant.profiles.len(),
            variant
                .profiles
                .first()
                .map_or_else(String::new, conditions)
        )?;
    }
    let columns = ["cause", "detail", before, after, "ratio"].map(str::to_owned);
    writeln!(out, "\n{STRONG}Entries in steady state, per run{STRONG:#}")?;
    if experiment.comparison.steady.is_empty() {
        writeln!(out, "none")?;
    } else {
        let rows = experiment.comparison.steady.iter().map(cause_cells);
        write!(out, "{}", table::render(&columns, rows, 2, look))?;
    }
    writeln!(out, "\n{STRONG}Entries in the whole run{STRONG:#}")?;
    let rows = experiment.comparison.whole.iter().map(cause_cells);
    write!(out, "{}", table::render(&columns, rows, 2, look))?;
    if !experiment.comparison.metrics.is_empty() {
        let columns = ["the workload's own numbers", before, after, "ratio"].map(str::to_owned);
        writeln!(out, "\n{STRONG}Throughput, latency and cost{STRONG:#}")?;
        let rows = experiment.comparison.metrics.iter().map(metric_cells);
        write!(out, "{}", table::render(&columns, rows, 1, look))?;
    }
    writeln!(
        out,
        "{FAINT}Medians over the runs, with their range where it is not a point.{FAINT:#}"
    )?;
    notes(experiment, out)?;
    accounting(experiment, out)
}

/// What a variant's runs were like.
fn conditions(profile: &Profile) -> String {
    steady_ns(profile).map_or_else(String::new, |ns| format!(" of {}", duration_ns(ns)))
}

fn cause_cells(row: &CauseComparison) -> Vec<String> {
    vec![
        row.cause.clone(),
        row.detail.clone(),
        spread(&row.before, rate),
        spread(&row.after, rate),
        ratio(row.ratio),
    ]
}

fn metric_cells(row: &MetricComparison) -> Vec<String> {
    let cell = |side: Option<Spread>| {
        side.map_or_else(
            || "-".to_owned(),
            |side| spread(&side, |v| value(row.metric, v)),
        )
    };
    vec![
        row.metric.words().to_owned(),
        cell(row.before),
        cell(row.after),
        ratio(row.ratio),
    ]
}

fn spread(spread: &Spread, show: impl Fn(f64) -> String) -> String {
    let median = show(spread.median);
    let (min, max) = (show(spread.min), show(spread.max));
    if min == max {
        median
    } else {
        format!("{median} ({min} to {max})")
    }
}

fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"))
}

/// What the workload had to say, each thing once.
fn notes(experiment: &Experiment, out: &mut dyn Write) -> io::Result<()> {
    let profiles = experiment
        .variants
        .iter()
        .flat_map(|variant| &variant.profiles);
    let mut notes: Vec<&str> = profiles
        .filter_map(|profile| profile.io.as_ref())
        .flat_map(|io| io.notes.iter().map(String::as_str))
        .collect();
    notes.sort_unstable();
    notes.dedup();
    for note in notes {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}

/// What stands behind the counts of all runs together.
fn accounting(experiment: &Experiment, out: &mut dyn Write) -> io::Result<()> {
    let profiles: Vec<&Profile> = experiment
        .variants
        .iter()
        .flat_map(|variant| &variant.profiles)
        .collect();
    let missed: u64 = profiles
        .iter()
        .flat_map(|profile| &profile.accounting.misses)
        .filter_map(|miss| miss.count)
        .sum();
    let lost: u64 = profiles
        .iter()
        .flat_map(|profile| profile.accounting.losses.values())
        .sum();
    let backend = profiles
        .first()
        .map_or("", |profile| profile.backend.name.as_str());
    let kernel = profiles
        .first()
        .map_or("", |profile| profile.host.kernel.as_str());
    writeln!(
        out,
        "accounting: backend {backend}, kernel {kernel}; over all runs {} missed by the probes, {} \
         not kept",
        count(missed),
        count(lost)
    )
}
