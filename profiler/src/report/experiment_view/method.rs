//! What was compared, how it was judged, and how to do it again.

use std::collections::BTreeSet;

use super::{profiles, runs};
use crate::{
    experiment::{
        conclude::value,
        model::{Experiment, Metric, Outlier, Variant},
    },
    profile::{model::Profile, rates::steady_ns},
    report::{
        profile_view::{bounded, host},
        shell,
        units::{amount, duration_ns},
        view::{Block, Fact, List, Points, Section, Tone},
    },
};

/// Lines of a list.
const LINES: usize = 40;

/// The variants.
pub(super) fn variants(experiment: &Experiment) -> Section {
    let mut facts: Vec<Fact> = experiment.variants.iter().flat_map(variant).collect();
    // What the programs had to say, each thing once.
    let notes: BTreeSet<&str> = profiles(experiment)
        .filter_map(|profile| profile.io.as_ref())
        .flat_map(|io| io.notes.iter().map(String::as_str))
        .collect();
    let notes = notes.into_iter().take(LINES);
    facts.extend(notes.map(|note| Fact::new("note", note)));
    Section::new("variants", "What was compared", vec![Block::Facts(facts)])
}

fn variant(variant: &Variant) -> Vec<Fact> {
    let steady = variant.profiles.first().and_then(steady_ns);
    let steady = steady.map_or_else(String::new, |ns| format!(" of {}", duration_ns(ns)));
    let runs = runs(variant.profiles.len());
    let text = format!("{}; {runs}{steady}", variant.description);
    let mut facts = vec![Fact::new(&variant.name, text)];
    let done = variant.done.iter().take(LINES);
    facts.extend(done.map(|done| Fact::new("", done)));
    facts
}

/// The method, and what is odd about the runs.
pub(super) fn method(experiment: &Experiment) -> Section {
    let method = &experiment.method;
    let mut blocks = Vec::new();
    if method.runs == 0 {
        let text = "The document does not say how it was judged.";
        blocks.push(Block::full_prose(Tone::Plain, text));
    } else {
        let numbers = if method.steady {
            "the marked steady state"
        } else {
            "whole runs"
        };
        let warm_up = match method.warm_up {
            0 => String::new(),
            warm_up => format!(" after {warm_up} to warm up"),
        };
        let text = format!(
            "medians of {} interleaved runs{warm_up}, and 95 % intervals of their ratio by bootstrap; * \
             differs by an exact rank test, {} numbers judged together at {:.0} % (Holm); what \
             has no star was not judged or did not differ",
            method.runs,
            method.judged,
            method.level * 100.0
        );
        blocks.push(Block::Facts(vec![
            Fact::new("method", text),
            Fact::full("judged", format!("numbers of {numbers}")),
            Fact::full(
                "takes",
                format!("{} runs of each variant", method.runs_needed),
            ),
        ]));
    }
    if !experiment.outliers.is_empty() {
        let text = "Runs unlike the others of their variant, which are part of every number:";
        blocks.push(Block::prose(Tone::Plain, text));
        let outliers = experiment.outliers.iter();
        blocks.push(Block::Points(Points {
            list: List {
                what: "outliers",
                field: "outliers",
                usual: 4,
            },
            points: outliers.map(|found| (outlier(found), Vec::new())).collect(),
        }));
    }
    Section::new("method", "Method", blocks)
}

fn outlier(outlier: &Outlier) -> String {
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

/// Where it was measured, and the commands.
pub(super) fn host_and_commands(experiment: &Experiment) -> Section {
    let first: Option<&Profile> = profiles(experiment).next();
    let kernels: BTreeSet<&str> = profiles(experiment)
        .map(|profile| profile.host.kernel.as_str())
        .collect();
    let mut blocks = vec![Block::Facts(first.map(host).unwrap_or_default())];
    if kernels.len() > 1 {
        let text = "Not all runs were on this kernel.";
        blocks.push(Block::prose(Tone::Faint, text));
    }
    let runs = match experiment.method.runs {
        0 => String::new(),
        runs => format!(" --runs {runs}"),
    };
    blocks.extend([
        Block::prose(Tone::Plain, "To measure it again:"),
        Block::Command(format!("modeswitch experiment{runs} …")),
        Block::prose(
            Tone::Plain,
            "The document has the question and what was run, but not the options of the experiment. The first run of each variant by itself, without what was done for it from outside:",
        ),
    ]);
    for variant in experiment.variants.iter().take(LINES) {
        blocks.push(Block::prose(Tone::Plain, &variant.name));
        let first = variant.profiles.first();
        blocks.extend(first.map(|profile| Block::Command(command(profile))));
    }
    Section::full("host", "Host and commands", blocks)
}

fn command(profile: &Profile) -> String {
    let line = format!("modeswitch run -- {}", shell::line(&profile.target.command));
    bounded(&line)
}
