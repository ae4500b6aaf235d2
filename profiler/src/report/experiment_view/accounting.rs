//! What stands behind the counts of all runs.

use std::collections::BTreeMap;

use super::profiles;
use crate::{
    experiment::model::Experiment,
    gap::Concealed,
    profile::model::{CheckVerdict, Profile},
    report::{
        profile_view::sums,
        units::{count, duration_ns},
        verdict,
        view::{Block, Cell, Fact, Kind, List, Scope, Section, Table, Tone, column},
    },
};

/// The section.
pub(super) fn section(experiment: &Experiment) -> Section {
    let mut blocks = Vec::new();
    if profiles(experiment).all(|profile| profile.accounting.inexact.is_empty()) {
        let text = "The counts of every run are exact: no event is known to have been missed.";
        blocks.push(Block::full_prose(Tone::Good, text));
    }
    let (mut missed, mut lost) = (0_u64, 0_u64);
    for profile in profiles(experiment) {
        let (more_missed, more_lost) = sums(&profile.accounting);
        missed = missed.saturating_add(more_missed);
        lost = lost.saturating_add(more_lost);
    }
    let first = profiles(experiment).next();
    let text = format!(
        "backend {}, kernel {}; over all runs {} missed by the probes, {} not kept",
        first.map_or("", |profile| profile.backend.name.as_str()),
        first.map_or("", |profile| profile.host.kernel.as_str()),
        count(missed),
        count(lost)
    );
    let mut facts = vec![Fact::new("accounting", text)];
    // Each thing once. What is told apart elsewhere and is one row here matters.
    let mut missing: BTreeMap<(String, &str), Scope> = BTreeMap::new();
    for row in profiles(experiment).flat_map(|profile| &profile.accounting.unavailable) {
        let conceals = row.gap.conceals();
        let matters = conceals
            .iter()
            .any(|what| matches!(what, Concealed::Split(..)));
        let scope = if matters { Scope::Always } else { Scope::Full };
        missing.insert((row.gap.what(), row.reason.as_str()), scope);
    }
    let missing = missing.into_iter();
    facts.extend(missing.map(|((what, why), scope)| Fact {
        scope,
        ..Fact::new("unavailable", format!("{what}: {why}"))
    }));
    blocks.push(Block::Facts(facts));
    blocks.push(Block::Table(table(experiment)));
    Section::new("accounting", "Accounting", blocks)
}

fn table(experiment: &Experiment) -> Table {
    let rows = experiment.variants.iter().flat_map(|variant| {
        let runs = (1_usize..).zip(&variant.profiles);
        runs.map(move |(n, run)| {
            let (missed, lost) = sums(&run.accounting);
            let cells = [
                variant.name.clone(),
                n.to_string(),
                count(run.ledger.total),
                duration_ns(run.window.duration_ns),
                count(missed),
                count(lost),
                count(run.accounting.unclassified),
                checks(run),
                verdict::ending(run).unwrap_or_else(|| "well".to_owned()),
            ];
            cells.map(Cell::from).to_vec()
        })
    });
    Table {
        caption: "What stands behind each run".to_owned(),
        list: List {
            what: "runs",
            field: "variants[].profiles[].accounting",
            usual: 24,
        },
        columns: vec![
            column("variant", Kind::Text),
            column("run", Kind::Id),
            column("entries", Kind::Number),
            column("time", Kind::Number),
            column("missed", Kind::Number),
            column("not kept", Kind::Number),
            column("unclassified", Kind::Number),
            column("checks", Kind::Text),
            column("ended", Kind::Text),
        ],
        heads: 2,
        rows: rows.collect(),
        scope: Scope::Full,
    }
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
