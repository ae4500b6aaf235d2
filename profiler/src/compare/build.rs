//! From the sides to the document: the one engine that compares runs. Experiments
//! and baselines hand their profiles to it, too.

use super::{
    basis::{Measure, Scope},
    causes,
    change::in_basis,
    code, conclude, costs, mappings,
    metric::Metric,
    metrics,
    model::{ComparisonReport, KIND, Method, SidePair},
    side::Group,
    threads, warnings,
};
use crate::{
    profile::model::{SCHEMA_VERSION, Tool},
    stats::{
        holm,
        judgement::{Judgement, LEVEL},
        rank_test::runs_needed,
    },
};

/// The most numbers that are judged of each pair of sides: the totals of the causes,
/// throughput and two percentiles.
pub const MOST_JUDGED: usize = 6;

/// Compares each side with the first. `tool` is who compares.
#[must_use]
pub fn compare(groups: &[Group<'_>], tool: Tool) -> ComparisonReport {
    if groups.is_empty() {
        return ComparisonReport::default();
    }
    let (mut comparisons, method) = pairs(groups);
    let doubt = conclude::doubt(groups);
    if doubt.is_some() {
        comparisons.iter_mut().for_each(conclude::withdraw);
    }
    ComparisonReport {
        schema_version: SCHEMA_VERSION,
        kind: KIND.to_owned(),
        tool,
        verdict: conclude::all(&comparisons, &method, doubt),
        sides: groups.iter().map(Group::describe).collect(),
        warnings: warnings::all(groups, &comparisons),
        comparisons,
        method,
    }
}

/// Each side beside the first, judged together, and how.
#[must_use]
pub fn pairs(groups: &[Group<'_>]) -> (Vec<SidePair>, Method) {
    let Some((first, others)) = groups.split_first() else {
        return (Vec::new(), Method::default());
    };
    let mut pairs: Vec<(SidePair, Measure)> =
        others.iter().map(|other| pair(first, other)).collect();
    let judged = judge(&mut pairs, first, others);
    // With a single run nothing has been judged yet, and as many would be.
    let asked = pairs
        .iter()
        .map(|(found, _)| causes::JUDGED.len() + metrics::judged(&found.metrics).len());
    let asked = if judged == 0 { asked.sum() } else { judged };
    let runs = groups.iter().map(|group| group.profiles.len());
    let method = Method {
        runs: runs.min().unwrap_or(0),
        runs_needed: runs_needed(asked, LEVEL),
        judged,
        level: LEVEL,
    };
    let mut pairs: Vec<SidePair> = pairs.into_iter().map(|(found, _)| found).collect();
    for found in &mut pairs {
        found.verdict = conclude::one(found, &method);
    }
    (pairs, method)
}

/// Two sides, and how their totals are measured.
fn pair(before: &Group<'_>, after: &Group<'_>) -> (SidePair, Measure) {
    let whole = Measure::of(before, after, Scope::Whole);
    let steady = (before.is_steady() && after.is_steady())
        .then(|| Measure::of(before, after, Scope::Steady));
    let scope = steady.as_ref().map_or(Scope::Whole, |_| Scope::Steady);
    let judged = steady.clone().unwrap_or_else(|| whole.clone());
    let found = SidePair {
        before: before.label.clone(),
        after: after.label.clone(),
        verdict: String::new(),
        steady: steady.is_some(),
        steady_basis: steady.as_ref().map(|found| found.per).unwrap_or_default(),
        whole_basis: whole.per,
        totals: causes::totals(before, after, &judged, scope),
        by_cause_steady: steady.map_or_else(Vec::new, |steady| {
            causes::by_detail(before, after, &steady, Scope::Steady)
        }),
        by_cause: causes::by_detail(before, after, &whole, Scope::Whole),
        by_code: code::changes(before, after, &whole),
        by_thread: threads::changes(before, after, &whole),
        by_mapping: mappings::changes(before, after, &whole),
        metrics: metrics::changes(before, after),
        costs: costs::costs(before, after),
    };
    (found, judged)
}

/// A number that is judged.
struct Asked<'a> {
    judgement: &'a mut Judgement,
    values: (Vec<f64>, Vec<f64>),
    /// The probability that decides.
    p: f64,
}

/// Decides all numbers of all pairs together. How many there were, but for the sums
/// of all causes: such a sum can differ only where one of its causes does, and so
/// it takes its turn when that has been found.
fn judge(pairs: &mut [(SidePair, Measure)], first: &Group<'_>, others: &[Group<'_>]) -> usize {
    let (mut asked, mut sums) = (Vec::new(), Vec::new());
    for ((found, measure), other) in pairs.iter_mut().zip(others) {
        let scope = if found.steady {
            Scope::Steady
        } else {
            Scope::Whole
        };
        let mut smallest: f64 = 1.0;
        let mut sum = None;
        for (cause, row) in causes::judged().zip(&mut found.totals) {
            let values = in_basis(
                &causes::total(first, cause, scope),
                &causes::total(other, cause, scope),
                measure,
            );
            let Some((judgement, values)) = row.change.judgement.as_mut().zip(values) else {
                continue;
            };
            let p = judgement.p;
            let number = Asked {
                judgement,
                values,
                p,
            };
            if cause.is_some() {
                smallest = smallest.min(p);
                asked.push(number);
            } else {
                sum = Some(number);
            }
        }
        sums.extend(sum.map(|sum| Asked {
            p: sum.p.max(smallest),
            ..sum
        }));
        let wanted: &[Metric] = metrics::judged(&found.metrics);
        for row in &mut found.metrics {
            let values = metrics::values(first, row.metric).zip(metrics::values(other, row.metric));
            let judgement = row
                .judgement
                .as_mut()
                .filter(|_| wanted.contains(&row.metric));
            asked.extend(judgement.zip(values).map(|(judgement, values)| Asked {
                p: judgement.p,
                judgement,
                values,
            }));
        }
    }
    let judged = asked.len();
    asked.extend(sums);
    let probabilities: Vec<f64> = asked.iter().map(|number| number.p).collect();
    let adjusted = holm::adjusted_at_most(&probabilities, judged);
    for (number, adjusted) in asked.into_iter().zip(adjusted) {
        let (before, after) = &number.values;
        number.judgement.decide(adjusted, judged, (before, after));
    }
    judged
}
