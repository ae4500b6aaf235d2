//! The mapping that an address lies in.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel;
use profiler_common::fault_config::{VMA_BYTES, mappings, vm};

use super::{
    kernel::{current_task, field},
    maple, rb_tree,
    scratch::{self, word_at},
};
use crate::config::config;

/// Stands for a tree or mapping that could not be read.
pub(super) const UNREADABLE: u64 = u64::MAX;

/// What [`load`] has found.
pub(super) mod found {
    /// The mapping is in the scratch memory.
    pub(in crate::fault) const MAPPING: u32 = 0;
    /// There is none.
    pub(in crate::fault) const NONE: u32 = 1;
    /// It could not be found out.
    pub(in crate::fault) const UNREADABLE: u32 = 2;
}

/// Reads the part of a mapping that matters into the scratch memory.
#[inline(always)]
pub(super) fn read(vma: u64) -> bool {
    let Some(scratch) = scratch::get() else {
        return false;
    };
    let bytes = config!(fault.vma_bytes) & (VMA_BYTES - 1);
    // SAFETY: the helper checks the address; the array has room for that much.
    let failed =
        unsafe { bpf_probe_read_kernel(scratch.vma.as_mut_ptr().cast(), bytes, vma as *const _) };
    failed == 0
}

/// One field of the mapping in the scratch memory.
macro_rules! vma_field {
    ($scratch:expr, $field:ident) => {
        $crate::fault::scratch::word_at(
            &$scratch.vma,
            u64::from($crate::config::config!(fault.$field)),
        )
    };
}
pub(super) use vma_field;

/// Finds the mapping that an address lies in, or that grows down to it. The
/// answer is one of [`found`].
#[inline(never)]
pub(super) fn load(mm: u64, address: u64) -> u32 {
    let Some(root) = field(mm, config!(fault.mm_root)) else {
        return found::UNREADABLE;
    };
    let vma = match config!(fault.mappings) {
        mappings::MAPLE_TREE => find_in_maple_tree(root, address),
        mappings::RB_TREE => rb_tree::find(root, address),
        _ => UNREADABLE,
    };
    if vma == 0 {
        return found::NONE;
    }
    let Some(scratch) = scratch::get() else {
        return found::UNREADABLE;
    };
    // The tree may be changing under our eyes: what was found must be a mapping
    // of this address space, and the right one.
    if vma == UNREADABLE || !read(vma) || vma_field!(scratch, vma_mm) != mm {
        return found::UNREADABLE;
    }
    let start = vma_field!(scratch, vma_start);
    let end = word_at(&scratch.vma, u64::from(config!(fault.vma_start)) + 8);
    if address >= end {
        return found::UNREADABLE;
    }
    if address >= start {
        return found::MAPPING;
    }
    let grows = vma_field!(scratch, vma_flags) & vm::GROWS_DOWN != 0;
    if grows && end - (address & !0xfff) <= stack_limit() {
        found::MAPPING
    } else {
        found::NONE
    }
}

/// The mapping at an address, or the first one above it.
#[inline(always)]
fn find_in_maple_tree(root: u64, address: u64) -> u64 {
    if root == 0 {
        return 0;
    }
    let vma = maple::find(root, address);
    if vma != 0 {
        return vma;
    }
    // A gap: behind it begins the next mapping, if there is one.
    let Some(scratch) = scratch::get() else {
        return UNREADABLE;
    };
    let next = scratch.range_last.wrapping_add(1);
    if next == 0 {
        0
    } else {
        maple::find(root, next)
    }
}

/// How large the stack of the current process may become.
#[inline(always)]
fn stack_limit() -> u64 {
    field(current_task(), config!(fault.task_signal))
        .and_then(|signal| field(signal, config!(fault.signal_stack_limit)))
        .unwrap_or(0)
}
