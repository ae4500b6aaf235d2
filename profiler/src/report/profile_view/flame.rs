//! All entries by the code responsible, once for every flame graph: their sums are
//! the exact counts, also where only samples of the code were taken.

use std::collections::BTreeMap;

use profiler_common::cause::CauseKind;

use crate::{
    probe::settings::StackPolicy,
    profile::{
        code::base_name,
        model::{CodeRow, Profile, UserStack},
        processes,
    },
    report::view::{
        Block, Section,
        tree::{Node, Tree},
    },
};

/// Entries of one cause in one process that are by the same code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stack<'a> {
    /// The process; none for those whose thread had no room in the ledger.
    pub(crate) tgid: Option<u32>,
    /// As in the profile.
    pub(crate) cause: &'a str,
    /// As in the profile.
    pub(crate) detail: &'a str,
    /// By what.
    pub(crate) code: Code<'a>,
    /// How many.
    pub(crate) entries: u64,
}

/// The code that entries are by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Code<'a> {
    /// A call chain.
    Stack(&'a UserStack),
    /// An instruction.
    Instruction(&'a CodeRow),
    /// Not known.
    Unknown,
}

/// What decides how many entries there are to give away: process, cause and detail.
type Group<'a> = (u32, &'a str, &'a str);

/// Whether only some stacks were taken, so that counts have to be scaled up.
#[must_use]
pub(crate) fn is_scaled(profile: &Profile) -> bool {
    profile.backend.stacks == StackPolicy::Sample && !profile.ledger.user_stacks.is_empty()
}

/// All entries: by user stack where those were taken, else by instruction.
#[must_use]
pub(crate) fn stacks(profile: &Profile) -> Vec<Stack<'_>> {
    let ledger = &profile.ledger;
    let mut known: BTreeMap<Group<'_>, Vec<(Code<'_>, u64)>> = BTreeMap::new();
    for row in &ledger.user_stacks {
        let group = (row.tgid, row.cause.as_str(), row.detail.as_str());
        let found = known.entry(group).or_default();
        found.push((Code::Stack(row), row.count));
    }
    if ledger.user_stacks.is_empty() {
        for row in &ledger.by_code {
            let group = (row.tgid, row.cause.as_str(), row.detail.as_str());
            let found = known.entry(group).or_default();
            found.push((Code::Instruction(row), row.count));
        }
    }
    let mut outside: BTreeMap<(&str, &str), u64> = ledger
        .by_cause
        .iter()
        .map(|row| ((row.cause.as_str(), row.detail.as_str()), row.count))
        .collect();
    let mut stacks = Vec::new();
    for ((tgid, cause, detail), entries) in groups(profile) {
        if let Some(rest) = outside.get_mut(&(cause, detail)) {
            *rest = rest.saturating_sub(entries);
        }
        let found = known.remove(&(tgid, cause, detail)).unwrap_or_default();
        let counts: Vec<u64> = found.iter().map(|&(_, count)| count).collect();
        let shares = allot(entries, &counts, is_scaled(profile));
        let rest = entries - shares.iter().sum::<u64>();
        let codes = found.into_iter().map(|(code, _)| code).zip(shares);
        stacks.extend(
            codes
                .chain([(Code::Unknown, rest)])
                .map(|(code, entries)| Stack {
                    tgid: Some(tgid),
                    cause,
                    detail,
                    code,
                    entries,
                }),
        );
    }
    // Entries whose thread had no room in the ledger.
    let outside = outside.into_iter();
    stacks.extend(outside.map(|((cause, detail), entries)| Stack {
        tgid: None,
        cause,
        detail,
        code: Code::Unknown,
        entries,
    }));
    // A document need not add up: what is in no row is in no other place either.
    let known = stacks.iter().map(|stack| stack.entries);
    let known = known.fold(0, u64::saturating_add);
    stacks.push(Stack {
        tgid: None,
        cause: CauseKind::Unclassified.name(),
        detail: "in no row of the document",
        code: Code::Unknown,
        entries: ledger.total.saturating_sub(known),
    });
    stacks.retain(|stack| stack.entries != 0);
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

/// The section, if there are entries.
pub(super) fn section(profile: &Profile) -> Option<Section> {
    let root = root(profile);
    root.children.first_key_value()?;
    let text = if profile.ledger.user_stacks.is_empty() {
        "Process, cause, detail, then the function and the line that entered the kernel. No user stacks were taken, so that callers are not known: measure with --stacks user. Interrupts have no code here. Frames are entries, not time."
    } else if is_scaled(profile) {
        "Process, cause, detail, then the user code from the outermost caller inwards; below an interrupt, the code that it hit. The code is that of sampled call chains, scaled to the exact counts. Frames are entries, not time."
    } else {
        "Process, cause, detail, then the user code from the outermost caller to the instruction that entered the kernel. Below an interrupt is the code that it hit. Frames are entries, not time."
    };
    let tree = Tree {
        text: text.to_owned(),
        fields: ["ledger.by_code", "ledger.user_stacks"],
        root,
    };
    Some(Section::full(
        "flame",
        "Flame graph",
        vec![Block::Tree(tree)],
    ))
}

/// Process, cause and detail, then the code.
fn root(profile: &Profile) -> Node {
    let names = process_names(profile);
    let mut root = Node::default();
    for stack in stacks(profile) {
        let Stack {
            cause,
            detail,
            entries,
            ..
        } = stack;
        let process = match stack.tgid {
            None => "of no thread that is known".to_owned(),
            Some(tgid) => names
                .get(&tgid)
                .cloned()
                .unwrap_or_else(|| format!("process {tgid}")),
        };
        root.entries = root.entries.saturating_add(entries);
        let mut node = root
            .add(process, "", entries)
            .add(cause.to_owned(), cause, entries)
            .add(detail.to_owned(), cause, entries);
        for frame in frames(stack.code) {
            node = node.add(frame, cause, entries);
        }
    }
    root
}

/// The code from the outermost caller inwards.
fn frames(code: Code<'_>) -> Vec<String> {
    let row = match code {
        Code::Unknown => return Vec::new(),
        Code::Stack(stack) => return stack.frames.iter().rev().cloned().collect(),
        Code::Instruction(row) => row,
    };
    let module = row.module.as_deref().map(base_name);
    let Some(symbol) = &row.symbol else {
        return vec![match (module, &row.module_address) {
            (Some(module), Some(address)) => format!("{module}+{address}"),
            _ => row.user_ip.clone(),
        }];
    };
    let mut frames: Vec<String> = row.inlined_into.iter().rev().cloned().collect();
    frames.push(symbol.clone());
    frames.push(match (&row.file, row.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        _ => row.user_ip.clone(),
    });
    frames
}

/// Processes by the name of their first thread, with how many threads they had.
fn process_names(profile: &Profile) -> BTreeMap<u32, String> {
    let names = processes::names(profile);
    let mut threads: BTreeMap<u32, usize> = BTreeMap::new();
    for thread in &profile.ledger.by_thread {
        *threads.entry(processes::of(thread)).or_default() += 1;
    }
    let named = threads.into_iter().map(|(tgid, threads)| {
        let comm = names.get(&tgid).copied().unwrap_or_default();
        let name = match threads {
            1 => format!("{comm} {tgid}"),
            threads => format!("{comm} {tgid} ({threads} threads)"),
        };
        (tgid, name)
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        profile::model::{CauseRow, Ledger, ThreadCauseRow, ThreadRow},
        report::testing::empty,
    };

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

    /// Entries that no instruction is known of are in the tree as well, and the
    /// whole is the ledger's total.
    #[test]
    fn the_whole_is_the_total() {
        let entry = |cause: &str, count| ThreadCauseRow {
            cause: cause.into(),
            detail: "d".to_owned(),
            count,
            ..ThreadCauseRow::default()
        };
        let thread = ThreadRow {
            tid: 7,
            tgid: 7,
            comm: "x".to_owned(),
            total: 30,
            by_cause: vec![entry("syscall", 20), entry("interrupt", 10)],
        };
        let code = CodeRow {
            cause: "syscall".into(),
            detail: "d".to_owned(),
            count: 20,
            tgid: 7,
            user_ip: "0x1".to_owned(),
            symbol: Some("f".to_owned()),
            inlined_into: vec!["g".to_owned()],
            ..CodeRow::default()
        };
        let ledger = Ledger {
            total: 33,
            by_cause: vec![CauseRow {
                cause: "syscall".into(),
                detail: "d".to_owned(),
                count: 23,
                ..CauseRow::default()
            }],
            by_thread: vec![thread],
            by_code: vec![code],
            ..Ledger::default()
        };
        let mut profile = empty();
        profile.ledger = ledger;
        let tree = root(&profile);
        assert_eq!(tree.entries, 33);
        let process = &tree.children["x 7"];
        assert_eq!(process.entries, 30);
        assert_eq!(tree.children["of no thread that is known"].entries, 3);
        let syscall = &process.children["syscall"].children["d"];
        assert_eq!(
            syscall.children["g"].children["f"].children["0x1"].entries,
            20
        );
        assert!(
            process.children["interrupt"].children["d"]
                .children
                .is_empty()
        );
    }
}
