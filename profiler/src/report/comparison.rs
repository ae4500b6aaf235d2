//! An experiment as text.

use std::io::{self, Write};

use profiler_common::cause::CauseKind;

use super::{
    prose,
    style::{FAINT, Look, STRONG},
    table,
    units::{amount, count, duration_ns},
};
use crate::{
    experiment::{
        conclude::value,
        model::{CauseComparison, Experiment, MetricComparison, Variant},
        spread::Spread,
    },
    profile::{
        ledger::as_float,
        model::{CauseRow, Profile},
        rates::{steady_count, steady_ns},
    },
};

/// Writes an experiment for people.
///
/// # Errors
/// Whatever the output reports.
pub fn write(experiment: &Experiment, look: Look, out: &mut dyn Write) -> io::Result<()> {
    prose::sentence(out, look, STRONG, &experiment.conclusion)?;
    let names: Vec<&str> = experiment
        .variants
        .iter()
        .map(|v| v.name.as_str())
        .collect();
    let &[before, after] = &names[..] else {
        return Ok(());
    };
    for variant in &experiment.variants {
        let runs = format!(
            "{}; {}{}",
            variant.description,
            match variant.profiles.len() {
                1 => "1 run".to_owned(),
                runs => format!("{runs} runs"),
            },
            variant
                .profiles
                .first()
                .map_or_else(String::new, conditions)
        );
        prose::labelled(out, look, &variant.name, &runs)?;
    }
    let columns = ["cause", "detail", before, after, "ratio"].map(str::to_owned);
    writeln!(out, "\n{STRONG}Entries in steady state, per run{STRONG:#}")?;
    let totals = totals(experiment, steady_count);
    let rows = totals
        .iter()
        .chain(&experiment.comparison.steady)
        .map(cause_cells);
    write!(out, "{}", table::render(&columns, rows, 2, look))?;
    writeln!(out, "\n{STRONG}Entries in the whole run{STRONG:#}")?;
    let whole = self::totals(experiment, |row| row.count);
    write!(
        out,
        "{}",
        table::render(&columns, whole.iter().map(cause_cells), 2, look)
    )?;
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
    notes(experiment, look, out)?;
    accounting(experiment, look, out)
}

/// Totals over all details, of every cause that matters even when it is absent.
fn totals(experiment: &Experiment, of: impl Fn(&CauseRow) -> u64) -> Vec<CauseComparison> {
    let [before, after] = &experiment.variants[..] else {
        return Vec::new();
    };
    let spread = |variant: &Variant, cause: CauseKind| {
        let totals = variant.profiles.iter().map(|profile| {
            let rows = profile.ledger.by_cause.iter();
            rows.filter(|row| row.cause == cause.name()).map(&of).sum()
        });
        Spread::of(totals.map(as_float)).unwrap_or_default()
    };
    [
        CauseKind::Syscall,
        CauseKind::PageFault,
        CauseKind::Interrupt,
    ]
    .into_iter()
    .map(|cause| {
        let (before, after) = (spread(before, cause), spread(after, cause));
        CauseComparison {
            cause: cause.name().to_owned(),
            detail: "(all)".to_owned(),
            before,
            after,
            ratio: after.ratio_to(&before),
        }
    })
    .collect()
}

/// What a variant's runs were like.
fn conditions(profile: &Profile) -> String {
    steady_ns(profile).map_or_else(String::new, |ns| format!(" of {}", duration_ns(ns)))
}

fn cause_cells(row: &CauseComparison) -> Vec<String> {
    vec![
        row.cause.clone(),
        row.detail.clone(),
        spread(&row.before, amount),
        spread(&row.after, amount),
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
fn notes(experiment: &Experiment, look: Look, out: &mut dyn Write) -> io::Result<()> {
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
        prose::labelled(out, look, "note", note)?;
    }
    Ok(())
}

/// What stands behind the counts of all runs together.
fn accounting(experiment: &Experiment, look: Look, out: &mut dyn Write) -> io::Result<()> {
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
    let text = format!(
        "backend {backend}, kernel {kernel}; over all runs {} missed by the probes, {} not kept",
        count(missed),
        count(lost)
    );
    prose::labelled(out, look, "accounting", &text)
}
