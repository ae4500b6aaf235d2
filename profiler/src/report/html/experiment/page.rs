//! The whole page.

use maud::{Markup, html};

use super::{accounting, causes, latency, method, metrics};
use crate::{
    experiment::model::Experiment,
    report::{
        html::{
            page::Page,
            prose::{alarm, sentence},
        },
        io::target,
    },
};

/// The page.
#[must_use]
pub fn page(experiment: &Experiment) -> Page {
    let mut sections = vec![method::variants(experiment)];
    sections.extend(causes::sections(experiment));
    sections.extend(latency::section(experiment));
    sections.extend(metrics::section(experiment));
    sections.push(method::method(experiment));
    sections.push(accounting::section(experiment));
    sections.push(method::host_and_commands(experiment));
    Page {
        title: experiment.question.clone(),
        kind: "experiment",
        head: head(experiment),
        sections,
        foot: html! {
            p {
                "Made by modeswitch from an experiment document, schema " (experiment.schema_version)
                ". It needs no network and runs no script. Numbers are those of the document; what is left out says where it is."
            }
        },
    }
}

fn head(experiment: &Experiment) -> Markup {
    let several = !experiment.further.is_empty();
    html! {
        p.verdict { (sentence(&experiment.conclusion)) }
        @if let Some(target) = experiment.io().and_then(target) { p { (sentence(&target)) } }
        @if several {
            ul {
                @for found in experiment.comparisons() {
                    li { strong { (found.after) ": " } (sentence(&found.conclusion)) }
                }
            }
        }
        @for reason in accounting::inexact(experiment).into_iter().take(20) {
            (alarm(&format!("NOT EXACT: {reason}")))
        }
    }
}
