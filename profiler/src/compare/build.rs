//! From the sides to the document.

use super::{
    basis::{Measure, Scope},
    causes,
    change::in_basis,
    code, mappings,
    model::{CauseChange, Compared, Comparison, KIND, Method},
    side::Group,
    threads, verdict, warnings,
};
use crate::{
    profile::model::{SCHEMA_VERSION, Tool},
    stats::{holm, judgement::LEVEL, rank_test::runs_needed},
};

/// Compares each side with the first. `tool` is who compares.
#[must_use]
pub fn compare(groups: &[Group], tool: Tool) -> Compared {
    let Some((first, others)) = groups.split_first() else {
        return Compared::default();
    };
    let mut pairs: Vec<(Comparison, Measure)> =
        others.iter().map(|other| pair(first, other)).collect();
    let judged = judge(&mut pairs, first, others);
    let numbers = pairs.iter().map(|(found, _)| found.totals.len()).sum();
    let runs = groups.iter().map(|group| group.profiles.len());
    let method = Method {
        runs: runs.min().unwrap_or(0),
        runs_needed: runs_needed(if judged == 0 { numbers } else { judged }, LEVEL),
        judged,
        level: LEVEL,
    };
    let mut comparisons: Vec<Comparison> = pairs.into_iter().map(|(found, _)| found).collect();
    for found in &mut comparisons {
        found.verdict = verdict::one(found, &method);
    }
    Compared {
        schema_version: SCHEMA_VERSION,
        kind: KIND.to_owned(),
        tool,
        verdict: verdict::all(&comparisons, &method),
        sides: groups.iter().map(Group::describe).collect(),
        warnings: warnings::all(groups, &comparisons),
        comparisons,
        method,
    }
}

/// Two sides, and how their totals are measured.
fn pair(before: &Group, after: &Group) -> (Comparison, Measure) {
    let whole = Measure::of(before, after, Scope::Whole);
    let steady = (before.is_steady() && after.is_steady())
        .then(|| Measure::of(before, after, Scope::Steady));
    let scope = steady.as_ref().map_or(Scope::Whole, |_| Scope::Steady);
    let judged = steady.clone().unwrap_or_else(|| whole.clone());
    let found = Comparison {
        before: before.label.clone(),
        after: after.label.clone(),
        verdict: String::new(),
        steady: steady.is_some(),
        steady_basis: steady.as_ref().map(|found| found.basis).unwrap_or_default(),
        whole_basis: whole.basis,
        totals: causes::totals(before, after, &judged, scope),
        by_cause_steady: steady.map_or_else(Vec::new, |steady| {
            causes::by_detail(before, after, &steady, Scope::Steady)
        }),
        by_cause: causes::by_detail(before, after, &whole, Scope::Whole),
        by_code: code::changes(before, after, &whole),
        by_thread: threads::changes(before, after, &whole),
        by_mapping: mappings::changes(before, after, &whole),
    };
    (found, judged)
}

/// Decides all totals of all comparisons together. How many there were.
fn judge(pairs: &mut [(Comparison, Measure)], first: &Group, others: &[Group]) -> usize {
    let judgements = |found: &Comparison| -> Vec<f64> {
        let rows = found.totals.iter();
        rows.filter_map(|row| Some(row.change.judgement.as_ref()?.p))
            .collect()
    };
    let probabilities: Vec<f64> = pairs
        .iter()
        .flat_map(|(found, _)| judgements(found))
        .collect();
    let mut adjusted = holm::adjusted(&probabilities).into_iter();
    for ((found, measure), other) in pairs.iter_mut().zip(others) {
        let scope = if found.steady {
            Scope::Steady
        } else {
            Scope::Whole
        };
        for (cause, row) in causes::judged().zip(&mut found.totals) {
            let values = in_basis(
                &Some(causes::total(first, cause, scope)),
                &Some(causes::total(other, cause, scope)),
                measure,
            );
            decide(row, values, &mut adjusted, probabilities.len());
        }
    }
    probabilities.len()
}

fn decide(
    row: &mut CauseChange,
    values: Option<(Vec<f64>, Vec<f64>)>,
    adjusted: &mut impl Iterator<Item = f64>,
    judged: usize,
) {
    let Some(judgement) = row.change.judgement.as_mut() else {
        return;
    };
    if let (Some((before, after)), Some(adjusted)) = (values, adjusted.next()) {
        judgement.decide(adjusted, judged, (&before, &after));
    }
}
