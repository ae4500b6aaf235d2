//! From the runs to the document. Pure: the comparison itself is
//! [`crate::compare`]'s.

use super::model::{Experiment, KIND, Outlier, Procedure, Variant};
use crate::{
    compare::{
        build,
        conclude::{self, withdraw},
        metric::{Metric, Unit},
        side::Group,
    },
    profile::model::SCHEMA_VERSION,
    stats::{bootstrap::median, outliers},
};

/// Has the variants compared and puts the document together.
#[must_use]
pub fn analyse(question: String, variants: Vec<Variant>, warm_up: u32) -> Experiment {
    let (pairs, judged) = build::pairs(&groups(&variants));
    let first = variants.iter().find_map(|variant| variant.profiles.first());
    let tool = first
        .map(|profile| profile.tool.clone())
        .unwrap_or_default();
    let conclusion = conclude::all(&pairs, &judged, None);
    let steady = !pairs.is_empty() && pairs.iter().all(|pair| pair.steady);
    let mut pairs = pairs.into_iter();
    let mut experiment = Experiment {
        schema_version: SCHEMA_VERSION,
        kind: KIND.to_owned(),
        tool,
        question,
        comparison: pairs.next().unwrap_or_default(),
        further: pairs.collect(),
        outliers: outliers_of(&variants),
        interrupted: None,
        variants,
        method: Procedure {
            judged,
            warm_up,
            steady,
        },
        conclusion,
    };
    refuse(&mut experiment);
    experiment
}

fn groups(variants: &[Variant]) -> Vec<Group<'_>> {
    variants.iter().map(Variant::group).collect()
}

/// Concludes nothing from runs by which the gate would judge nothing.
pub fn refuse(experiment: &mut Experiment) {
    let Some(doubt) = conclude::doubt(&groups(&experiment.variants)) else {
        return;
    };
    let mut pairs = Vec::new();
    for pair in experiment
        .further
        .iter_mut()
        .chain([&mut experiment.comparison])
    {
        withdraw(pair);
    }
    pairs.extend(experiment.comparisons().cloned());
    experiment.conclusion = conclude::all(&pairs, &experiment.method.judged, Some(doubt));
}

/// Runs unlike the others of their variant, in one of the program's numbers.
/// Memory is looked at now and then, so its numbers are odd by themselves.
fn outliers_of(variants: &[Variant]) -> Vec<Outlier> {
    let mut found = Vec::new();
    for variant in variants {
        for metric in Metric::ALL {
            if metric.unit() == Unit::Bytes {
                continue;
            }
            let values: Option<Vec<f64>> = variant.profiles.iter().map(|p| metric.of(p)).collect();
            let Some(values) = values else { continue };
            for place in outliers::places(&values) {
                found.push(Outlier {
                    variant: variant.name.clone(),
                    run: place + 1,
                    what: metric.words().to_owned(),
                    value: values[place],
                    median: median(&mut values.clone()),
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        collect::snapshot::{Machine, Snapshot},
        compare::{change::RowVerdict, model::CauseChange},
        kernel::interrupts::Interrupts,
        profile::{
            build,
            model::{CauseRow, CheckVerdict, CrossCheck, Profile},
        },
    };

    fn differs(row: &CauseChange) -> bool {
        row.change.verdict() == RowVerdict::Differs
    }

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
        assert!(few.comparison.totals.iter().all(|row| !differs(row)));
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
            assert!(totals.all(|row| !differs(row)));
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
            found.method.judged.judged, 8,
            "three causes and the run time, twice"
        );
    }
}
