//! Kernel functions for the addresses in the rows and stacks.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    collect::snapshot::{Row, StackRow},
    kernel::symbols::Symbols,
};

/// Names every kernel address that occurs.
#[must_use]
pub fn names(rows: &[Row], stacks: &[StackRow], symbols: &Symbols) -> BTreeMap<u64, (String, u64)> {
    let of_rows = rows.iter().map(|row| row.slot);
    let of_stacks = stacks
        .iter()
        .flat_map(|stack| stack.kernel.iter().copied().chain([stack.row.slot]));
    let addresses: BTreeSet<u64> = of_rows
        .chain(of_stacks)
        .filter(|&address| address != 0)
        .collect();
    addresses
        .into_iter()
        .filter_map(|address| {
            let (name, offset) = symbols.resolve(address)?;
            Some((address, (name.to_owned(), offset)))
        })
        .collect()
}
