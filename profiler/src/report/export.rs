//! A document in whichever of its formats.

use std::io::{self, Write};

use super::{
    comparison_view, csv, experiment_view, flamegraph, folded, format::Format, html, markdown,
    openmetrics, profile_view, style::Look, terminal, trace,
};
use crate::{
    compare::model::Compared, experiment::model::Experiment, profile::model::Profile,
    untrusted::write_json,
};

/// The formats that a profile has.
pub const OF_PROFILES: &[Format] = &[
    Format::Table,
    Format::Wide,
    Format::Json,
    Format::Markdown,
    Format::Csv,
    Format::Folded,
    Format::Flamegraph,
    Format::Trace,
    Format::Openmetrics,
    Format::Html,
];

/// The formats that an experiment has.
pub const OF_EXPERIMENTS: &[Format] = &[
    Format::Table,
    Format::Wide,
    Format::Json,
    Format::Markdown,
    Format::Html,
];

/// The formats that a comparison has.
pub const OF_COMPARISONS: &[Format] = &[
    Format::Table,
    Format::Wide,
    Format::Json,
    Format::Markdown,
    Format::Html,
];

/// Writes a profile in a format. `look` is for tables only.
///
/// # Errors
/// Whatever the output reports.
pub fn profile(
    profile: &Profile,
    format: Format,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Table => terminal::write(&profile_view::view(profile), look, out),
        Format::Wide => terminal::write(&profile_view::view(profile), Look::WIDE, out),
        Format::Json => write_json(profile, out),
        Format::Markdown => markdown::write(&profile_view::view(profile), out),
        Format::Csv => csv::write(profile, out),
        Format::Folded => folded::write(profile, out),
        Format::Flamegraph => flamegraph::write(profile, out),
        Format::Trace => trace::write(profile, out),
        Format::Openmetrics => openmetrics::write(profile, out),
        Format::Html => html::write(&profile_view::view(profile), out),
    }
}

/// Writes an experiment in one of [`OF_EXPERIMENTS`], in any other format as JSON.
/// `look` is for tables only.
///
/// # Errors
/// Whatever the output reports.
pub fn experiment(
    experiment: &Experiment,
    format: Format,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Table => terminal::write(&experiment_view::view(experiment), look, out),
        Format::Wide => terminal::write(&experiment_view::view(experiment), Look::WIDE, out),
        Format::Markdown => markdown::write(&experiment_view::view(experiment), out),
        Format::Html => html::write(&experiment_view::view(experiment), out),
        Format::Json
        | Format::Csv
        | Format::Folded
        | Format::Flamegraph
        | Format::Trace
        | Format::Openmetrics => write_json(experiment, out),
    }
}

/// Writes a comparison in one of [`OF_COMPARISONS`], in any other format as JSON.
/// `look` is for tables only.
///
/// # Errors
/// Whatever the output reports.
pub fn comparison(
    comparison: &Compared,
    format: Format,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Table => terminal::write(&comparison_view::view(comparison), look, out),
        Format::Wide => terminal::write(&comparison_view::view(comparison), Look::WIDE, out),
        Format::Markdown => markdown::write(&comparison_view::view(comparison), out),
        Format::Html => html::write(&comparison_view::view(comparison), out),
        Format::Json
        | Format::Csv
        | Format::Folded
        | Format::Flamegraph
        | Format::Trace
        | Format::Openmetrics => write_json(comparison, out),
    }
}
