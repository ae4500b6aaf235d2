//! From the question to the variants.

use std::ffi::{OsStr, OsString};

use anyhow::{Context, Result};
use workload::cli::BitmapKind;

use super::{fio, own_metrics::Source};
use crate::{
    error::Error,
    fix::{
        apply::{self, Needs},
        model::{Fix, Fixes},
    },
    launch::{
        command::{Command, Output},
        conditions::Prefault,
        user::User,
    },
};

/// What is asked.
#[derive(Clone, Debug)]
pub enum Question {
    /// The in-tree workload with several kinds of bitmap, and fixes beside the
    /// first of them.
    InTree {
        /// The kinds, the one to compare with first.
        bitmaps: Vec<BitmapKind>,
        /// Fixes applied to the first.
        fixes: Vec<Fixes>,
        /// Arguments of all variants.
        arguments: Vec<OsString>,
    },
    /// Any command as it is, and with each of some fixes.
    Fix {
        /// The command and its arguments.
        command: Vec<OsString>,
        /// One variant each.
        fixes: Vec<Fixes>,
    },
    /// Two commands.
    Two {
        /// As a shell would read it.
        before: String,
        /// As a shell would read it.
        after: String,
    },
}

/// What holds for the command of every variant.
#[derive(Clone, Debug, Default)]
pub struct Common {
    /// The CPUs that it may run on, or none for all.
    pub cpus: Option<Vec<u32>>,
    /// The user that it runs as, or none for ours.
    pub user: Option<User>,
    /// Where its own numbers are, if that was said.
    pub metrics: Option<Source>,
}

/// One variant before it has run.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its name.
    pub name: String,
    /// What is different about it.
    pub description: String,
    /// The command, prepared.
    pub command: Command,
    /// What else it takes.
    pub needs: Needs,
    /// Where its own numbers come from, if it does not hand them to us itself.
    pub metrics: Option<Source>,
}

/// The question in words.
#[must_use]
pub fn words(question: &Question) -> String {
    match question {
        Question::InTree { bitmaps, fixes, .. } if fixes.is_empty() => {
            let names: Vec<&str> = bitmaps.iter().skip(1).map(|kind| kind.name()).collect();
            match names[..] {
                ["prefault"] => "What does prefaulting the block bitmap change?".to_owned(),
                _ => format!(
                    "What changes where the block bitmap is {} instead of {}?",
                    names.join(", "),
                    bitmaps.first().map_or("", |kind| kind.name())
                ),
            }
        }
        Question::InTree { fixes, .. } => {
            format!("What does {} change for the workload?", names(fixes))
        }
        Question::Fix { command, fixes } => format!(
            "What does {} change for `{}`?",
            names(fixes),
            command.join(OsStr::new(" ")).display()
        ),
        Question::Two { before, after } => {
            format!("What does `{after}` do differently from `{before}`?")
        }
    }
}

fn names(fixes: &[Fixes]) -> String {
    let names: Vec<&str> = fixes.iter().map(|fixes| fixes.name.as_str()).collect();
    names.join(", or ")
}

/// The variants of a question, the one to compare with first.
///
/// # Errors
/// [`Error`] if a command cannot be found or a fix is not to be had here.
pub fn variants(question: &Question, common: &Common) -> Result<Vec<Planned>> {
    let mut variants = unrelated(question, common)?;
    follow_alike(&mut variants);
    Ok(variants)
}

/// Where one variant's memory is locked, which takes following the command, all
/// are followed: what that costs shall not be taken for the fix. It also shows
/// how much there will be to populate.
fn follow_alike(variants: &mut [Planned]) {
    let locking = |planned: &Planned| planned.command.conditions.prefault;
    let Some(most) = variants
        .iter()
        .filter_map(locking)
        .max_by_key(|it| it.children)
    else {
        return;
    };
    let only_follow = Prefault {
        only_follow: true,
        ..most
    };
    for planned in variants {
        let own = &mut planned.command.conditions.prefault;
        *own = own.or(Some(only_follow));
    }
}

fn unrelated(question: &Question, common: &Common) -> Result<Vec<Planned>> {
    let plan = |name: &str, description: String, words: Vec<OsString>, fixes: &[Fix]| {
        planned(name, description, words, fixes, common)
    };
    match question {
        Question::InTree {
            bitmaps,
            fixes,
            arguments,
        } => {
            let mut variants = Vec::new();
            for kind in bitmaps {
                let words = in_tree(*kind, arguments)?;
                variants.push(plan(kind.name(), kind.words().to_owned(), words, &[])?);
            }
            let first = bitmaps.first().copied().unwrap_or(BitmapKind::Lazy);
            for fixes in fixes {
                let words = in_tree(first, arguments)?;
                variants.push(plan(&fixes.name, fixes.to_string(), words, &fixes.all)?);
            }
            Ok(variants)
        }
        Question::Fix { command, fixes } => {
            let as_it_is = "the command as it is".to_owned();
            let mut variants = vec![plan("baseline", as_it_is, command.clone(), &[])?];
            for fixes in fixes {
                let words = command.clone();
                variants.push(plan(&fixes.name, fixes.to_string(), words, &fixes.all)?);
            }
            Ok(variants)
        }
        Question::Two { before, after } => Ok(vec![
            plan("before", format!("`{before}`"), shell_words(before), &[])?,
            plan("after", format!("`{after}`"), shell_words(after), &[])?,
        ]),
    }
}

fn planned(
    name: &str,
    description: String,
    words: Vec<OsString>,
    fixes: &[Fix],
    common: &Common,
) -> Result<Planned> {
    let mut command = Command::find(words)?;
    command.output = Output::Kept;
    command.cpus.clone_from(&common.cpus);
    command.user.clone_from(&common.user);
    let metrics = match &common.metrics {
        Some(source) => Some(source.clone()),
        None if fio::is_fio(&command.arguments) => {
            let (arguments, source) = fio::with_json(&command.arguments, common.user.is_some())?;
            command.arguments = arguments;
            Some(source)
        }
        None => None,
    };
    let needs = apply::prepare(fixes, &mut command)?;
    Ok(Planned {
        name: name.to_owned(),
        description,
        command,
        needs,
        metrics,
    })
}

/// This binary, as the workload with one kind of bitmap.
fn in_tree(kind: BitmapKind, arguments: &[OsString]) -> Result<Vec<OsString>> {
    let own = std::env::current_exe().context("cannot find modeswitch's own file")?;
    let mut words = vec![own.into_os_string(), "workload".into()];
    words.extend(["--bitmap", kind.name()].map(OsString::from));
    words.extend(arguments.iter().cloned());
    Ok(words)
}

/// Characters that mean something to a shell.
const SPECIAL: &str = "|&;<>()$`\\\"'*?[]#~={}%!\n";

/// A command in one string: its words, or a shell where it takes one to read it.
fn shell_words(text: &str) -> Vec<OsString> {
    if text.contains(|c| SPECIAL.contains(c)) {
        ["/bin/sh", "-c", text].map(OsString::from).to_vec()
    } else {
        text.split_whitespace().map(OsString::from).collect()
    }
}

/// Checks that variants can be told apart by their names.
///
/// # Errors
/// [`Error::Usage`] if two have the same one.
pub fn check_names(variants: &[Planned]) -> Result<(), Error> {
    for (place, variant) in variants.iter().enumerate() {
        if variants[..place]
            .iter()
            .any(|other| other.name == variant.name)
        {
            return Err(Error::Usage(format!(
                "there are two variants `{}`: name each once",
                variant.name
            )));
        }
    }
    if variants.len() < 2 {
        return Err(Error::Usage(
            "an experiment takes two variants at least: say what to change with `--fix`, \
             `--bitmap` or `--before` and `--after`"
                .to_owned(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plain words need no shell, which would be counted with the command.
    #[test]
    fn only_what_a_shell_must_read_goes_to_a_shell() {
        assert_eq!(shell_words(" ./a  -x 1"), ["./a", "-x", "1"]);
        assert_eq!(shell_words("A=1 ./a"), ["/bin/sh", "-c", "A=1 ./a"]);
        assert_eq!(shell_words("./a | ./b")[0], "/bin/sh");
    }
}
