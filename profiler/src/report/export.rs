//! A document in whichever of its formats.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    check_view, comparison_view, csv, experiment_view, flamegraph, folded,
    format::{DocumentKind, Format},
    gate::{github, junit},
    html, markdown, openmetrics, profile_view,
    style::Look,
    terminal, trace,
    view::View,
};
use crate::{
    compare::model::Compared,
    experiment::model::Experiment,
    gate::verdict::Verdict,
    profile::{merge::programs::By, model::Profile},
    untrusted::write_json,
};

/// Where a document is shown.
#[derive(Clone, Debug)]
pub struct Surface {
    /// How much room there is, for tables.
    pub look: Look,
    /// What rows of code and memory are of.
    pub by: By,
    /// The folder of the sources, which GitHub wants files to be relative to.
    pub sources: Option<PathBuf>,
}

/// A document that can be shown.
pub trait Shown: Clone + Serialize + DeserializeOwned {
    /// What it is.
    const KIND: DocumentKind;

    /// The document as people read it; `by` says what rows of code and memory are of.
    fn view(&self, by: By) -> View;

    /// Writes it in a format of its own, which is made of the data and not of the
    /// view; in any other one as JSON.
    ///
    /// # Errors
    /// Whatever the output reports.
    fn write_data(&self, _: Format, _: &Surface, out: &mut dyn Write) -> io::Result<()> {
        write_json(self, out)
    }
}

/// Writes a document in one of its formats.
///
/// # Errors
/// Whatever the output reports.
pub fn write(
    document: &impl Shown,
    format: Format,
    surface: &Surface,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Table => terminal::write(&document.view(surface.by), surface.look, out),
        Format::Wide => terminal::write(&document.view(surface.by), Look::WIDE, out),
        Format::Markdown => markdown::write(&document.view(surface.by), out),
        Format::Html => html::write(&document.view(surface.by), out),
        Format::Json => write_json(document, out),
        Format::Csv
        | Format::Folded
        | Format::Flamegraph
        | Format::Trace
        | Format::Openmetrics
        | Format::Junit
        | Format::Github => document.write_data(format, surface, out),
    }
}

impl Shown for Profile {
    const KIND: DocumentKind = DocumentKind::Profile;

    fn view(&self, by: By) -> View {
        profile_view::view(self, by)
    }

    fn write_data(&self, format: Format, _: &Surface, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Csv => csv::write(self, out),
            Format::Folded => folded::write(self, out),
            Format::Flamegraph => flamegraph::write(self, out),
            Format::Trace => trace::write(self, out),
            Format::Openmetrics => openmetrics::write(self, out),
            Format::Table
            | Format::Wide
            | Format::Json
            | Format::Markdown
            | Format::Html
            | Format::Junit
            | Format::Github => write_json(self, out),
        }
    }
}

impl Shown for Experiment {
    const KIND: DocumentKind = DocumentKind::Experiment;

    fn view(&self, _: By) -> View {
        experiment_view::view(self)
    }
}

impl Shown for Compared {
    const KIND: DocumentKind = DocumentKind::Comparison;

    fn view(&self, _: By) -> View {
        comparison_view::view(self)
    }
}

impl Shown for Verdict {
    const KIND: DocumentKind = DocumentKind::Check;

    fn view(&self, _: By) -> View {
        check_view::view(self)
    }

    fn write_data(&self, format: Format, surface: &Surface, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Junit => junit::write(self, out),
            Format::Github => github::write(self, surface.sources.as_deref(), out),
            Format::Table
            | Format::Wide
            | Format::Json
            | Format::Markdown
            | Format::Csv
            | Format::Folded
            | Format::Flamegraph
            | Format::Trace
            | Format::Openmetrics
            | Format::Html => write_json(self, out),
        }
    }
}
