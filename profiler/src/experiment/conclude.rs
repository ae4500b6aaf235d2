//! What follows from a comparison, in one sentence. Pure.

use std::collections::BTreeMap;

use super::{
    compare::JUDGED,
    model::{CauseComparison, Comparison, Method, Metric, MetricComparison, Unit, Variant},
};
use crate::{
    profile::ledger::as_float,
    report::{
        units::{amount, bytes, duration_ns, rate},
        verdict::words,
    },
    stats::{bootstrap::median, judgement::Judgement},
};

/// The part of a change above which it is "nearly all" of it.
const NEARLY_ALL: f64 = 0.9;

/// The conclusion of a whole experiment.
#[must_use]
pub fn conclude_all(comparisons: &[Comparison], method: &Method) -> String {
    if method.runs < method.runs_needed {
        return format!(
            "With {} of each variant nothing can be told from chance, which takes {}: what \
             follows is shown as it was measured.",
            runs(method.runs),
            method.runs_needed
        );
    }
    if let [only] = comparisons {
        return only.conclusion.clone();
    }
    let each = comparisons
        .iter()
        .map(|found| format!("{}: {}", found.after, found.conclusion));
    each.collect::<Vec<_>>().join(" ")
}

/// The conclusion of one comparison.
#[must_use]
pub fn conclude(comparison: &Comparison, method: &Method, variants: &[Variant]) -> String {
    let cause = comparison
        .totals
        .iter()
        .filter(|row| differs(row.judgement.as_ref()))
        .max_by(|a, b| change(a).abs().total_cmp(&change(b).abs()));
    let has_io = comparison
        .metrics
        .iter()
        .any(|row| row.metric == Metric::Iops);
    let metrics: Vec<&MetricComparison> = comparison
        .metrics
        .iter()
        .filter(|row| is_judged(row.judgement.as_ref()) || (has_io && JUDGED.contains(&row.metric)))
        .collect();
    let moved = metrics.iter().any(|row| differs(row.judgement.as_ref()));
    let place = if method.steady {
        " in steady state"
    } else {
        ""
    };
    let mut text = match cause {
        Some(row) => format!("{}{place}", cause_words(row, comparison, method, variants)),
        None if moved => format!("no cause's entries differ measurably{place}"),
        None => format!("no difference could be measured: entries{place} did not change"),
    };
    if !metrics.is_empty() {
        text.push_str("; ");
        let words: Vec<String> = metrics.into_iter().map(metric_words).collect();
        text.push_str(&words.join(", "));
    }
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

fn is_judged(judgement: Option<&Judgement>) -> bool {
    judgement.is_some_and(|found| found.adjusted_p.is_some())
}

fn differs(judgement: Option<&Judgement>) -> bool {
    judgement.is_some_and(|found| found.differs)
}

fn change(row: &CauseComparison) -> f64 {
    row.after.median - row.before.median
}

/// The cause that changed most, and what of it.
fn cause_words(
    row: &CauseComparison,
    comparison: &Comparison,
    method: &Method,
    variants: &[Variant],
) -> String {
    let details = if method.steady {
        &comparison.steady
    } else {
        &comparison.whole
    };
    let detail = details
        .iter()
        .filter(|detail| detail.cause == row.cause && change(detail) * change(row) > 0.0)
        .max_by(|a, b| change(a).abs().total_cmp(&change(b).abs()));
    let detail = detail.map_or_else(String::new, |detail| {
        let part = change(detail) / change(row);
        if part >= NEARLY_ALL {
            format!(" ({})", detail.detail)
        } else {
            format!(" (most of it {}: {:.0} %)", detail.detail, part * 100.0)
        }
    });
    let symbol = responsible(row, comparison, variants)
        .map_or_else(String::new, |symbol| format!(", most of it in `{symbol}`"));
    format!(
        "{}{detail} {} from {} to {} per run{symbol}",
        words(&row.cause),
        direction(change(row)),
        amount(row.before.median),
        amount(row.after.median)
    )
}

const fn direction(change: f64) -> &'static str {
    if change < 0.0 { "fell" } else { "rose" }
}

/// The function that accounts for more than half of a cause's change, if code
/// has names.
fn responsible(
    row: &CauseComparison,
    comparison: &Comparison,
    variants: &[Variant],
) -> Option<String> {
    let of = |name: &str| variants.iter().find(|variant| variant.name == name);
    let by_symbol = |variant: &Variant| -> Vec<BTreeMap<String, f64>> {
        let profiles = variant.profiles.iter();
        profiles
            .map(|profile| {
                let mut counts = BTreeMap::new();
                for code in &profile.ledger.by_code {
                    if let Some(symbol) = code.symbol.as_ref().filter(|_| *code.cause == *row.cause)
                    {
                        *counts.entry(symbol.clone()).or_default() += as_float(code.count);
                    }
                }
                counts
            })
            .collect()
    };
    let (before, after) = (
        by_symbol(of(&comparison.before)?),
        by_symbol(of(&comparison.after)?),
    );
    let typical = |runs: &[BTreeMap<String, f64>], symbol: &str| {
        let mut counts: Vec<f64> = runs
            .iter()
            .map(|run| run.get(symbol).copied().unwrap_or(0.0))
            .collect();
        median(&mut counts)
    };
    let symbols = before.iter().chain(&after).flat_map(BTreeMap::keys);
    symbols
        .map(|symbol| (symbol, typical(&after, symbol) - typical(&before, symbol)))
        .find(|(_, part)| part / change(row) > 0.5)
        .map(|(symbol, _)| symbol.clone())
}

fn metric_words(row: &MetricComparison) -> String {
    let name = row.metric.words();
    let (Some(before), Some(after)) = (row.before, row.after) else {
        return format!("{name} is not known of every run (too few I/Os)");
    };
    let judgement = row.judgement.as_ref();
    if !differs(judgement) {
        let visible = judgement.and_then(|found| found.smallest_ratio);
        return match visible {
            Some(ratio) => format!(
                "{name} did not change measurably ({} would have shown)",
                factor(ratio)
            ),
            None => format!("{name} did not change measurably (these runs vary too much)"),
        };
    }
    format!(
        "{name} {} from {} to {}",
        direction(after.median - before.median),
        value(row.metric, before.median),
        value(row.metric, after.median)
    )
}

/// A ratio as people say it.
fn factor(ratio: f64) -> String {
    if ratio < 1.5 {
        format!("{:.1} %", (ratio - 1.0) * 100.0)
    } else {
        format!("a factor of {ratio:.1}")
    }
}

fn runs(count: usize) -> String {
    if count == 1 {
        "1 run".to_owned()
    } else {
        format!("{count} runs")
    }
}

/// A metric's value with its unit.
#[must_use]
pub fn value(metric: Metric, value: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "times and sizes are not negative and far below u64's limit"
    )]
    let whole = value.round() as u64;
    match metric.unit() {
        Unit::Nanoseconds => duration_ns(whole),
        Unit::Bytes => bytes(whole),
        Unit::Rate => rate(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{analyse::analyse, model::Experiment};
    use crate::{
        collect::snapshot::{Machine, Snapshot},
        kernel::interrupts::Interrupts,
        profile::{
            build,
            model::{CauseRow, CheckVerdict, CrossCheck, Profile},
        },
    };

    /// A variant whose runs made so many page faults of one kind.
    fn variant(name: &str, faults: &[u64]) -> Variant {
        let profiles = faults.iter().map(|&count| {
            let quiet = || Interrupts::parse("CPU0\nHYP: 0 x\n");
            let snapshot = Snapshot {
                machine: Machine {
                    interrupts_before: quiet(),
                    interrupts_after: quiet(),
                    ..Machine::default()
                },
                ..Snapshot::default()
            };
            let mut profile = build::profile(&snapshot.into());
            profile.window.duration_ns = 1_000_000_000 + count % 7;
            profile.ledger.by_cause = vec![CauseRow {
                cause: "page_fault".into(),
                detail: "first_touch".to_owned(),
                count,
                ..CauseRow::default()
            }];
            profile
        });
        Variant {
            name: name.to_owned(),
            profiles: profiles.collect(),
            ..Variant::default()
        }
    }

    fn experiment(variants: Vec<Variant>) -> Experiment {
        analyse(String::new(), variants, 0)
    }

    /// The cause that explains the change is named, with its size.
    #[test]
    fn the_cause_is_named() {
        let found = experiment(vec![
            variant("a", &[4_096, 4_097, 4_098, 4_096, 4_099]),
            variant("b", &[0, 1, 0, 0, 2]),
        ]);
        let words = "Page faults (first_touch) fell from 4,097 to 0 per run";
        assert!(found.conclusion.starts_with(words), "{}", found.conclusion);
    }

    /// Without a difference, none is claimed, and too few runs judge nothing,
    /// however far apart they are.
    #[test]
    fn nothing_is_claimed_without_reason() {
        let same = experiment(vec![
            variant("a", &[10, 12, 11, 13, 9]),
            variant("b", &[11, 10, 12, 9, 13]),
        ]);
        let words = "No difference could be measured: entries did not change";
        assert!(same.conclusion.starts_with(words), "{}", same.conclusion);
        let few = experiment(vec![
            variant("a", &[4_096, 4_096, 4_096]),
            variant("b", &[0, 0, 0]),
        ]);
        assert!(
            few.conclusion.starts_with("With 3 runs"),
            "{}",
            few.conclusion
        );
        assert!(
            few.comparison
                .totals
                .iter()
                .all(|row| !differs(row.judgement.as_ref()))
        );
    }

    /// Where the gate would judge nothing, nothing is concluded, and the first line
    /// says so.
    #[test]
    fn nothing_is_concluded_from_doubtful_runs() {
        let sound = [
            variant("a", &[4_096, 4_097, 4_098, 4_096, 4_099]),
            variant("b", &[0, 1, 0, 0, 2]),
        ];
        let spoils: [fn(&mut Profile); 6] = [
            |p| p.accounting.inexact.push("some were missed".to_owned()),
            |p| {
                p.accounting.cross_checks.push(CrossCheck {
                    verdict: CheckVerdict::Inconsistent,
                    ..CrossCheck::default()
                });
            },
            |p| {
                p.target.command = vec!["a".to_owned()];
                p.exit.left_running = 2;
            },
            |p| {
                p.target.command = vec!["a".to_owned()];
                p.ledger.by_cause.clear();
            },
            |p| p.accounting.unclassified = 1,
            |p| {
                p.accounting.losses.insert("ledger_full".to_owned(), 1);
            },
        ];
        for spoil in spoils {
            let mut variants = sound.to_vec();
            spoil(&mut variants[1].profiles[3]);
            let found = experiment(variants);
            let words = "Nothing is concluded, since the counts of 1 of 10 runs are in doubt (b, \
                         run 4: ";
            assert!(found.conclusion.starts_with(words), "{}", found.conclusion);
            let mut totals = found.comparison.totals.iter();
            assert!(totals.all(|row| !differs(row.judgement.as_ref())));
        }
    }

    /// Several variants are each beside the first, and judged together.
    #[test]
    fn several_variants_are_told_one_by_one() {
        let found = experiment(vec![
            variant("a", &[100, 101, 102, 103, 104, 105]),
            variant("b", &[1, 2, 3, 4, 5, 6]),
            variant("c", &[104, 101, 103, 100, 105, 102]),
        ]);
        assert_eq!(found.further.len(), 1);
        assert!(
            found.conclusion.contains("b: Page faults"),
            "{}",
            found.conclusion
        );
        assert!(
            found.conclusion.contains("c: No difference"),
            "{}",
            found.conclusion
        );
        assert_eq!(
            found.method.judged, 8,
            "three causes and the run time, twice"
        );
    }
}
