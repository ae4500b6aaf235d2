//! `modeswitch report`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use super::{
    document::{self, Document},
    options::{Destination, RowOptions},
    output::Origin,
};
use crate::{
    error::Error,
    exit_code,
    profile::{
        file,
        merge::{self, Unlike},
        model::Profile,
    },
    report::format::Format,
};

/// Worked examples, shown under the help.
const EXAMPLES: &str = "\
Examples:
  modeswitch report poller.json
      print the same tables as when it was measured
  modeswitch report poller-1.json poller-2.json poller-3.json
      print the sum of three runs of one command
  modeswitch report --format json poller.json | jq .ledger.by_cause
      print the document itself
  modeswitch report --format html -o poller.html poller.json
      write a page for a browser";

/// Print a saved profile, experiment, comparison or check
///
/// Prints one document, or the sum of several profiles of one command, in any
/// format that it has. Needs no privileges and runs on any machine.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ReportArgs {
    /// Format of the result; a table unless given.
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Result")]
    format: Option<Format>,

    #[command(flatten)]
    rows: RowOptions,

    #[command(flatten)]
    to: Destination,

    /// Documents that another command wrote with --save; `-` is standard input.
    /// Several profiles of one command are added up.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// Carries the command out.
///
/// # Errors
/// [`crate::error::Error`] where the user can do something about it.
pub fn run(args: &ReportArgs) -> Result<u8> {
    // A table in a file is what it has always meant here.
    let format = args.format.unwrap_or_default();
    args.to.check(Some(format))?;
    let (to, origin) = (&args.to, Origin::Files);
    let shown = (format, args.rows.by);
    match &args.files[..] {
        [file] => match document::load(file)? {
            Document::Profile(found) => to.deliver(&*found, shown, origin)?,
            Document::Experiment(found) => to.deliver(&*found, shown, origin)?,
            Document::Comparison(found) => to.deliver(&*found, shown, origin)?,
            Document::Check(found) => to.deliver(&*found, shown, origin)?,
        },
        files => to.deliver(&sum(files)?, shown, origin)?,
    }
    Ok(exit_code::SUCCESS)
}

/// The sum of several profiles.
fn sum(files: &[PathBuf]) -> Result<Profile, Error> {
    file::check_distinct(files)?;
    let runs: Result<Vec<Profile>, Error> = files.iter().map(|file| one_of_several(file)).collect();
    let mut runs = runs?.into_iter();
    let Some(first) = runs.next() else {
        return Err(Error::Usage("no file: name at least one".to_owned()));
    };
    merge::merge(first, runs.collect()).map_err(|unlike| {
        let shown = |place: usize| {
            let file = files.get(place);
            file.map_or_else(String::new, |file| file.display().to_string())
        };
        let Unlike {
            place,
            what,
            first,
            other,
        } = unlike;
        Error::Usage(format!(
            "`{}` and `{}` cannot be summed, because they are different kinds of runs: {what} \
             `{first}` and `{other}`: print each by itself, or compare them with `modeswitch \
             compare`",
            shown(0),
            shown(place)
        ))
    })
}

fn one_of_several(file: &Path) -> Result<Profile, Error> {
    let found = document::load(file)?;
    let kind = found.kind().words();
    let Document::Profile(profile) = found else {
        return Err(Error::Usage(format!(
            "`{}` is {kind}, and only profiles can be summed: print it by itself",
            file.display()
        )));
    };
    Ok(*profile)
}
