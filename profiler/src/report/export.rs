//! A document in whichever of its formats.

use std::io::{self, Write};

use super::{
    comparison, csv, flamegraph, folded, format::Format, html, markdown, openmetrics, style::Look,
    text, trace,
};
use crate::{experiment::model::Experiment, profile::model::Profile, untrusted::write_json};

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
pub const OF_EXPERIMENTS: &[Format] = &[Format::Table, Format::Wide, Format::Json, Format::Html];

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
        Format::Table => text::write(profile, look, out),
        Format::Wide => text::write(profile, Look::WIDE, out),
        Format::Json => write_json(profile, out),
        Format::Markdown => markdown::write(profile, out),
        Format::Csv => csv::write(profile, out),
        Format::Folded => folded::write(profile, out),
        Format::Flamegraph => flamegraph::write(profile, out),
        Format::Trace => trace::write(profile, out),
        Format::Openmetrics => openmetrics::write(profile, out),
        Format::Html => out.write_all(html::document::of_profile(profile).as_bytes()),
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
        Format::Table => comparison::write(experiment, look, out),
        Format::Wide => comparison::write(experiment, Look::WIDE, out),
        Format::Html => out.write_all(html::document::of_experiment(experiment).as_bytes()),
        Format::Json
        | Format::Markdown
        | Format::Csv
        | Format::Folded
        | Format::Flamegraph
        | Format::Trace
        | Format::Openmetrics => write_json(experiment, out),
    }
}
