//! From the runs to the document. Pure.

use super::{
    compare,
    conclude::{conclude, conclude_all},
    model::{Experiment, KIND, Method, Metric, Outlier, Unit, Variant},
};
use crate::{
    profile::{exactness::unsound, model::SCHEMA_VERSION},
    stats::{bootstrap::median, judgement::LEVEL, outliers, rank_test::runs_needed},
};

/// Compares the variants and draws the conclusions.
#[must_use]
pub fn analyse(question: String, variants: Vec<Variant>, warm_up: u32) -> Experiment {
    let mut comparisons = compare::all(&variants);
    let judged = compare::judged(&mut comparisons);
    let runs = variants.iter().map(|variant| variant.profiles.len());
    let method = Method {
        runs: runs.min().unwrap_or(0),
        warm_up,
        level: LEVEL,
        judged,
        runs_needed: needed(&comparisons, judged),
        steady: compare::is_steady(&variants),
    };
    for comparison in &mut comparisons {
        comparison.conclusion = conclude(comparison, &method, &variants);
    }
    let conclusion = conclude_all(&comparisons, &method);
    let first = variants.iter().find_map(|variant| variant.profiles.first());
    let tool = first
        .map(|profile| profile.tool.clone())
        .unwrap_or_default();
    let mut comparisons = comparisons.into_iter();
    let mut experiment = Experiment {
        schema_version: SCHEMA_VERSION,
        kind: KIND.to_owned(),
        tool,
        question,
        comparison: comparisons.next().unwrap_or_default(),
        further: comparisons.collect(),
        outliers: outliers_of(&variants),
        interrupted: None,
        variants,
        method,
        conclusion,
    };
    refuse(&mut experiment);
    experiment
}

/// Concludes nothing from runs by which the gate would judge nothing: counts that
/// are in doubt differ by more than is known.
pub fn refuse(experiment: &mut Experiment) {
    let variants = &experiment.variants;
    let all: usize = variants.iter().map(|one| one.profiles.len()).sum();
    let doubtful = variants.iter().flat_map(|variant| {
        let runs = variant.profiles.iter().zip(1..);
        runs.filter_map(move |(profile, run)| {
            let reason = unsound(profile, &compare::CAUSES).into_iter().next()?;
            Some(format!("{}, run {run}: {reason}", variant.name))
        })
    });
    let doubtful: Vec<String> = doubtful.collect();
    let Some(first) = doubtful.first() else {
        return;
    };
    experiment.conclusion = format!(
        "Nothing is concluded, since the counts of {} of {all} runs are in doubt ({first}): what \
         follows is shown as it was measured.",
        doubtful.len()
    );
    let further = experiment.further.iter_mut();
    for comparison in further.chain([&mut experiment.comparison]) {
        comparison.conclusion.clone_from(&experiment.conclusion);
        let totals = comparison.totals.iter_mut();
        let metrics = comparison.metrics.iter_mut();
        let judgements = totals.filter_map(|row| row.judgement.as_mut());
        for judgement in judgements.chain(metrics.filter_map(|row| row.judgement.as_mut())) {
            judgement.differs = false;
        }
    }
}

/// The runs that it takes: with a single run nothing has been judged yet, and
/// six numbers would be.
fn needed(comparisons: &[super::model::Comparison], judged: usize) -> usize {
    let least = if judged == 0 {
        6 * comparisons.len()
    } else {
        judged
    };
    runs_needed(least, LEVEL)
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
