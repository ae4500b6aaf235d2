//! Collapsed stacks: `frame;frame;frame count`, outermost first.
//!
//! The counts are entries and add up to the ledger's total, whatever was known
//! of their code: what cannot be given to any is under [`NOT_ATTRIBUTED`].

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use super::profile_view::{self, Code};
use crate::profile::{model::Profile, processes};

/// Stands for code that is not known.
pub const NOT_ATTRIBUTED: &str = "[not attributed]";

/// Entries by frames, outermost first.
pub type Stacks = BTreeMap<Vec<String>, u64>;

/// Writes a line for each stack.
///
/// # Errors
/// Whatever the output reports.
pub fn write(profile: &Profile, out: &mut dyn Write) -> io::Result<()> {
    for line in lines(profile) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// The lines.
#[must_use]
pub fn lines(profile: &Profile) -> Vec<String> {
    stacks(profile)
        .iter()
        .map(|(frames, entries)| {
            let frames: Vec<String> = frames.iter().map(|frame| plain(frame)).collect();
            format!("{} {entries}", frames.join(";"))
        })
        .collect()
}

/// All entries by stack: user stacks where they were taken, else process, cause,
/// detail and function.
#[must_use]
pub fn stacks(profile: &Profile) -> Stacks {
    let names = processes::names(profile);
    // Where there are stacks, the cause is where they end.
    let has_stacks = !profile.ledger.user_stacks.is_empty();
    let mut stacks = Stacks::new();
    for stack in profile_view::stacks(profile) {
        let (cause, detail) = (stack.cause.to_owned(), stack.detail.to_owned());
        let process = stack.tgid.map(|tgid| processes::name(&names, tgid));
        let unknown = || NOT_ATTRIBUTED.to_owned();
        let frames = match (process, stack.code) {
            (None, _) => vec![unknown(), cause, detail],
            (Some(process), Code::Unknown) if has_stacks => {
                vec![process, unknown(), cause, detail]
            }
            (Some(process), Code::Unknown) => vec![process, cause, detail, unknown()],
            (Some(process), Code::Instruction(row)) => {
                let code = row.symbol.clone().unwrap_or_else(|| row.user_ip.clone());
                vec![process, cause, detail, code]
            }
            (Some(process), Code::Stack(row)) => {
                let cut = row.truncated.as_ref().map(|_| "[truncated]".to_owned());
                let functions = row.frames.iter().rev();
                let functions = functions.map(|frame| function(frame).to_owned());
                [process]
                    .into_iter()
                    .chain(cut)
                    .chain(functions)
                    .chain([cause, detail])
                    .collect()
            }
        };
        *stacks.entry(frames).or_default() += stack.entries;
    }
    stacks
}

/// The function of a frame of a stack, which may have a file and a line behind
/// it: calls from several lines of a function are one frame.
fn function(frame: &str) -> &str {
    let is_line = |place: &str| {
        let line = place.rsplit_once(':').map(|(_, line)| line);
        line.is_some_and(|line| line.parse::<u32>().is_ok())
    };
    match frame.rsplit_once(' ') {
        Some((function, place)) if is_line(place) => function,
        _ => frame,
    }
}

/// A frame without what has a meaning in this format: the semicolon, line ends,
/// and a number behind the last space, which would be taken for the count.
fn plain(frame: &str) -> String {
    let text: String = frame
        .chars()
        .map(|letter| match letter {
            ';' => ':',
            letter if letter.is_control() => ' ',
            letter => letter,
        })
        .collect();
    let text = text.trim();
    match text.rsplit_once(' ') {
        Some((begin, last)) if last.parse::<f64>().is_ok() => format!("{begin}_{last}"),
        _ if text.is_empty() => "[no name]".to_owned(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{nasty, random_names};

    /// The line goes, and the rest of the name stays.
    #[test]
    fn frames_are_functions() {
        assert_eq!(function("main /home/me/tiny.c:5"), "main");
        assert_eq!(function("<T as U>::f lib.rs:7"), "<T as U>::f");
        assert_eq!(function("<T as U>::f"), "<T as U>::f");
        assert_eq!(function("0x7f"), "0x7f");
    }

    /// Whatever names are in the profile, the lines can be taken apart again and
    /// add up to the ledger's total; also with a stack for some.
    #[test]
    fn lines_add_up_for_any_names() {
        for name in random_names(200) {
            for profile in [nasty(&name, false), nasty(&name, true)] {
                let mut sum = 0;
                for line in lines(&profile) {
                    assert!(!line.contains('\n') && !line.contains('\r'), "{line:?}");
                    let (frames, count) = line.rsplit_once(' ').expect("a count");
                    assert!(frames.split(';').all(|frame| !frame.is_empty()), "{line:?}");
                    let last = frames.rsplit(' ').next().unwrap_or(frames);
                    assert!(
                        !frames.contains(' ') || last.parse::<f64>().is_err(),
                        "{line:?}"
                    );
                    sum += count.parse::<u64>().expect("a whole number");
                }
                assert_eq!(sum, profile.ledger.total, "{name:?}");
            }
        }
    }
}
