//! An experiment as a view: before and after.

mod accounting;
mod causes;
mod latency;
mod method;
mod metrics;
mod verdicts;

use std::collections::BTreeSet;

use super::{profile_view::target, view::View};
use crate::{experiment::model::Experiment, profile::model::Profile};

/// An experiment as people read it.
#[must_use]
pub fn view(experiment: &Experiment) -> View {
    let mut sections = vec![method::variants(experiment)];
    sections.extend(causes::sections(experiment));
    sections.extend(latency::section(experiment));
    sections.extend(metrics::section(experiment));
    sections.push(method::method(experiment));
    sections.push(accounting::section(experiment));
    sections.push(method::host_and_commands(experiment));
    let mut remarks: Vec<String> = experiment.io().and_then(target).into_iter().collect();
    if !experiment.further.is_empty() {
        let found = experiment.comparisons();
        remarks.extend(found.map(|found| format!("{}: {}", found.after, found.conclusion)));
    }
    let cut = experiment.interrupted.as_ref().map(|cut| {
        format!(
            "cut short by {} after {} of {} runs; the run that it interrupted is left out",
            cut.by, cut.runs, cut.of
        )
    });
    // Why counts of some runs are a lower bound, each reason once.
    let inexact: BTreeSet<&str> = profiles(experiment)
        .flat_map(|profile| profile.accounting.inexact.iter().map(String::as_str))
        .collect();
    let inexact = inexact.into_iter();
    let inexact = inexact.map(|reason| format!("NOT EXACT: {reason}"));
    View {
        kind: "experiment",
        subject: "Experiment",
        title: experiment.question.clone(),
        verdict: experiment.conclusion.clone(),
        remarks,
        alarms: cut.into_iter().chain(inexact).collect(),
        sections,
        schema_version: experiment.schema_version,
        ..View::default()
    }
}

/// All runs.
fn profiles(experiment: &Experiment) -> impl Iterator<Item = &Profile> + Clone {
    let variants = experiment.variants.iter();
    variants.flat_map(|variant| &variant.profiles)
}

/// A number of runs in words.
fn runs(runs: usize) -> String {
    match runs {
        1 => "1 run".to_owned(),
        runs => format!("{runs} runs"),
    }
}
