//! The counts of two runs as one.

use std::{cmp::Reverse, collections::BTreeMap};

use super::rows::{add, add_counts, add_known, add_rows};
use crate::{
    classify::purpose::NOT_TOLD,
    profile::model::{CauseRow, CodeRow, Ledger, Purpose, Sender, ThreadCauseRow, ThreadRow},
};

/// Adds a run's counts. Rates are left as they were. Returns by what address an
/// instruction of the run, with its process, is known in the sum.
pub(super) fn add_ledger(sum: &mut Ledger, run: Ledger) -> Addresses {
    add(&mut sum.total, run.total);
    add_rows(
        &mut sum.by_cause,
        run.by_cause,
        |row| (row.cause.clone(), row.detail.clone()),
        add_cause,
    );
    sum.by_cause.sort_by_key(|row| Reverse(row.count));
    add_rows(
        &mut sum.by_thread,
        run.by_thread,
        |row| (row.tgid, row.tid, row.comm.clone()),
        add_thread,
    );
    let addresses = add_code(&mut sum.by_code, run.by_code);
    add_rows(
        &mut sum.kernel_stacks,
        run.kernel_stacks,
        |row| (row.cause.clone(), row.detail.clone(), row.frames.clone()),
        |known, row| add(&mut known.count, row.count),
    );
    sum.kernel_stacks.sort_by_key(|row| Reverse(row.count));
    add_rows(
        &mut sum.user_stacks,
        run.user_stacks,
        |row| {
            let cause = (row.cause.clone(), row.detail.clone());
            (row.tgid, cause, row.frames.clone(), row.truncated.clone())
        },
        |known, row| add(&mut known.count, row.count),
    );
    sum.user_stacks.sort_by_key(|row| Reverse(row.count));
    addresses
}

/// By process and address in a run: the address in the sum.
pub(super) type Addresses = BTreeMap<(u32, String), String>;

fn add_cause(sum: &mut CauseRow, mut row: CauseRow) {
    add_purposes(
        (&mut sum.purposes, sum.count, &sum.phases),
        (&mut row.purposes, row.count, &row.phases),
    );
    add(&mut sum.count, row.count);
    add_counts(&mut sum.phases, row.phases);
    add_counts(&mut sum.accesses, row.accesses);
    sum.major = add_known(sum.major, row.major);
    // Percentiles do not add up.
    sum.time_ns = None;
}

pub(super) fn add_thread(sum: &mut ThreadRow, row: ThreadRow) {
    add(&mut sum.total, row.total);
    add_rows(
        &mut sum.by_cause,
        row.by_cause,
        |row| (row.cause.clone(), row.detail.clone()),
        |known: &mut ThreadCauseRow, mut row| {
            add_purposes(
                (&mut known.purposes, known.count, &known.phases),
                (&mut row.purposes, row.count, &row.phases),
            );
            add(&mut known.count, row.count);
            add_counts(&mut known.phases, row.phases);
        },
    );
    sum.by_cause.sort_by_key(|row| Reverse(row.count));
}

/// What interrupts were for, with how many there were in all and by phase.
type Breakdown<'a> = (&'a mut Vec<Purpose>, u64, &'a BTreeMap<String, u64>);

/// Purposes add up to their row also where one of the runs could not tell them.
fn add_purposes(sum: Breakdown<'_>, row: Breakdown<'_>) {
    if sum.0.is_empty() && row.0.is_empty() {
        return;
    }
    let (sum, row) = (told(sum), told(row));
    let more = std::mem::take(row);
    add_rows(
        sum,
        more,
        |purpose| (purpose.purpose.clone(), purpose.function.clone()),
        |known, purpose| {
            add(&mut known.count, purpose.count);
            add(&mut known.further_calls, purpose.further_calls);
            add_counts(&mut known.phases, purpose.phases);
        },
    );
    sum.sort_by_key(|purpose| Reverse(purpose.count));
}

/// Purposes of a row that has none: all of its interrupts are not told.
fn told((purposes, count, phases): Breakdown<'_>) -> &mut Vec<Purpose> {
    if purposes.is_empty() && count != 0 {
        purposes.push(Purpose {
            purpose: NOT_TOLD.to_owned(),
            count,
            phases: phases.clone(),
            ..Purpose::default()
        });
    }
    purposes
}

/// What makes two rows one instruction in any run: its place in its module and
/// what is known of it. One of which nothing is known has only its address, which
/// is another one in each run where addresses are random.
pub(super) fn instruction(row: &CodeRow) -> impl Ord + use<> {
    let place = (row.module.clone(), row.module_address.clone());
    let is_known = row.module_address.is_some() || row.symbol.is_some();
    let address = (!is_known).then(|| row.user_ip.clone());
    let source = (row.symbol.clone(), row.file.clone(), row.line);
    let cause = (row.tgid, row.cause.clone(), row.detail.clone());
    (cause, place, source, row.inlined_into.clone(), address)
}

fn add_code(sum: &mut Vec<CodeRow>, run: Vec<CodeRow>) -> Addresses {
    add_instructions(sum, run, instruction)
}

/// Adds rows of code, those with the same key as one.
pub(super) fn add_instructions<K: Ord>(
    sum: &mut Vec<CodeRow>,
    more: Vec<CodeRow>,
    key: impl Fn(&CodeRow) -> K,
) -> Addresses {
    let mut addresses = Addresses::new();
    add_rows(sum, more, key, |known, row| {
        addresses.insert((row.tgid, row.user_ip.clone()), known.user_ip.clone());
        add_instruction(known, row);
    });
    sum.sort_by_key(|row| Reverse(row.count));
    addresses
}

pub(super) fn add_instruction(sum: &mut CodeRow, row: CodeRow) {
    add(&mut sum.count, row.count);
    sum.stack = sum.stack.take().or(row.stack);
    sum.reason = sum.reason.take().or(row.reason);
}

/// Adds senders, which name an instruction by its address.
pub(super) fn add_senders(sum: &mut Vec<Sender>, mut run: Vec<Sender>, addresses: &Addresses) {
    for row in &mut run {
        if let Some(address) = &row.user_ip
            && let Some(in_sum) = addresses.get(&(row.tgid, address.clone()))
        {
            row.user_ip = Some(in_sum.clone());
        }
    }
    let identity = |row: &Sender| {
        let sender = (row.tid, row.tgid, row.comm.clone());
        let target = (row.target_tid, row.target_comm.clone());
        let purpose = (row.purpose.clone(), row.function.clone());
        let entry = (row.cause.clone(), row.detail.clone(), row.user_ip.clone());
        let stacks = (row.kernel_stack.clone(), row.user_stack.clone());
        (
            sender,
            target,
            purpose,
            entry,
            row.call_site.clone(),
            stacks,
        )
    };
    add_rows(sum, run, identity, |known, row| {
        add(&mut known.count, row.count);
        add_counts(&mut known.phases, row.phases);
    });
    sum.sort_by_key(|row| Reverse(row.count));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Purposes add up to the row, whichever run could tell them.
    #[test]
    fn purposes_add_up_to_their_row() {
        let row = |count, told: &[(&str, u64)]| CauseRow {
            count,
            phases: BTreeMap::from([("steady".to_owned(), count)]),
            purposes: told
                .iter()
                .map(|&(purpose, count)| Purpose {
                    purpose: purpose.to_owned(),
                    count,
                    ..Purpose::default()
                })
                .collect(),
            ..CauseRow::default()
        };
        let told = row(7, &[("tlb_shootdown", 4), (NOT_TOLD, 3)]);
        for (mut sum, run) in [(told.clone(), row(5, &[])), (row(5, &[]), told)] {
            add_cause(&mut sum, run);
            let found = sum.purposes.iter();
            let found: Vec<_> = found.map(|row| (row.purpose.as_str(), row.count)).collect();
            assert_eq!(found, [(NOT_TOLD, 8), ("tlb_shootdown", 4)]);
            assert_eq!(sum.count, 12);
        }
    }
}
