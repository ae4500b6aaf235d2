//! Collapsed stacks: `frame;frame;frame count`, outermost first.
//!
//! The counts are entries and add up to the ledger's total, whatever was known
//! of their code: what cannot be given to any is under [`NOT_ATTRIBUTED`].

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use super::processes;
use crate::{probe::settings::StackPolicy, profile::model::Profile};

/// Stands for code that is not known.
pub const NOT_ATTRIBUTED: &str = "[not attributed]";

/// Entries by frames, outermost first.
pub type Stacks = BTreeMap<Vec<String>, u64>;

/// What decides how many entries there are to give away.
type Group<'a> = (u32, &'a str, &'a str);

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
    let stacks = stacks(profile);
    let lines = stacks.iter().filter(|(_, entries)| **entries != 0);
    lines
        .map(|(frames, entries)| {
            let frames: Vec<String> = frames.iter().map(|frame| plain(frame)).collect();
            format!("{} {entries}", frames.join(";"))
        })
        .collect()
}

/// Whether only some stacks were taken, so that counts have to be scaled up.
#[must_use]
pub fn is_scaled(profile: &Profile) -> bool {
    profile.backend.stacks == StackPolicy::Sample && !profile.ledger.user_stacks.is_empty()
}

/// All entries by stack: user stacks where they were taken, else process, cause,
/// detail and function.
#[must_use]
pub fn stacks(profile: &Profile) -> Stacks {
    let ledger = &profile.ledger;
    let names = processes::names(profile);
    let mut known: BTreeMap<Group<'_>, Vec<(Vec<String>, u64)>> = BTreeMap::new();
    for row in &ledger.user_stacks {
        let mut frames = vec![processes::name(&names, row.tgid)];
        if row.truncated.is_some() {
            frames.push("[truncated]".to_owned());
        }
        let functions = row.frames.iter().rev();
        frames.extend(functions.map(|frame| function(frame).to_owned()));
        frames.extend([row.cause.to_string(), row.detail.clone()]);
        let group = (row.tgid, row.cause.as_str(), row.detail.as_str());
        known.entry(group).or_default().push((frames, row.count));
    }
    if ledger.user_stacks.is_empty() {
        for row in &ledger.by_code {
            let frames = vec![
                processes::name(&names, row.tgid),
                row.cause.to_string(),
                row.detail.clone(),
                row.symbol.clone().unwrap_or_else(|| row.user_ip.clone()),
            ];
            let group = (row.tgid, row.cause.as_str(), row.detail.as_str());
            known.entry(group).or_default().push((frames, row.count));
        }
    }
    let mut stacks = Stacks::new();
    let mut outside: BTreeMap<(&str, &str), u64> = ledger
        .by_cause
        .iter()
        .map(|row| ((row.cause.as_str(), row.detail.as_str()), row.count))
        .collect();
    for ((tgid, cause, detail), entries) in groups(profile) {
        if let Some(rest) = outside.get_mut(&(cause, detail)) {
            *rest = rest.saturating_sub(entries);
        }
        let found = known.remove(&(tgid, cause, detail)).unwrap_or_default();
        let counts: Vec<u64> = found.iter().map(|(_, count)| *count).collect();
        let shares = allot(entries, &counts, is_scaled(profile));
        let given: u64 = shares.iter().sum();
        for ((frames, _), share) in found.into_iter().zip(shares) {
            *stacks.entry(frames).or_default() += share;
        }
        let process = processes::name(&names, tgid);
        // Where the code would have been.
        let rest = if ledger.user_stacks.is_empty() {
            [&process, cause, detail, NOT_ATTRIBUTED]
        } else {
            [&process, NOT_ATTRIBUTED, cause, detail]
        };
        *stacks.entry(rest.map(str::to_owned).to_vec()).or_default() += entries - given;
    }
    // Entries whose thread had no room in the ledger.
    for ((cause, detail), entries) in outside {
        let frames = [NOT_ATTRIBUTED, cause, detail].map(str::to_owned).to_vec();
        *stacks.entry(frames).or_default() += entries;
    }
    stacks
}

/// Exact counts by process, cause and detail.
fn groups(profile: &Profile) -> BTreeMap<Group<'_>, u64> {
    let mut groups = BTreeMap::new();
    for thread in &profile.ledger.by_thread {
        for row in &thread.by_cause {
            let group = (
                processes::of(thread),
                row.cause.as_str(),
                row.detail.as_str(),
            );
            *groups.entry(group).or_default() += row.count;
        }
    }
    groups
}

/// Gives entries to stacks: as many as were counted of each, or all of them in
/// proportion, by largest remainder, if only samples were counted (or more than
/// there are to give).
fn allot(entries: u64, counts: &[u64], scale: bool) -> Vec<u64> {
    let counted: u128 = counts.iter().map(|&count| u128::from(count)).sum();
    if counted == 0 || (!scale && counted <= u128::from(entries)) {
        return counts.to_vec();
    }
    let parts = counts.iter().map(|&count| {
        let product = u128::from(count) * u128::from(entries);
        (product / counted, product % counted)
    });
    let parts: Vec<(u128, u128)> = parts.collect();
    let given: u128 = parts.iter().map(|(whole, _)| whole).sum();
    let left = usize::try_from(u128::from(entries) - given).unwrap_or(usize::MAX);
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(parts[index].1));
    let mut shares: Vec<u64> = parts
        .iter()
        .map(|&(whole, _)| u64::try_from(whole).unwrap_or(u64::MAX))
        .collect();
    for &index in order.iter().take(left) {
        shares[index] += 1;
    }
    shares
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

    /// Shares add up to all there is whenever anything was counted, and counts
    /// that fit are left as they are.
    #[test]
    fn nothing_is_given_twice_or_left() {
        assert_eq!(allot(10, &[3, 4], false), [3, 4]);
        assert_eq!(allot(10, &[1, 1, 1], true), [4, 3, 3]);
        assert_eq!(allot(3, &[5, 5], false), [2, 1]);
        assert_eq!(allot(u64::MAX, &[1, 2], true).iter().sum::<u64>(), u64::MAX);
        assert_eq!(allot(7, &[], true), [0; 0]);
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
