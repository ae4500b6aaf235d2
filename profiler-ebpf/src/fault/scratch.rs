//! Memory to work in: the programs' stacks are too small.

use profiler_common::fault::{MappingInfo, MappingKey, PageKey};

use crate::maps::SCRATCH;

/// Words of a maple-tree node, or of the part of a mapping that is read.
pub(super) const WORDS: usize = 32;

/// The mapping that was looked at last on this CPU: faults come in rows.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Last {
    pub(super) key: MappingKey,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) class: u64,
}

/// One CPU's memory.
#[repr(C)]
pub struct Scratch {
    /// A maple-tree node.
    pub(super) node: [u64; WORDS],
    /// A `vm_area_struct`.
    pub(super) vma: [u64; WORDS],
    /// What is about to be stored of a mapping.
    pub(super) info: MappingInfo,
    /// Which mapping, and which page of it, is being looked at.
    pub(super) page: PageKey,
    pub(super) last: Last,
    /// The last address of the range that a maple-tree look-up ended in.
    pub(super) range_last: u64,
}

/// This CPU's memory. Each caller asks for itself: a pointer that is handed on
/// would be another thing for older verifiers to doubt.
#[inline(always)]
pub(super) fn get() -> Option<&'static mut Scratch> {
    let scratch = SCRATCH.get_ptr_mut(0)?;
    // SAFETY: this CPU's memory of the map, which lives as long as the program;
    // only the page-fault program uses it, and it cannot be interrupted by itself.
    Some(unsafe { &mut *scratch })
}

/// The word at an offset in bytes, of which only what lies inside counts.
#[inline(always)]
pub(super) fn word_at(words: &[u64; WORDS], offset: u64) -> u64 {
    let offset = (offset & 0xf8) as usize;
    let word = words.as_ptr().wrapping_byte_add(offset);
    // SAFETY: at most 248 + 8 bytes into an array of 256, and aligned.
    unsafe { core::ptr::read_volatile(word) }
}
