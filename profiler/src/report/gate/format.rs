//! The formats of a check's result.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use super::{github, junit, markdown, text};
use crate::{gate::verdict::Verdict, report::style::Look, untrusted::write_json};

/// How the result of a check is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum CheckFormat {
    /// Tables for people.
    #[default]
    Table,
    /// For a pull request's comment or a job's summary.
    Markdown,
    /// `JUnit` XML: a test case for each limit.
    Junit,
    /// One JSON document.
    Json,
    /// Annotations for GitHub Actions, at the lines responsible.
    Github,
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
        CheckFormat::Table => text::write(verdict, shape.look, out),
        CheckFormat::Markdown => markdown::write(verdict, out),
        CheckFormat::Junit => junit::write(verdict, out),
        CheckFormat::Json => write_json(verdict, out),
        CheckFormat::Github => github::write(verdict, shape.root.as_deref(), out),
    }
}
