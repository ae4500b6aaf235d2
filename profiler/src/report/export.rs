//! A profile in whichever format.

use std::io::{self, Write};

use super::{
    csv, flamegraph, folded, format::Format, html, markdown, openmetrics, style::Look, text, trace,
};
use crate::profile::model::Profile;

/// The formats that a profile has.
pub const FORMATS: &[Format] = &[
    Format::Table,
    Format::Wide,
    Format::Json,
    Format::Markdown,
    Format::Csv,
    Format::Folded,
    Format::Flamegraph,
    Format::Html,
    Format::Trace,
    Format::Openmetrics,
];

/// Writes a profile in a format. `look` is for tables only.
///
/// # Errors
/// Whatever the output reports.
pub fn write(profile: &Profile, format: Format, look: Look, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Table => text::write(profile, look, out),
        Format::Wide => text::write(profile, Look::WIDE, out),
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, profile)?;
            writeln!(out)
        }
        Format::Markdown => markdown::write(profile, out),
        Format::Csv => csv::write(profile, out),
        Format::Folded => folded::write(profile, out),
        Format::Flamegraph => flamegraph::write(profile, out),
        Format::Html => out.write_all(html::document::of_profile(profile).as_bytes()),
        Format::Trace => trace::write(profile, out),
        Format::Openmetrics => openmetrics::write(profile, out),
    }
}
