//! Looking an address up in the red-black tree of mappings: up to Linux 6.0.

use super::{
    scratch::{self, word_at},
    vma,
};
use crate::config::config;

/// Twice the logarithm of as many mappings as a process may have, and more.
const MAX_DEPTH: u32 = 44;

/// The first mapping that ends behind an address: its address, 0 if there is
/// none, or [`vma::UNREADABLE`].
#[inline(never)]
pub(super) fn find(root: u64, address: u64) -> u64 {
    let Some(scratch) = scratch::get() else {
        return vma::UNREADABLE;
    };
    let mut node = root;
    let mut found = 0u64;
    for _ in 0..MAX_DEPTH {
        if node == 0 {
            return found;
        }
        let candidate = node - u64::from(config!(fault.vma_rb));
        if !vma::read(candidate) {
            return vma::UNREADABLE;
        }
        let start = u64::from(config!(fault.vma_start));
        let links = u64::from(config!(fault.vma_rb)) + u64::from(config!(fault.rb_left));
        let end = word_at(&scratch.vma, start + 8);
        let left = word_at(&scratch.vma, links);
        let right = word_at(&scratch.vma, links - 8);
        // All ones if it ends behind the address: user addresses have no sign.
        let behind = (address.wrapping_sub(end).cast_signed() >> 63).cast_unsigned();
        found = (candidate & behind) | (found & !behind);
        node = (left & behind) | (right & !behind);
    }
    vma::UNREADABLE
}
