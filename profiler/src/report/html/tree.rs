//! Entries as a tree: process, cause, detail, then the code responsible.

use std::collections::BTreeMap;

use super::palette;
use crate::{
    probe::settings::StackPolicy,
    profile::{
        code::base_name,
        model::{CodeRow, Profile},
    },
};

/// What the branches below a cause are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Call chains, one for each entry.
    Stacks,
    /// Call chains of some entries.
    SampledStacks,
    /// The instruction alone.
    Instructions,
}

/// A part of the entries, and what it consists of.
#[derive(Debug, Default)]
pub struct Node {
    /// Entries of all of it.
    pub entries: u64,
    /// Its colour.
    pub class: &'static str,
    /// Its parts by name.
    pub children: BTreeMap<String, Self>,
}

impl Node {
    fn add(&mut self, name: String, entries: u64, class: &'static str) -> &mut Self {
        let child = self.children.entry(name).or_default();
        child.entries = child.entries.saturating_add(entries);
        child.class = class;
        child
    }
}

/// What the tree of a profile is made of.
#[must_use]
pub fn basis(profile: &Profile) -> Basis {
    if profile.ledger.user_stacks.is_empty() {
        Basis::Instructions
    } else if profile.backend.stacks == StackPolicy::Sample {
        Basis::SampledStacks
    } else {
        Basis::Stacks
    }
}

/// The tree of a profile. With sampled stacks it has the sampled entries only.
#[must_use]
pub fn of(profile: &Profile) -> Node {
    let names = process_names(profile);
    let name = |tgid: u32| {
        names
            .get(&tgid)
            .cloned()
            .unwrap_or_else(|| format!("process {tgid}"))
    };
    let mut root = Node {
        class: "all",
        ..Node::default()
    };
    let basis = basis(profile);
    if basis == Basis::SampledStacks {
        for stack in &profile.ledger.user_stacks {
            let class = palette::cause(&stack.cause);
            root.entries = root.entries.saturating_add(stack.count);
            root.add(name(stack.tgid), stack.count, "all")
                .add(stack.cause.to_string(), stack.count, class)
                .add(stack.detail.clone(), stack.count, class);
        }
    } else {
        whole(profile, &mut root, &name);
    }
    match basis {
        Basis::Instructions => {
            for row in &profile.ledger.by_code {
                let at = (name(row.tgid), row.cause.as_str(), row.detail.as_str());
                hang(&mut root, at, row.count, place(row));
            }
        }
        Basis::Stacks | Basis::SampledStacks => {
            for stack in &profile.ledger.user_stacks {
                let at = (
                    name(stack.tgid),
                    stack.cause.as_str(),
                    stack.detail.as_str(),
                );
                let frames = stack.frames.iter().rev().cloned();
                hang(&mut root, at, stack.count, frames);
            }
        }
    }
    root
}

/// Every entry of every thread, without code.
fn whole(profile: &Profile, root: &mut Node, name: &impl Fn(u32) -> String) {
    root.entries = profile.ledger.total;
    let mut known: u64 = 0;
    for thread in &profile.ledger.by_thread {
        if thread.total == 0 {
            continue;
        }
        known = known.saturating_add(thread.total);
        let process = root.add(name(thread.tgid), thread.total, "all");
        for row in &thread.by_cause {
            let class = palette::cause(&row.cause);
            process.add(row.cause.to_string(), row.count, class).add(
                row.detail.clone(),
                row.count,
                class,
            );
        }
    }
    let rest = root.entries.saturating_sub(known);
    if rest != 0 {
        root.add("of no thread that is known".to_owned(), rest, "all");
    }
}

/// Hangs a chain of code below its cause, as far as its entries are there.
fn hang(
    root: &mut Node,
    (process, cause, detail): (String, &str, &str),
    entries: u64,
    frames: impl IntoIterator<Item = String>,
) {
    let node = root
        .children
        .get_mut(&process)
        .and_then(|node| node.children.get_mut(cause))
        .and_then(|node| node.children.get_mut(detail));
    let Some(mut node) = node else { return };
    let class = node.class;
    for frame in frames {
        node = node.add(frame, entries, class);
    }
}

/// An instruction: its function and its line.
fn place(row: &CodeRow) -> Vec<String> {
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

/// Processes by the name of their first thread.
fn process_names(profile: &Profile) -> BTreeMap<u32, String> {
    let mut threads: BTreeMap<u32, (String, usize)> = BTreeMap::new();
    for thread in &profile.ledger.by_thread {
        let found = threads
            .entry(thread.tgid)
            .or_insert_with(|| (thread.comm.clone(), 0));
        found.1 += 1;
        if thread.tid == thread.tgid {
            found.0.clone_from(&thread.comm);
        }
    }
    threads
        .into_iter()
        .map(|(tgid, (comm, threads))| {
            let name = match threads {
                1 => format!("{comm} {tgid}"),
                threads => format!("{comm} {tgid} ({threads} threads)"),
            };
            (tgid, name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::model::{Ledger, ThreadCauseRow, ThreadRow};

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
            by_thread: vec![thread],
            by_code: vec![code],
            ..Ledger::default()
        };
        let mut root = Node::default();
        let name = |tgid: u32| format!("x {tgid}");
        let profile = crate::report::html::section::testing::profile(ledger);
        whole(&profile, &mut root, &name);
        assert_eq!(root.entries, 33);
        let tree = of(&profile);
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
