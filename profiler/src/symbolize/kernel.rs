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
    resolve(of_rows.chain(of_stacks), |address| {
        symbols.resolve_return(address)
    })
}

/// Names the functions that interrupts called, and the places that sent them.
#[must_use]
pub fn functions(
    purposes: &[PurposeRow],
    senders: &[SenderRow],
    symbols: &Symbols,
) -> BTreeMap<u64, (String, u64)> {
    let called = purposes.iter().map(|row| row.function);
    let called = called.chain(senders.iter().map(|row| row.function));
    let places = senders
        .iter()
        .flat_map(|row| row.kernel.iter().copied().chain([row.call_site]));
    let mut names = resolve(places, |address| symbols.resolve_return(address));
    names.extend(resolve(called, |address| symbols.resolve(address)));
    names
}

/// Names each of these addresses once.
fn resolve<'a>(
    addresses: impl Iterator<Item = u64>,
    name: impl Fn(u64) -> Option<(&'a str, u64)>,
) -> BTreeMap<u64, (String, u64)> {
    let addresses: BTreeSet<u64> = addresses.filter(|&address| address != 0).collect();
    addresses
        .into_iter()
        .filter_map(|address| {
            let (name, offset) = name(address)?;
            Some((address, (name.to_owned(), offset)))
        })
        .collect()
}
