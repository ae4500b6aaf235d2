//! What stands behind the counts of all runs.

use maud::html;

use crate::{
    experiment::model::Experiment,
    profile::model::{CheckVerdict, Profile},
    report::{
        html::{
            page::Section,
            prose::alarm,
            table::{Kind, more, table},
        },
        units::{count, duration_ns},
        verdict,
    },
};

/// Runs in the table, and lines of each list.
const RUNS: usize = 100;
const LINES: usize = 40;

/// The section.
#[must_use]
pub fn section(experiment: &Experiment) -> Section {
    let all = || {
        experiment.variants.iter().flat_map(|variant| {
            (1_usize..)
                .zip(&variant.profiles)
                .map(move |(n, run)| (variant, n, run))
        })
    };
    let columns = [
        ("variant", Kind::Text),
        ("run", Kind::Number),
        ("entries", Kind::Number),
        ("time", Kind::Number),
        ("missed", Kind::Number),
        ("not kept", Kind::Number),
        ("unclassified", Kind::Number),
        ("checks", Kind::Text),
        ("ended", Kind::Text),
    ];
    let rows = all().take(RUNS).map(|(variant, n, run)| {
        let accounting = &run.accounting;
        vec![
            variant.name.clone(),
            n.to_string(),
            count(run.ledger.total),
            duration_ns(run.window.duration_ns),
            count(accounting.misses.iter().filter_map(|miss| miss.count).sum()),
            count(accounting.lost().map(|(_, lost)| lost).sum()),
            count(accounting.unclassified),
            checks(run),
            verdict::ending(run).unwrap_or_else(|| "well".to_owned()),
        ]
    });
    let reasons = inexact(experiment);
    let mut missing: Vec<(String, &str)> = all()
        .flat_map(|(_, _, run)| &run.accounting.unavailable)
        .map(|row| (row.gap.what(), row.reason.as_str()))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    let length = missing.len();
    let absent = missing.into_iter().take(LINES);
    let absent = absent.map(|(what, why)| vec![what, why.to_owned()]);
    let body = html! {
        @if reasons.is_empty() {
            p.good { "The counts of every run are exact: no event is known to have been missed." }
        } @else {
            @for reason in reasons.iter().take(LINES) { (alarm(&format!("NOT EXACT: {reason}"))) }
        }
        (table("What stands behind each run", &columns, 2, rows))
        (more(all().count(), RUNS, "runs", "variants[].profiles[].accounting"))
        @if length != 0 {
            (table("What these runs cannot tell, and why", &[("what", Kind::Text), ("why", Kind::Text)], 1, absent))
            (more(length, LINES, "of these", "variants[].profiles[].accounting.unavailable"))
        }
    };
    Section::new("accounting", "Accounting", body)
}

/// Cross-checks that failed, or how many held.
fn checks(run: &Profile) -> String {
    let of = |verdict| {
        let checks = run.accounting.cross_checks.iter();
        checks.filter(|check| check.verdict == verdict).count()
    };
    match of(CheckVerdict::Inconsistent) {
        0 => format!(
            "{} consistent, {} not contradicted",
            of(CheckVerdict::Consistent),
            of(CheckVerdict::NotContradicted)
        ),
        bad => format!("{bad} INCONSISTENT"),
    }
}

/// Why counts of some runs are a lower bound, each reason once.
#[must_use]
pub fn inexact(experiment: &Experiment) -> Vec<&str> {
    let profiles = experiment
        .variants
        .iter()
        .flat_map(|variant| &variant.profiles);
    let mut reasons: Vec<&str> = profiles
        .flat_map(|profile| profile.accounting.inexact.iter().map(String::as_str))
        .collect();
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}
