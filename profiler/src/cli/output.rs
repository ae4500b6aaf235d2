//! Printing and saving results.

use std::{
    borrow::Cow,
    io::{self, Write},
    path::Path,
};

use anstream::{AutoStream, adapter::strip_bytes};
use serde::{Serialize, de::DeserializeOwned};

use super::options::OutputOptions;
use crate::{
    error::Error,
    profile::file,
    report::{
        format::{self, Format},
        style::Look,
    },
    untrusted,
};

/// A result that can be shown to people.
pub trait Shown: Clone + Serialize + DeserializeOwned {
    /// What it is, with its article.
    const WHAT: &'static str;
    /// The formats that it has.
    const FORMATS: &'static [Format];

    /// Writes it in one of its formats.
    ///
    /// # Errors
    /// Whatever the output reports.
    fn render(&self, format: Format, look: Look, out: &mut dyn Write) -> io::Result<()>;
}

/// Checks that a kind of result has a format, before it is measured or printed.
///
/// # Errors
/// [`Error::Usage`] with the formats that it has.
pub fn check_format<T: Shown>(format: Format) -> Result<(), Error> {
    if T::FORMATS.contains(&format) {
        return Ok(());
    }
    let (what, name) = (T::WHAT, format.name());
    let others = format::list(T::FORMATS);
    Err(Error::Usage(format!(
        "{what} has no format `{name}`, which profiles have: choose one of {others}"
    )))
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

/// Writes a result to a file as it would be printed, whole or not at all.
///
/// # Errors
/// [`Error::Usage`] if it has no such format, [`Error::Output`] if the file
/// cannot be written.
pub fn write<R: Shown>(result: &R, format: Format, path: &Path) -> Result<(), Error> {
    check_format::<R>(format)?;
    let look = Look { columns: None };
    let result = fit(result, format == Format::Json)?;
    file::save_with(path, |out| {
        if !format.is_for_terminals() {
            return result.render(format, look, out);
        }
        let mut text = Vec::new();
        result.render(format, look, &mut text)?;
        out.write_all(&strip_bytes(&text).into_vec())
    })
}

/// A result without what strangers have put into it for a terminal, in every form
/// but JSON, which keeps and escapes it.
///
/// # Errors
/// [`Error::Output`] if it cannot be had.
pub fn fit<T>(result: &T, is_json: bool) -> Result<Cow<'_, T>, Error>
where
    T: Clone + Serialize + DeserializeOwned,
{
    if is_json {
        return Ok(Cow::Borrowed(result));
    }
    untrusted::document(result)
        .map_err(|error| Error::Output(format!("cannot prepare the report: {error}")))
}

/// Says something on standard error.
pub fn say(message: &str) {
    anstream::eprintln!("{}", untrusted::lines(message));
}

/// Prints a result. A reader that has seen enough and closes the pipe is no error.
///
/// # Errors
/// [`Error::Output`] if standard output cannot be written.
pub fn print<R: Shown>(result: &R, format: Format) -> Result<(), Error> {
    check_format::<R>(format)?;
    let result = fit(result, format == Format::Json)?;
    print_with(format.is_for_terminals(), |out| {
        result.render(format, Look::of_stdout(), out)
    })
}

/// Prints whatever `write` writes. A reader that has seen enough and closes the
/// pipe is no error.
///
/// # Errors
/// [`Error::Output`] if standard output cannot be written.
pub fn print_with(
    is_for_terminals: bool,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    let stdout = io::stdout().lock();
    let mut out: io::BufWriter<Box<dyn Write>> = io::BufWriter::new(if is_for_terminals {
        Box::new(AutoStream::auto(stdout))
    } else {
        // As it is: nothing in it is for a terminal, and what looks so is a name.
        Box::new(stdout)
    });
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Error::Output(format!(
            "cannot write the report to standard output: {error}: send it elsewhere"
        ))),
        Ok(()) => Ok(()),
    }
}
