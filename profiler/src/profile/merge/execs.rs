//! A process that executes one program after another. With each, the kernel puts
//! everything at other addresses: one instruction, and one mapping, would have a row
//! for each time.

use std::collections::{BTreeMap, BTreeSet};

use profiler_common::fault::MappingClass;

use super::{
    ledger::{add_instructions, add_senders, instruction},
    memory::{mapping, merge_mappings},
};
use crate::profile::model::{MappingRow, Profile};

/// Makes the rows of one process that differ in their addresses only one.
pub(in crate::profile) fn merge(profile: &mut Profile) {
    let rows = std::mem::take(&mut profile.ledger.by_code);
    // What is in no file may be something else at another address.
    let addresses = add_instructions(&mut profile.ledger.by_code, rows, |row| {
        let address = row.module_address.is_none().then(|| row.user_ip.clone());
        (instruction(row), address)
    });
    if let Some(senders) = &mut profile.senders {
        let rows = std::mem::take(senders);
        add_senders(senders, rows, &addresses);
    }
    let mappings = &mut profile.memory.by_mapping;
    let executing = executing(mappings);
    if executing.is_empty() {
        return;
    }
    merge_mappings(mappings, |row| {
        let is_alone = !executing.contains(&row.tgid) || row.start.is_none();
        (mapping(row), is_alone.then(|| row.start.clone()))
    });
}

/// The processes that executed several programs: each has a stack of its own.
fn executing(mappings: &[MappingRow]) -> BTreeSet<u32> {
    let mut stacks = BTreeMap::<u32, usize>::new();
    let is_stack = |row: &&MappingRow| row.kind == MappingClass::Stack.name();
    for row in mappings.iter().filter(is_stack) {
        *stacks.entry(row.tgid).or_default() += 1;
    }
    stacks.retain(|_, stacks| *stacks > 1);
    stacks.into_keys().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        profile::{
            build,
            model::{CodeRow, Sender},
        },
        symbolize::measurement::Measurement,
    };

    fn code(user_ip: &str, module_address: Option<&str>) -> CodeRow {
        CodeRow {
            count: 3,
            tgid: 7,
            user_ip: user_ip.to_owned(),
            symbol: Some("f".to_owned()),
            module: module_address.map(|_| "a.so".to_owned()),
            module_address: module_address.map(str::to_owned),
            ..CodeRow::default()
        }
    }

    fn stack(tgid: u32, start: &str) -> MappingRow {
        MappingRow {
            kind: MappingClass::Stack.name().to_owned(),
            tgid,
            start: Some(start.to_owned()),
            faults: 2,
            distinct_pages: 2,
            bytes: 0x2000,
            faults_per_page: Some(1.0),
            ..MappingRow::default()
        }
    }

    fn anonymous(tgid: u32, start: &str) -> MappingRow {
        MappingRow {
            kind: MappingClass::Anonymous.name().to_owned(),
            ..stack(tgid, start)
        }
    }

    /// One instruction of a file is one row however often the file was executed, and
    /// who sent interrupts from there is still found by its address.
    #[test]
    fn an_instruction_of_a_file_is_one_row() {
        let mut profile = build::profile(&Measurement::default());
        profile.ledger.by_code = vec![
            code("0x1010", Some("0x10")),
            code("0x5010", Some("0x10")),
            code("0x9020", Some("0x20")),
            code("0x30", None),
            code("0x40", None),
        ];
        let sender = |user_ip: &str| Sender {
            tgid: 7,
            user_ip: Some(user_ip.to_owned()),
            count: 1,
            ..Sender::default()
        };
        profile.senders = Some(vec![sender("0x1010"), sender("0x5010"), sender("0x40")]);
        merge(&mut profile);
        let rows = profile.ledger.by_code.iter();
        let rows: Vec<_> = rows.map(|row| (row.user_ip.as_str(), row.count)).collect();
        let expected = [("0x1010", 6), ("0x9020", 3), ("0x30", 3), ("0x40", 3)];
        assert_eq!(rows, expected);
        let senders = profile.senders.expect("as many").into_iter();
        let senders: Vec<_> = senders.map(|row| (row.user_ip, row.count)).collect();
        let expected = [(Some("0x1010".to_owned()), 2), (Some("0x40".to_owned()), 1)];
        assert_eq!(senders, expected);
    }

    /// A process with several stacks executed several programs; the mappings of one
    /// that did not stay apart.
    #[test]
    fn mappings_of_programs_in_one_process_are_one() {
        let mut profile = build::profile(&Measurement::default());
        profile.memory.by_mapping = vec![
            stack(7, "0x100"),
            stack(7, "0x200"),
            anonymous(7, "0x300"),
            anonymous(7, "0x400"),
            stack(8, "0x100"),
            anonymous(8, "0x300"),
            anonymous(8, "0x400"),
        ];
        merge(&mut profile);
        let mut rows: Vec<_> = profile.memory.by_mapping.iter().collect();
        rows.sort_by_key(|row| (row.tgid, row.kind.clone(), row.start.clone()));
        let rows: Vec<_> = rows
            .into_iter()
            .map(|row| (row.tgid, row.kind.as_str(), row.faults, row.bytes))
            .collect();
        let expected = [
            (7, "anonymous", 4, 0x4000),
            (7, "stack", 4, 0x4000),
            (8, "anonymous", 2, 0x2000),
            (8, "anonymous", 2, 0x2000),
            (8, "stack", 2, 0x2000),
        ];
        assert_eq!(rows, expected);
    }
}
