//! What was compared, how it was judged, and how to do it again.

use maud::{Markup, html};

use crate::{
    experiment::model::{Experiment, Variant},
    profile::model::Profile,
    report::{
        comparison::outlier_words,
        html::{
            page::Section,
            section::host,
            shell,
            table::{facts, more},
            text::sentence,
        },
    },
};

/// Lines of a list.
const LINES: usize = 40;

/// The variants.
#[must_use]
pub fn variants(experiment: &Experiment) -> Section {
    let body = html! {
        dl.facts {
            @for variant in &experiment.variants {
                div {
                    dt { (variant.name) }
                    dd {
                        (sentence(&variant.description)) "; " (runs(variant))
                        @for done in variant.done.iter().take(LINES) { br; (sentence(done)) }
                    }
                }
            }
        }
        (notes(experiment))
    };
    Section::new("variants", "What was compared", body)
}

fn runs(variant: &Variant) -> String {
    match variant.profiles.len() {
        1 => "1 run".to_owned(),
        runs => format!("{runs} runs"),
    }
}

/// What the programs had to say, each thing once.
fn notes(experiment: &Experiment) -> Markup {
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
    html! { @for note in notes.into_iter().take(LINES) { p.note { (sentence(note)) } } }
}

/// The method.
#[must_use]
pub fn method(experiment: &Experiment) -> Section {
    let method = &experiment.method;
    let outliers = &experiment.outliers;
    let numbers = if method.steady {
        "the marked steady state"
    } else {
        "whole runs"
    };
    let body = html! {
        @if method.runs != 0 {
            (facts([
                ("runs", format!("{} of each variant, interleaved, after {} to warm up", method.runs, method.warm_up)),
                ("numbers of", numbers.to_owned()),
                ("shown", "medians, and 95 % intervals of their ratio by bootstrap".to_owned()),
                ("judged", format!(
                    "{} numbers together at {:.0} % (Holm), by an exact rank test; it takes {} runs of each variant",
                    method.judged, method.level * 100.0, method.runs_needed
                )),
            ]))
        } @else {
            p { "The document does not say how it was judged." }
        }
        @if !outliers.is_empty() {
            h3 { "Runs unlike the others of their variant" }
            p { "They are part of every number." }
            ul { @for outlier in outliers.iter().take(LINES) { li { (outlier_words(outlier)) } } }
            (more(outliers.len(), LINES, "outliers", "outliers"))
        }
    };
    Section::new("method", "Method", body)
}

/// Where it was measured, and the commands.
#[must_use]
pub fn host_and_commands(experiment: &Experiment) -> Section {
    let profiles = experiment
        .variants
        .iter()
        .flat_map(|variant| &variant.profiles);
    let first: Option<&Profile> = profiles.clone().next();
    let kernels: std::collections::BTreeSet<&str> = profiles
        .map(|profile| profile.host.kernel.as_str())
        .collect();
    let body = html! {
        @if let Some(first) = first { (facts(host::host(first))) }
        @if kernels.len() > 1 { p.note { "Not all runs were on this kernel." } }
        h3 { "Again" }
        pre { code { "modeswitch experiment" @if experiment.method.runs != 0 { " --runs " (experiment.method.runs) } " …" } }
        p {
            "The document has the question and what was run, but not the options of the experiment. The first run of each variant by itself, without what was done for it from outside:"
        }
        @for variant in experiment.variants.iter().take(LINES) {
            p.label { (variant.name) }
            @if let Some(profile) = variant.profiles.first() { pre { code { (command(profile)) } } }
        }
    };
    Section::new("host", "Host and commands", body)
}

fn command(profile: &Profile) -> String {
    let line = format!("modeswitch run -- {}", shell::line(&profile.target.command));
    host::bounded(&line)
}
