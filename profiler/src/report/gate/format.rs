//! The formats of a check's result.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use super::{github, junit};
use crate::{
    gate::verdict::Verdict,
    report::{check_view::view, html, markdown, style::Look, terminal},
    untrusted::write_json,
};

/// How the result of a check is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum CheckFormat {
    /// Tables for people.
    #[default]
    Table,
    /// The same, and nothing cut whatever the terminal's width.
    Wide,
    /// For a pull request's comment or a job's summary.
    Markdown,
    /// `JUnit` XML: a test case for each limit.
    Junit,
    /// One JSON document.
    Json,
    /// Annotations for GitHub Actions, at the lines responsible.
    Github,
    /// One HTML page, for a browser: it needs no network and runs no script.
    Html,
}

/// What a result looks like.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The format.
    pub format: CheckFormat,
    /// How much room there is.
    pub look: Look,
    /// The folder of the sources, which GitHub wants files to be relative to.
    pub root: Option<PathBuf>,
}

/// Writes a result.
///
/// # Errors
/// Whatever the output reports.
pub fn write(verdict: &Verdict, shape: &Shape, out: &mut dyn Write) -> io::Result<()> {
    match shape.format {
        CheckFormat::Table => terminal::write(&view(verdict), shape.look, out),
        CheckFormat::Wide => terminal::write(&view(verdict), Look::WIDE, out),
        CheckFormat::Markdown => markdown::write(&view(verdict), out),
        CheckFormat::Junit => junit::write(verdict, out),
        CheckFormat::Json => write_json(verdict, out),
        CheckFormat::Html => html::write(&view(verdict), out),
        CheckFormat::Github => github::write(verdict, shape.root.as_deref(), out),
    }
}
