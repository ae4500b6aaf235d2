//! Printing and saving results.

use std::{
    borrow::Cow,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anstream::{AutoStream, ColorChoice, adapter::strip_bytes};
use serde::{Serialize, de::DeserializeOwned};

use super::options::{Destination, OutputOptions};
use crate::{
    error::Error,
    launch::command,
    profile::{
        file::{self, is_stdio},
        merge::programs::By,
    },
    report::{
        export::{self, Shown, Surface},
        format::{self, Format},
        style::Look,
    },
    untrusted,
};

/// Checks that a kind of result has a format, before it is printed.
///
/// # Errors
/// [`Error::Usage`] with the formats that it has.
fn check_format<T: Shown>(format: Format) -> Result<(), Error> {
    if format.documents().contains(&T::KIND) {
        return Ok(());
    }
    let (what, name) = (T::KIND.words(), format.name());
    let others = format::list(T::KIND);
    Err(Error::Usage(format!(
        "{what} has no format `{name}`: choose one of {others}"
    )))
}

/// Where a result comes from, which decides what happens if `-o` cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A measurement, which is not thrown away: it is printed.
    Measured,
    /// Files, which are still there.
    Files,
}

impl Destination {
    /// Checks, before anything is measured, that the result can go where it is to go.
    ///
    /// # Errors
    /// [`Error::Usage`] if the options contradict each other, [`Error::Output`] if a
    /// file cannot be written.
    pub fn check(&self, format: Option<Format>) -> Result<(), Error> {
        if let Some(path) = self.file() {
            let shown = path.display();
            let is_called_json = path.extension().is_some_and(|ending| ending == "json");
            if format.is_none() || is_called_json && !format.is_some_and(Format::is_json) {
                return Err(Error::Usage(format!(
                    "`-o {shown}` writes what --format says{}: write `--save {shown}` for the \
                     JSON document, or give the file's format with --format",
                    if format.is_none() {
                        ", which is not given"
                    } else {
                        ", which is not JSON"
                    }
                )));
            }
            file::check_writable(path)?;
        }
        match &self.save {
            Some(save) if !is_stdio(save) => file::check_writable(save),
            Some(_) if self.file().is_none() => Err(Error::Usage(
                "the result and the document of `--save -` would both go to standard output: \
                 write `--format json` for the document alone, or send the result to a file \
                 with -o"
                    .to_owned(),
            )),
            _ => Ok(()),
        }
    }

    /// Where standard output of a measured command goes: not between the lines of a
    /// document.
    #[must_use]
    pub fn command_output(&self, format: Format) -> command::Output {
        let is_saved_there = self.save.as_deref().is_some_and(is_stdio);
        if is_saved_there || self.file().is_none() && !format.is_for_terminals() {
            command::Output::ToStandardError
        } else {
            command::Output::Inherited
        }
    }

    /// The file that takes the place of standard output.
    fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| !is_stdio(path))
    }

    /// Saves a document if asked to, and writes it in a format, with rows of this.
    ///
    /// # Errors
    /// [`Error::Output`] if it cannot be saved or printed.
    pub fn deliver<T: Shown>(
        &self,
        document: &T,
        (format, by): (Format, By),
        origin: Origin,
    ) -> Result<(), Error> {
        check_format::<T>(format)?;
        let render = |document: &T, look, out: &mut dyn Write| {
            let surface = Surface {
                look,
                by,
                sources: sources(),
            };
            export::write(document, format, &surface, out)
        };
        let saved = match self.save.as_deref() {
            None => Ok(()),
            Some(path) if is_stdio(path) => {
                print_with(false, |out| untrusted::write_json(document, out))
            }
            Some(path) => file::save(document, path),
        };
        let document = fit(document, format == Format::Json)?;
        let written = self.file().map(|path| {
            file::save_with(path, |out| {
                let look = Look { columns: None };
                if !format.is_for_terminals() {
                    return render(&document, look, out);
                }
                let mut text = Vec::new();
                render(&document, look, &mut text)?;
                if ColorChoice::global() == ColorChoice::Always {
                    return out.write_all(&text);
                }
                out.write_all(&strip_bytes(&text).into_vec())
            })
        });
        let is_lost = matches!(written, Some(Err(_))) && origin == Origin::Measured;
        if written.is_none() || is_lost {
            print_with(format.is_for_terminals(), |out| {
                render(&document, Look::of_stdout(), out)
            })?;
        }
        written.unwrap_or(Ok(())).and(saved)
    }
}

/// The folder of the sources, which GitHub wants files to be relative to.
fn sources() -> Option<PathBuf> {
    std::env::var_os("GITHUB_WORKSPACE")
        .map(PathBuf::from)
        .or_else(|| std::env::current_dir().ok())
}

impl<T: Shown> OutputOptions<T> {
    /// Checks, before anything is measured, that the result can go where it is to go.
    ///
    /// # Errors
    /// As [`Destination::check`].
    pub fn check(&self) -> Result<(), Error> {
        self.to.check(self.format)
    }

    /// Saves and prints a result, as asked for.
    ///
    /// # Errors
    /// As [`Destination::deliver`].
    pub fn deliver(&self, result: &T, by: By, origin: Origin) -> Result<(), Error> {
        let format = self.format.unwrap_or_default();
        self.to.deliver(result, (format, by), origin)
    }
}

/// A result without what strangers have put into it for a terminal, in every form
/// but JSON, which keeps and escapes it.
///
/// # Errors
/// [`Error::Output`] if it cannot be had.
fn fit<T>(result: &T, is_json: bool) -> Result<Cow<'_, T>, Error>
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
