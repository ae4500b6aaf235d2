//! What the page table says of an address.

use profiler_common::paging::{Paging, entry};

use super::kernel::word;
use crate::maps::PAGING;

/// Bits of an address that choose an entry of one table.
const INDEX: u64 = 0x1ff;

/// How page tables are walked, if that is known.
#[inline(always)]
pub fn paging() -> Option<Paging> {
    let paging = PAGING.get(0)?;
    (paging.direct_map != 0).then_some(*paging)
}

/// The entry that decides on a user address: of the lowest table, of a huge page,
/// or 0 if a table on the way is missing. [`entry::UNREADABLE`] if one could not
/// be read, [`entry::SPLITTING`] if it is about to change.
#[inline(always)]
pub fn entry_of(pgd: u64, address: u64, paging: Paging) -> u64 {
    let mut table = pgd;
    if paging.levels == 5 {
        table = match lower(table, address, 48, paging) {
            Ok(lower) => lower,
            Err(decided) => return decided,
        };
    }
    table = match lower(table, address, 39, paging) {
        Ok(lower) => lower,
        Err(decided) => return decided,
    };
    table = match lower(table, address, 30, paging) {
        Ok(lower) => lower,
        Err(decided) => return decided,
    };
    table = match lower(table, address, 21, paging) {
        Ok(lower) => lower,
        Err(decided) => return decided,
    };
    word(table + (address >> 12 & INDEX) * 8).unwrap_or(entry::UNREADABLE)
}

/// The table that an entry points to, or the entry that decides.
#[inline(always)]
fn lower(table: u64, address: u64, shift: u32, paging: Paging) -> Result<u64, u64> {
    let Some(found) = word(table + (address >> shift & INDEX) * 8) else {
        return Err(entry::UNREADABLE);
    };
    let is_huge = found & entry::HUGE != 0;
    if found & entry::PRESENT == 0 {
        let splitting = is_huge && found & entry::PROT_NONE == 0;
        return Err(if splitting { entry::SPLITTING } else { found });
    }
    if is_huge {
        return Err(found);
    }
    Ok(paging.direct_map + (found & paging.address_mask))
}
