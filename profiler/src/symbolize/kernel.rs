//! Kernel functions for the addresses in the rows and stacks.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    collect::{
        interruption::{PurposeRow, SenderRow},
        snapshot::{Row, StackRow},
    },
    kernel::symbols::Symbols,
};

/// Names every kernel address that occurs.
#[must_use]
pub fn names(rows: &[Row], stacks: &[StackRow], symbols: &Symbols) -> BTreeMap<u64, (String, u64)> {
    let of_rows = rows.iter().map(|row| row.slot);
    let of_stacks = stacks
        .iter()
        .flat_map(|stack| stack.kernel.iter().copied().chain([stack.row.slot]));
    resolve(of_rows.chain(of_stacks), symbols)
}

/// Names the functions that interrupts called, and the places that sent them.
#[must_use]
pub fn functions(
    purposes: &[PurposeRow],
    senders: &[SenderRow],
    symbols: &Symbols,
) -> BTreeMap<u64, (String, u64)> {
    let of_purposes = purposes.iter().map(|row| row.function);
    let of_senders = senders.iter().flat_map(|row| {
        let places = [row.function, row.call_site];
        places.into_iter().chain(row.kernel.iter().copied())
    });
    resolve(of_purposes.chain(of_senders), symbols)
}

/// Names each of these addresses once.
fn resolve(
    addresses: impl Iterator<Item = u64>,
    symbols: &Symbols,
) -> BTreeMap<u64, (String, u64)> {
    let addresses: BTreeSet<u64> = addresses.filter(|&address| address != 0).collect();
    addresses
        .into_iter()
        .filter_map(|address| {
            let (name, offset) = symbols.resolve(address)?;
            Some((address, (name.to_owned(), offset)))
        })
        .collect()
}
