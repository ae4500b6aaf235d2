//! What kind of fault it is: the kernel's own rules, applied to what it will see.

use profiler_common::{
    cause::fault_bits,
    fault::{FaultKind, MappingClass},
    fault_config::vm,
    paging::entry,
};

/// Whether the mapping forbids the access: `access_error` of
/// `arch/x86/mm/fault.c`.
#[inline(always)]
pub(super) fn is_violation(error_code: u32, flags: u64) -> bool {
    if error_code & (fault_bits::PROTECTION_KEY | fault_bits::ENCLAVE) != 0 {
        return true;
    }
    if error_code & fault_bits::WRITE != 0 {
        return flags & vm::WRITE == 0 && error_code & fault_bits::SHADOW_STACK == 0;
    }
    error_code & fault_bits::PROTECTION != 0 || flags & (vm::READ | vm::WRITE | vm::EXEC) == 0
}

/// The kind of a fault that the mapping allows, by the page table's entry.
#[inline(always)]
pub(super) fn of(error_code: u32, flags: u64, class: u32, found: u64) -> FaultKind {
    let is_write = error_code & fault_bits::WRITE != 0;
    let is_private_write = is_write && flags & vm::SHARED == 0;
    if found == entry::SPLITTING || error_code & fault_bits::RESERVED != 0 {
        return FaultKind::Other;
    }
    if found == 0 {
        return of_missing(flags, class, is_private_write);
    }
    if found & entry::PRESENT == 0 {
        return if found & entry::PROT_NONE != 0 {
            FaultKind::NumaHint
        } else if found >> entry::SWAP_TYPE_SHIFT < entry::SWAP_AREAS {
            FaultKind::SwapIn
        } else {
            FaultKind::Other
        };
    }
    if !is_write || found & entry::WRITE != 0 {
        FaultKind::Raced
    } else if found & entry::UFFD_WP != 0 {
        FaultKind::Other
    } else if is_private_write {
        FaultKind::CopyOnWrite
    } else {
        FaultKind::WriteNotify
    }
}

/// The kind of a fault on an address that the page table knows nothing of.
#[inline(always)]
fn of_missing(flags: u64, class: u32, is_private_write: bool) -> FaultKind {
    const FILE: u32 = MappingClass::File.code() as u32;
    const SPECIAL: u32 = MappingClass::Special.code() as u32;
    if flags & (vm::UFFD_MISSING | vm::PFN_MAP) != 0 || class == SPECIAL {
        FaultKind::Other
    } else if class != FILE {
        FaultKind::FirstTouch
    } else if is_private_write {
        FaultKind::CopyOnWrite
    } else {
        FaultKind::FileMinor
    }
}
