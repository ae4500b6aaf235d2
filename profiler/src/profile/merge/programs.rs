//! Rows of processes as rows of programs. A compiler that was started fifteen times
//! does the same at the same place fifteen times. Pure.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    ledger::{add_instruction, instruction},
    memory::{add_allocation, add_beside, allocation, mapping},
};
use crate::profile::{
    model::{AllocationRow, CodeRow, MappingRow, Profile},
    processes,
};

/// What a row of a table stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    /// All processes with the same name.
    #[default]
    Program,
    /// One process.
    Process,
}

/// A row, and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Owned<R> {
    /// The process's number, or the program's name and how many processes: `cc1 × 12`.
    pub owner: String,
    /// The row. Where it is of several processes, what only one of them has, such as
    /// an address, is the first one's.
    pub row: R,
}

/// Entries by instruction, most frequent first.
#[must_use]
pub fn code(profile: &Profile, by: By) -> Vec<Owned<CodeRow>> {
    let rows = &profile.ledger.by_code;
    let rows = together(
        (profile, by),
        rows,
        |row| &mut row.tgid,
        instruction,
        add_instruction,
    );
    sorted(rows, |row| row.count)
}

/// Page faults by mapping, most frequent first.
#[must_use]
pub fn mappings(profile: &Profile, by: By) -> Vec<Owned<MappingRow>> {
    let rows = &profile.memory.by_mapping;
    let rows = together(
        (profile, by),
        rows,
        |row| &mut row.tgid,
        mapping,
        add_beside,
    );
    sorted(rows, |row| row.faults)
}

/// Calls that made memory, the most memory first.
#[must_use]
pub fn allocations(profile: &Profile, by: By) -> Vec<Owned<AllocationRow>> {
    let rows = &profile.memory.allocations;
    let rows = together(
        (profile, by),
        rows,
        |row| &mut row.tgid,
        allocation,
        |sum, row| add_allocation(sum, &row),
    );
    sorted(rows, |row| row.bytes)
}

fn sorted<R>(mut rows: Vec<Owned<R>>, weight: impl Fn(&R) -> u64) -> Vec<Owned<R>> {
    rows.sort_by_key(|owned| Reverse(weight(&owned.row)));
    rows
}

/// Rows with the same key, of processes with the same name, as one.
fn together<R: Clone, K: Ord>(
    (profile, by): (&Profile, By),
    rows: &[R],
    process: fn(&mut R) -> &mut u32,
    key: impl Fn(&R) -> K,
    add: impl Fn(&mut R, R),
) -> Vec<Owned<R>> {
    let names = processes::names(profile);
    let shared = shared(&names);
    let mut merged: Vec<(R, Option<&str>, BTreeSet<u32>)> = Vec::new();
    let mut indexes: BTreeMap<(K, &str), usize> = BTreeMap::new();
    for row in rows {
        let mut row = row.clone();
        let tgid = *process(&mut row);
        let name = names.get(&tgid).filter(|name| shared.contains(*name));
        let Some(&name) = name.filter(|_| by == By::Program) else {
            merged.push((row, None, BTreeSet::from([tgid])));
            continue;
        };
        // The key is that of a row of no process.
        *process(&mut row) = 0;
        let index = *indexes.entry((key(&row), name)).or_insert(merged.len());
        match merged.get_mut(index) {
            Some((known, _, processes)) => {
                processes.insert(tgid);
                add(known, row);
            }
            None => merged.push((row, Some(name), BTreeSet::from([tgid]))),
        }
    }
    let merged = merged.into_iter();
    let owned = merged.map(|(row, name, processes)| Owned {
        owner: owner(name, &processes),
        row,
    });
    owned.collect()
}

fn owner(name: Option<&str>, processes: &BTreeSet<u32>) -> String {
    match (name, processes.len(), processes.first()) {
        (Some(name), several @ 2.., _) => format!("{name} × {several}"),
        // The document's own sum of what there was no room for.
        (_, _, Some(0) | None) => "several".to_owned(),
        (_, _, Some(tgid)) => tgid.to_string(),
    }
}

/// The names that several processes have.
fn shared<'a>(names: &BTreeMap<u32, &'a str>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let named = names.values().filter(|name| !name.is_empty());
    named.filter(|name| !seen.insert(**name)).copied().collect()
}

/// What one program's processes did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Its name; empty where it is not known.
    pub name: String,
    /// Its processes.
    pub processes: u64,
    /// Their threads.
    pub threads: u64,
    /// Their entries.
    pub entries: u64,
}

/// Entries by program, most first.
#[must_use]
pub fn totals(profile: &Profile) -> Vec<Program> {
    let names = processes::names(profile);
    let mut programs: BTreeMap<&str, (BTreeSet<u32>, Program)> = BTreeMap::new();
    for thread in &profile.ledger.by_thread {
        let process = processes::of(thread);
        let name = names.get(&process).copied().unwrap_or_default();
        let (processes, program) = programs.entry(name).or_default();
        processes.insert(process);
        program.threads += 1;
        program.entries = program.entries.saturating_add(thread.total);
    }
    let mut programs: Vec<Program> = programs
        .into_iter()
        .map(|(name, (processes, program))| Program {
            name: name.to_owned(),
            processes: processes.len() as u64,
            ..program
        })
        .collect();
    programs.sort_by_key(|program| Reverse(program.entries));
    programs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        profile::{build, model::ThreadRow},
        symbolize::measurement::Measurement,
    };

    fn profile() -> Profile {
        let mut profile = build::profile(&Measurement::default());
        let thread = |tgid, tid, comm: &str, total| ThreadRow {
            tgid,
            tid,
            comm: comm.to_owned(),
            total,
            ..ThreadRow::default()
        };
        profile.ledger.by_thread = vec![
            thread(1, 1, "gcc", 10),
            thread(2, 2, "cc1", 20),
            thread(3, 3, "cc1", 30),
            thread(3, 4, "helper", 5),
        ];
        let code = |tgid, user_ip: &str, count| CodeRow {
            tgid,
            user_ip: user_ip.to_owned(),
            count,
            symbol: Some("f".to_owned()),
            module: Some("ld.so".to_owned()),
            module_address: Some("0x10".to_owned()),
            ..CodeRow::default()
        };
        profile.ledger.by_code = vec![
            code(1, "0x10", 7),
            code(2, "0x20", 4),
            code(3, "0x30", 5),
            code(0, "0x40", 1),
        ];
        profile
    }

    fn shown(rows: &[Owned<CodeRow>]) -> Vec<(&str, u64)> {
        let rows = rows.iter();
        rows.map(|owned| (owned.owner.as_str(), owned.row.count))
            .collect()
    }

    /// Processes with one name have one row for an instruction, others their own; what
    /// the document has of no process stays apart. Nothing is lost either way.
    #[test]
    fn processes_with_one_name_are_one() {
        let profile = profile();
        let merged = code(&profile, By::Program);
        assert_eq!(shown(&merged), [("cc1 × 2", 9), ("1", 7), ("several", 1)]);
        let each = code(&profile, By::Process);
        let expected = [("1", 7), ("3", 5), ("2", 4), ("several", 1)];
        assert_eq!(shown(&each), expected);
    }

    /// Mappings of different processes are as large as all of them.
    #[test]
    fn mappings_of_processes_add_up() {
        let mut profile = profile();
        let stack = |tgid| MappingRow {
            kind: "stack".to_owned(),
            tgid,
            bytes: 0x1000,
            faults: 3,
            start: Some(format!("{tgid:#x}000")),
            ..MappingRow::default()
        };
        profile.memory.by_mapping = vec![stack(1), stack(2), stack(3)];
        let rows = mappings(&profile, By::Program);
        let rows: Vec<_> = rows
            .iter()
            .map(|owned| (owned.owner.as_str(), owned.row.faults, owned.row.bytes))
            .collect();
        assert_eq!(rows, [("cc1 × 2", 6, 0x2000), ("1", 3, 0x1000)]);
    }

    /// Threads go with their process, whatever their own name.
    #[test]
    fn programs_have_totals() {
        let totals = totals(&profile());
        let totals: Vec<_> = totals
            .iter()
            .map(|row| (row.name.as_str(), row.processes, row.threads, row.entries))
            .collect();
        assert_eq!(totals, [("cc1", 2, 3, 55), ("gcc", 1, 1, 10)]);
    }
}
