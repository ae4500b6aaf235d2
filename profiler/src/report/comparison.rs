//! An experiment as text.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use super::{
    costs, io as io_report, prose,
    style::{FAINT, Look, STRONG},
    table,
    units::{amount, count, duration_ns},
};
use crate::{
    experiment::{
        compare,
        conclude::value,
        model::{CauseComparison, Comparison, Experiment, Metric, Outlier},
    },
    gap::Concealed,
    profile::{model::Profile, rates::steady_ns},
    stats::{judgement::Judgement, spread::Spread},
};

/// Rows shown of each table of causes.
const CAUSES: usize = 16;
/// Columns from which on the ratios' intervals fit beside them: of a narrow
/// terminal they would leave a part of each only.
const WITH_INTERVALS: usize = 90;
/// Outliers shown.
const OUTLIERS: usize = 4;

/// Writes an experiment for people.
///
/// # Errors
/// Whatever the output reports.
pub fn write(experiment: &Experiment, look: Look, out: &mut dyn Write) -> io::Result<()> {
    prose::sentence(out, look, STRONG, &experiment.conclusion)?;
    if let Some(target) = experiment.io().and_then(io_report::target) {
        prose::sentence(out, look, STRONG, &target)?;
    }
    if let Some(cut) = &experiment.interrupted {
        let text = format!(
            "{} after {} of {} runs; the run that it interrupted is left out",
            cut.by, cut.runs, cut.of
        );
        prose::labelled(out, look, "cut short by", &text)?;
    }
    variants(experiment, look, out)?;
    let is_steady = compare::is_steady(&experiment.variants);
    if is_steady {
        writeln!(out, "\n{STRONG}Entries in steady state, per run{STRONG:#}")?;
        causes(experiment, true, look, out)?;
    }
    writeln!(out, "\n{STRONG}Entries in the whole run{STRONG:#}")?;
    causes(experiment, false, look, out)?;
    metrics(experiment, look, out)?;
    costs::write(experiment, look, out)?;
    notes(experiment, look, out)?;
    method(experiment, look, out)?;
    accounting(experiment, look, out)
}

fn variants(experiment: &Experiment, look: Look, out: &mut dyn Write) -> io::Result<()> {
    for variant in &experiment.variants {
        let first = variant.profiles.first();
        let runs = format!(
            "{}; {}{}",
            variant.description,
            match variant.profiles.len() {
                1 => "1 run".to_owned(),
                runs => format!("{runs} runs"),
            },
            first.map_or_else(String::new, conditions)
        );
        prose::labelled(out, look, &variant.name, &runs)?;
        for done in &variant.done {
            prose::labelled(out, look, "", done)?;
        }
    }
    Ok(())
}

/// What a variant's runs were like.
fn conditions(profile: &Profile) -> String {
    steady_ns(profile).map_or_else(String::new, |ns| format!(" of {}", duration_ns(ns)))
}

/// The headings of a table: names, the variants, and how they compare.
fn headings(experiment: &Experiment, names: &[&str], look: Look) -> Vec<String> {
    let variants = experiment.variants.iter().map(|found| found.name.as_str());
    let mut columns: Vec<String> = names
        .iter()
        .copied()
        .chain(variants)
        .map(str::to_owned)
        .collect();
    if experiment.further.is_empty() {
        let is_narrow = look.columns.is_some_and(|columns| columns < WITH_INTERVALS);
        let heading = if is_narrow {
            "ratio"
        } else {
            "ratio (95 % interval)"
        };
        columns.push(heading.to_owned());
    }
    columns
}

/// One number in all variants.
struct Row<'a> {
    names: Vec<String>,
    /// Of the first variant.
    first: Option<Spread>,
    /// Of each of the others, beside the first.
    others: Vec<(Option<Spread>, Option<f64>, Option<&'a Judgement>)>,
}

impl Row<'_> {
    fn cells(self, look: Look, show: impl Fn(f64) -> String) -> Vec<String> {
        let median = |side: Option<Spread>| side.map_or_else(dash, |side| show(side.median));
        let mut cells = self.names;
        cells.push(median(self.first));
        if let [(other, ratio, judgement)] = self.others[..] {
            cells.push(median(other));
            cells.push(ratio_cell(ratio, judgement, look));
            return cells;
        }
        for (other, ratio, judgement) in self.others {
            let ratio = ratio.map_or_else(String::new, |ratio| format!(" ×{ratio:.2}"));
            cells.push(format!("{}{ratio}{}", median(other), mark(judgement)));
        }
        cells
    }
}

fn dash() -> String {
    "-".to_owned()
}

/// A star where it was judged to differ.
fn mark(judgement: Option<&Judgement>) -> &'static str {
    if judgement.is_some_and(|found| found.differs) {
        "*"
    } else {
        ""
    }
}

pub(super) fn ratio_cell(ratio: Option<f64>, judgement: Option<&Judgement>, look: Look) -> String {
    let Some(ratio) = ratio else { return dash() };
    let has_room = look.columns.is_none_or(|columns| columns >= WITH_INTERVALS);
    let interval = judgement.and_then(|found| found.ratio);
    let interval = interval.filter(|found| has_room && found.low < found.high);
    let interval = interval.map_or_else(String::new, |found| {
        format!(" ({:.2} to {:.2})", found.low, found.high)
    });
    format!("{ratio:.2}{}{interval}", mark(judgement))
}

fn causes(
    experiment: &Experiment,
    steady: bool,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let totals = totals(experiment, steady);
    let rows: Vec<&[CauseComparison]> = experiment
        .comparisons()
        .map(|found| {
            if steady {
                &found.steady[..]
            } else {
                &found.whole[..]
            }
        })
        .collect();
    let mut keys: Vec<(&str, &str)> = Vec::new();
    for row in rows.iter().flat_map(|rows| rows.iter()) {
        let key = (row.cause.as_str(), row.detail.as_str());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let totals: Vec<&[CauseComparison]> = totals.iter().map(Vec::as_slice).collect();
    let all = [
        ("syscall", "(all)"),
        ("page_fault", "(all)"),
        ("interrupt", "(all)"),
    ];
    let summed = all
        .iter()
        .map(|key| joined(*key, &totals).cells(look, amount));
    let most = look.rows(CAUSES);
    let details = keys
        .iter()
        .take(most)
        .map(|key| joined(*key, &rows).cells(look, amount));
    let columns = headings(experiment, &["cause", "detail"], look);
    write!(
        out,
        "{}",
        table::render(&columns, summed.chain(details), 2, look)
    )?;
    if keys.len() > most {
        let more = count((keys.len() - most) as u64);
        writeln!(
            out,
            "{FAINT}and {more} rarer ones: `--format wide` has them all{FAINT:#}"
        )?;
    }
    Ok(())
}

/// Totals of all comparisons: those that were judged, or the others anew.
pub(super) fn totals(experiment: &Experiment, steady: bool) -> Vec<Vec<CauseComparison>> {
    let others = experiment.variants.iter().skip(1);
    experiment
        .comparisons()
        .zip(others)
        .map(|(found, other)| {
            let is_judged = !found.totals.is_empty() && experiment.method.steady == steady;
            if is_judged {
                return found.totals.clone();
            }
            let first = experiment.variants.first().map(|found| &found.profiles[..]);
            compare::totals(first.unwrap_or_default(), &other.profiles, steady)
        })
        .collect()
}

fn joined<'a>(key: (&str, &str), comparisons: &[&'a [CauseComparison]]) -> Row<'a> {
    let mut first = Spread::default();
    let mut others = Vec::new();
    for rows in comparisons {
        let found = rows
            .iter()
            .find(|row| (row.cause.as_str(), row.detail.as_str()) == key);
        if let Some(row) = found {
            first = row.before;
        }
        others.push((
            Some(found.map(|row| row.after).unwrap_or_default()),
            found.and_then(|row| row.ratio),
            found.and_then(|row| row.judgement.as_ref()),
        ));
    }
    Row {
        names: vec![key.0.to_owned(), key.1.to_owned()],
        first: Some(first),
        others,
    }
}

fn metrics(experiment: &Experiment, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let comparisons: Vec<&Comparison> = experiment.comparisons().collect();
    let rows = Metric::ALL.into_iter().filter_map(|metric| {
        let found: Vec<_> = comparisons
            .iter()
            .map(|found| found.metrics.iter().find(|row| row.metric == metric))
            .collect();
        let first = found.iter().copied().flatten().find_map(|row| row.before);
        if found.iter().all(Option::is_none) {
            return None;
        }
        let others = found.iter().map(|row| {
            row.map_or((None, None, None), |row| {
                (row.after, row.ratio, row.judgement.as_ref())
            })
        });
        let row = Row {
            names: vec![metric.words().to_owned()],
            first,
            others: others.collect(),
        };
        Some(row.cells(look, |v| value(metric, v)))
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{STRONG}Throughput, latency and memory{STRONG:#}")?;
    let columns = headings(experiment, &["the program's own numbers"], look);
    write!(out, "{}", table::render(&columns, rows, 1, look))
}

/// What the programs had to say, each thing once.
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

/// How it was judged, and what is odd about the runs.
fn method(experiment: &Experiment, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let method = &experiment.method;
    if method.runs != 0 {
        let text = format!(
            "medians of {} interleaved runs{}, and 95 % intervals of their ratio by bootstrap; * \
             differs by an exact rank test, {} numbers judged together at {:.0} % (Holm); what \
             has no star was not judged or did not differ",
            method.runs,
            match method.warm_up {
                0 => String::new(),
                warm_up => format!(" after {warm_up} to warm up"),
            },
            method.judged,
            method.level * 100.0
        );
        prose::labelled(out, look, "method", &text)?;
    }
    for outlier in experiment.outliers.iter().take(look.rows(OUTLIERS)) {
        prose::labelled(out, look, "outlier (kept)", &outlier_words(outlier))?;
    }
    let more = experiment
        .outliers
        .len()
        .saturating_sub(look.rows(OUTLIERS));
    if more != 0 {
        let text = format!("and {more} more: `--format wide` names them all");
        prose::labelled(out, look, "", &text)?;
    }
    Ok(())
}

pub(super) fn outlier_words(outlier: &Outlier) -> String {
    let metric = Metric::ALL
        .into_iter()
        .find(|metric| metric.words() == outlier.what);
    let show = |number: f64| metric.map_or_else(|| amount(number), |metric| value(metric, number));
    format!(
        "{} of run {} of {} was {}, the median is {}",
        outlier.what,
        outlier.run,
        outlier.variant,
        show(outlier.value),
        show(outlier.median)
    )
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
        .flat_map(|profile| profile.accounting.lost())
        .map(|(_, lost)| lost)
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
    prose::labelled(out, look, "accounting", &text)?;
    // What is told apart elsewhere is one row here.
    let hidden = profiles
        .iter()
        .flat_map(|profile| &profile.accounting.unavailable);
    let hidden: BTreeSet<String> = hidden
        .filter(|missing| {
            let conceals = missing.gap.conceals();
            conceals
                .iter()
                .any(|what| matches!(what, Concealed::Split(..)))
        })
        .map(|missing| format!("{}: {}", missing.gap.what(), missing.reason))
        .collect();
    for missing in hidden {
        prose::labelled(out, look, "unavailable", &missing)?;
    }
    Ok(())
}
