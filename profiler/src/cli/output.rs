//! Printing and saving results.

use std::io::{self, Write};

use anstream::AutoStream;
use serde::Serialize;

use super::options::OutputOptions;
use crate::{
    error::Error,
    profile::file,
    report::{format::Format, style::Look},
};

/// A result that can be shown to people.
pub trait Shown: Serialize {
    /// Writes it as text.
    ///
    /// # Errors
    /// Whatever the output reports.
    fn show(&self, look: Look, out: &mut dyn Write) -> io::Result<()>;

    /// The same as an HTML page.
    fn html(&self) -> String;
}

/// Checks that a result can be saved before it is measured.
///
/// # Errors
/// [`Error::Output`] if it cannot.
pub fn check(options: &OutputOptions) -> Result<(), Error> {
    options
        .output
        .as_deref()
        .map_or(Ok(()), file::check_writable)
}

/// Saves a result if asked to, and prints it. It is printed even if it cannot
/// be saved: a measurement is not thrown away.
///
/// # Errors
/// [`Error::Output`] if it cannot be saved or printed.
pub fn deliver(result: &impl Shown, options: &OutputOptions) -> Result<(), Error> {
    let saved = options
        .output
        .as_deref()
        .map_or(Ok(()), |path| file::save(result, path));
    print(result, options.format)?;
    saved
}

/// Prints a result. A reader that has seen enough and closes the pipe is no error.
///
/// # Errors
/// [`Error::Output`] if standard output cannot be written.
pub fn print(result: &impl Shown, format: Format) -> Result<(), Error> {
    let stdout = io::stdout().lock();
    let mut out = io::BufWriter::new(AutoStream::auto(stdout));
    let written = match format {
        Format::Table => result.show(Look::of_stdout(), &mut out),
        Format::Json => serde_json::to_writer_pretty(&mut out, result)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out)),
        Format::Html => out.write_all(result.html().as_bytes()),
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Error::Output(format!(
            "cannot write the report to standard output: {error}: send it elsewhere"
        ))),
        Ok(()) => Ok(()),
    }
}
