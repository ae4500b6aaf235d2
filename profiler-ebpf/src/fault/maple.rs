//! Looking an address up in a maple tree: Linux 6.1 and later.
//!
//! Layout: `include/linux/maple_tree.h`; the search is that of
//! `mtree_range_walk` in `lib/maple_tree.c`. A pointer to a node has the node's
//! type in bits 3 to 6, since nodes are aligned to 256 bytes.

use core::arch::asm;

use aya_ebpf::helpers::generated::bpf_probe_read_kernel;
use profiler_common::fault_config::{MAPLE_NODE_BYTES, MAPLE_PIVOTS};

use super::scratch::{self, word_at};
use crate::config::config;

/// Deeper than any tree: each level has at least five branches.
const MAX_DEPTH: u32 = 12;
/// Stands for a tree that could not be read.
pub(super) const UNREADABLE: u64 = u64::MAX;
/// Below this, an entry is a mark of the tree's own.
const LOWEST_POINTER: u64 = 4096;

/// What is stored for an index: a pointer, 0, or [`UNREADABLE`]. The last index
/// of the range that it is stored for is left in the scratch memory.
#[inline(never)]
pub(super) fn find(root: u64, index: u64) -> u64 {
    let Some(scratch) = scratch::get() else {
        return UNREADABLE;
    };
    // A tree of one entry has no node; no process has so few mappings.
    if root & 3 != 2 {
        return UNREADABLE;
    }
    let mut entry = root;
    let mut last = u64::MAX;
    for _ in 0..MAX_DEPTH {
        if entry < LOWEST_POINTER {
            return UNREADABLE;
        }
        let kind = ((entry >> 3) & 0xf) as u32;
        let node = &mut scratch.node;
        let address = (entry & !0xff) as *const aya_ebpf::cty::c_void;
        // SAFETY: the helper checks the address, and the array is as long as said.
        let failed =
            unsafe { bpf_probe_read_kernel(node.as_mut_ptr().cast(), MAPLE_NODE_BYTES, address) };
        if failed != 0 {
            return UNREADABLE;
        }
        let is_leaf = kind == config!(fault.maple_leaf);
        let (slots, end) = if kind == config!(fault.maple_arange) {
            let end = word_at(node, u64::from(config!(fault.arange_end)));
            (config!(fault.arange_slots), end & 0xff)
        } else if is_leaf || kind == config!(fault.maple_range) {
            let end = word_at(node, u64::from(config!(fault.range_end)));
            // The last pivot is in use only if the node is full.
            let end = match node[MAPLE_PIVOTS as usize] {
                0 => end & 0xff,
                full if full == last => u64::from(MAPLE_PIVOTS) - 1,
                _ => u64::from(MAPLE_PIVOTS),
            };
            (config!(fault.range_slots), end)
        } else {
            return UNREADABLE;
        };
        // Pivots are ascending: as many as are below the index lie before it.
        let mut slot = 0u64;
        for step in [8, 4, 2, 1] {
            let last_of_step = slot + step - 1;
            let pivot = word_at(node, 8 + last_of_step * 8);
            let is_before = top_bit(last_of_step.wrapping_sub(end)) & is_below(pivot, index);
            slot += is_before * step;
        }
        if slot < end {
            let pivot = word_at(node, 8 + slot * 8);
            if pivot != 0 {
                last = pivot;
            }
        }
        entry = word_at(node, u64::from(slots) + slot * 8);
        if is_leaf {
            scratch.range_last = last;
            return entry;
        }
    }
    UNREADABLE
}

/// 1 if `a < b`, else 0.
#[inline(always)]
fn is_below(a: u64, b: u64) -> u64 {
    top_bit((!a & b) | (!(a ^ b) & a.wrapping_sub(b)))
}

/// The top bit: a comparison without a branch, of which the verifier would follow
/// both ways, over and over. In assembly since the compiler would make one of it.
#[inline(always)]
fn top_bit(value: u64) -> u64 {
    let mut bit = value;
    // SAFETY: one shift of one register.
    unsafe { asm!("{0} >>= 63", inout(reg) bit, options(pure, nomem, nostack)) };
    bit
}
