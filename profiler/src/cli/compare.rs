//! `modeswitch compare`.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::Args;
use wildmatch::WildMatch;

use super::{options::Destination, output::Origin};
use crate::{
    compare::{build, side::Group},
    error::Error,
    exit_code,
    experiment::model::KIND as EXPERIMENT,
    profile::{build::tool, file, merge::programs::By},
    report::format::{DocumentKind, Format},
};

const EXAMPLES: &str = "\
Examples:
  modeswitch compare before.json after.json
      compare two saved profiles
  modeswitch compare a1.json,a2.json,a3.json b1.json,b2.json,b3.json
      compare repeated runs, which tell real differences from chance
  modeswitch compare old=runs/old new=runs/new newest=runs/newest
      compare three folders of profiles, each named, with the first
  modeswitch compare 'before-*.json' 'after-*.json' --format markdown
      use patterns, quoted so that the shell leaves them alone";

/// Compare saved profiles: what is new, gone or moved
///
/// Shows what differs between profiles, by how much, and whether the difference is
/// real. Needs no privileges and runs on any machine.
///
/// A SIDE is a profile, several profiles separated by commas, a folder of `.json`
/// files, or a quoted pattern with `*` and `?`. `NAME=SIDE` gives it a name. The
/// profiles of one side are repeated runs of one thing: with 5 on each side, chance
/// can be ruled out. Every side is compared with the first.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct CompareArgs {
    /// Format of the result; a table unless given.
    #[arg(long, value_parser = DocumentKind::Comparison.format_parser(), value_name = "FORMAT",
          help_heading = "Result")]
    format: Option<Format>,

    #[command(flatten)]
    to: Destination,

    /// Profiles to compare; the first side is the baseline. `-` is standard input.
    #[arg(required = true, num_args = 2.., value_name = "SIDE")]
    sides: Vec<OsString>,
}

/// Carries the command out.
///
/// # Errors
/// [`Error`] where the user can do something about it.
pub fn run(args: &CompareArgs) -> Result<u8> {
    args.to.check(args.format)?;
    let sides: Vec<(Option<String>, Vec<PathBuf>)> = args
        .sides
        .iter()
        .map(|side| understand(side))
        .collect::<Result<_, Error>>()?;
    let labels = labels(&sides)?;
    let groups: Vec<Group> = sides
        .into_iter()
        .zip(labels)
        .map(|((_, paths), label)| load(label, &paths))
        .collect::<Result<_, Error>>()?;
    let found = build::compare(&groups, tool());
    let format = args.format.unwrap_or_default();
    args.to
        .deliver(&found, (format, By::default()), Origin::Files)?;
    Ok(exit_code::SUCCESS)
}

/// A side's name, if it was given one, and its files.
fn understand(side: &OsStr) -> Result<(Option<String>, Vec<PathBuf>), Error> {
    let path = Path::new(side);
    if path.exists() {
        return Ok((None, files(path)?));
    }
    let text = side.to_str().unwrap_or_default();
    if let Some((name, rest)) = text.split_once('=')
        && !name.is_empty()
        && !name.contains('/')
    {
        return Ok((Some(name.to_owned()), several(rest)?));
    }
    Ok((
        None,
        several(text).or_else(|error| {
            // A name that is not text has no parts.
            if text.is_empty() {
                files(path)
            } else {
                Err(error)
            }
        })?,
    ))
}

fn several(text: &str) -> Result<Vec<PathBuf>, Error> {
    let whole = Path::new(text);
    if whole.exists() {
        return files(whole);
    }
    let parts = text.split(',').filter(|part| !part.is_empty());
    let parts: Vec<Vec<PathBuf>> = parts
        .map(|part| files(Path::new(part)))
        .collect::<Result<_, Error>>()?;
    let all: Vec<PathBuf> = parts.into_iter().flatten().collect();
    if all.is_empty() {
        return Err(Error::Usage(format!(
            "`{text}` names no file: give a profile saved with `--save`, a folder or a pattern"
        )));
    }
    Ok(all)
}

/// A file itself, the profiles in a folder, or what a pattern matches.
fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let (folder, pattern) = if path.is_dir() {
        (path, "*.json")
    } else if !path.exists() && name.contains(['*', '?']) {
        (path.parent().unwrap_or(Path::new("")), name)
    } else {
        return Ok(vec![path.to_owned()]);
    };
    let place = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let entries = std::fs::read_dir(place).map_err(|error| {
        Error::Usage(format!(
            "cannot list `{}`: {error}: check the path and its permissions",
            place.display()
        ))
    })?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| WildMatch::new(pattern).matches(name))
        .map(|name| folder.join(name))
        .collect();
    found.sort();
    if found.is_empty() {
        return Err(Error::Usage(format!(
            "`{}` has no file `{pattern}`: give profiles saved with `--save`",
            place.display()
        )));
    }
    Ok(found)
}

/// A name for each side: its own, or what its files are called.
fn labels(sides: &[(Option<String>, Vec<PathBuf>)]) -> Result<Vec<String>, Error> {
    let own: Vec<String> = sides
        .iter()
        .map(|(label, paths)| label.clone().unwrap_or_else(|| label_of(paths)))
        .collect();
    let mut labels: Vec<String> = Vec::new();
    for (place, label) in own.iter().enumerate() {
        let is_single = own.iter().filter(|other| *other == label).count() == 1;
        if is_single && !label.is_empty() {
            labels.push(label.clone());
        } else if sides[place].0.is_some() {
            return Err(Error::Usage(format!(
                "two sides are called `{label}`: give each a name of its own"
            )));
        } else {
            labels.push(format!("{label}#{}", place + 1));
        }
    }
    Ok(labels)
}

/// The beginning that the names of all files share, without numbers at its end.
fn label_of(paths: &[PathBuf]) -> String {
    let stem = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.strip_suffix(".json").unwrap_or(&name);
        name.strip_suffix(".profile").unwrap_or(name).to_owned()
    };
    let mut stems = paths.iter().map(stem);
    let mut label = stems.next().unwrap_or_default();
    if paths.len() > 1 {
        for other in stems {
            let same = label.chars().zip(other.chars());
            let same = same.take_while(|(a, b)| a == b).count();
            label = label.chars().take(same).collect();
        }
        let cut = label.trim_end_matches(|letter: char| !letter.is_alphabetic());
        label = cut.to_owned();
    }
    if label.is_empty() {
        let folder = paths.first().and_then(|path| path.parent()?.file_name());
        label = folder.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    }
    label
}

fn load(label: String, paths: &[PathBuf]) -> Result<Group, Error> {
    let mut group = Group {
        label,
        ..Group::default()
    };
    file::check_distinct(paths)?;
    for path in paths {
        let document = file::read(path)?;
        match document.kind.as_deref() {
            None => {}
            Some(EXPERIMENT) => {
                return Err(Error::Usage(format!(
                    "`{0}` is an experiment, which compares its runs itself: see `modeswitch \
                     report {0}`; a side takes profiles of `modeswitch run`",
                    path.display()
                )));
            }
            Some(kind) => {
                return Err(Error::Usage(format!(
                    "`{}` is a {kind} and not a profile: give a file written by `modeswitch run \
                     --save FILE`",
                    path.display()
                )));
            }
        }
        let profile = file::profile(&document, path)?;
        file::check_single(&profile, path)?;
        group.profiles.push(profile);
        group.files.push(path.display().to_string());
    }
    Ok(group)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stars match anything, question marks one letter, and nothing else does.
    #[test]
    fn patterns() {
        let is_match = |pattern: &str, name: &str| WildMatch::new(pattern).matches(name);
        assert!(is_match("a-*.json", "a-1.json") && is_match("*", ""));
        assert!(is_match("a?b*c", "axbc") && is_match("*a*b", "aab"));
        assert!(!is_match("a?", "a") && !is_match("a*b", "abc") && !is_match("", "a"));
    }

    /// Files of repeated runs are called by what their names share.
    #[test]
    fn sides_have_names() {
        let paths = |names: &[&str]| -> Vec<PathBuf> { names.iter().map(PathBuf::from).collect() };
        assert_eq!(label_of(&paths(&["x/old-1.json", "x/old-12.json"])), "old");
        assert_eq!(label_of(&paths(&["x/1.json", "x/2.json"])), "x");
        assert_eq!(label_of(&paths(&["a.profile.json"])), "a");
        let same = vec![(None, paths(&["a.json"])), (None, paths(&["b/a.json"]))];
        assert_eq!(labels(&same).expect("told apart"), ["a#1", "a#2"]);
    }
}
