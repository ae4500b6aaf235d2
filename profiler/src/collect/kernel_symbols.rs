//! Kernel functions for the addresses in a snapshot, read while the kernel runs.

use std::collections::{BTreeMap, BTreeSet};

use super::{counts::Counts, interruption::Interruptions};
use crate::kernel::symbols::Symbols;

/// Kernel functions by address: the name, and how far behind its beginning.
pub type KernelSymbols = BTreeMap<u64, (String, u64)>;

/// Names every kernel address that occurs.
#[must_use]
pub fn of(counts: &Counts, interruptions: &Interruptions, symbols: &Symbols) -> KernelSymbols {
    let senders = || interruptions.senders.iter().flatten();
    let stubs = counts.rows.iter().map(|row| row.stub_return);
    let in_stacks = counts
        .stacks
        .iter()
        .flat_map(|stack| stack.kernel.iter().copied().chain([stack.row.stub_return]));
    let sending = senders().flat_map(|row| row.kernel.iter().copied().chain([row.call_site]));
    let called = interruptions.purposes.iter().map(|row| row.function);
    let called = called.chain(senders().map(|row| row.function));
    let mut names = resolve(stubs.chain(in_stacks).chain(sending), |address| {
        symbols.resolve_return(address)
    });
    names.extend(resolve(called, |address| symbols.resolve(address)));
    names
}

/// Names each of these addresses once.
fn resolve<'a>(
    addresses: impl Iterator<Item = u64>,
    name: impl Fn(u64) -> Option<(&'a str, u64)>,
) -> KernelSymbols {
    let addresses: BTreeSet<u64> = addresses.filter(|&address| address != 0).collect();
    addresses
        .into_iter()
        .filter_map(|address| {
            let (name, offset) = name(address)?;
            Some((address, (name.to_owned(), offset)))
        })
        .collect()
}
