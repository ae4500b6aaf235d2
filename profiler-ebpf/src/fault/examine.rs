//! One fault, from its address and error code to its kind.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use profiler_common::{
    fault::{FaultKind, MappingClass, MappingKey},
    fault_config::{mappings, vm},
    loss::Loss,
    paging::entry,
};

use super::{
    kernel::{current_task, field},
    kind, mapping,
    scratch::{self},
    vma::{self, found, vma_field},
    walk,
};
use crate::{config::config, losses};

/// Set in the answer of [`examine`]: the fault may turn out to be a major one.
pub const PENDING: u32 = 1 << 8;

/// Where the pages begin and end that emulate the oldest way to ask for the time.
const VSYSCALL: u64 = 0xffff_ffff_ff60_0000;

/// The code of the fault's kind, with [`PENDING`]. Which mapping it is in is left
/// in the scratch memory.
#[inline(never)]
pub fn examine(address: u64, error_code: u32) -> u32 {
    const UNKNOWN: u32 = FaultKind::Unknown.code() as u32;
    let Some(scratch) = scratch::get() else {
        return UNKNOWN;
    };
    let mm = field(current_task(), config!(fault.task_mm)).unwrap_or(0);
    scratch.page.mapping = MappingKey {
        tgid: (bpf_get_current_pid_tgid() >> 32) as u32,
        space: (mm >> 6) as u32,
        id: 0,
    };
    if address >> 63 != 0 {
        scratch.page.mapping.id = u64::from(MappingClass::Special.code());
        return u32::from(if address & !0xfff == VSYSCALL {
            FaultKind::Other.code()
        } else {
            FaultKind::Protection.code()
        });
    }
    if config!(fault.mappings) == mappings::UNKNOWN {
        return UNKNOWN | PENDING;
    }
    match vma::load(mm, address) {
        found::MAPPING => {}
        found::NONE => {
            scratch.page.mapping.id = u64::from(MappingClass::None.code());
            return u32::from(FaultKind::Protection.code());
        }
        _ => {
            losses::note(Loss::FaultUnreadable, 1);
            return UNKNOWN | PENDING;
        }
    }
    let class = mapping::identify(mm);
    let flags = vma_field!(scratch, vma_flags);
    if kind::is_violation(error_code, flags) {
        return u32::from(FaultKind::Protection.code());
    }
    let Some(paging) = walk::paging() else {
        return UNKNOWN | PENDING;
    };
    let pgd = field(mm, config!(fault.mm_pgd)).unwrap_or(0);
    let found = walk::entry_of(pgd, address, paging);
    if found == entry::UNREADABLE {
        losses::note(Loss::FaultUnreadable, 1);
        return UNKNOWN | PENDING;
    }
    let kind = kind::of(error_code, flags, class, found);
    u32::from(kind.code()) | may_wait(kind, flags, found)
}

/// Whether the kernel may have to wait for a page, and so call the fault major.
#[inline(always)]
fn may_wait(kind: FaultKind, flags: u64, found: u64) -> u32 {
    // Shared anonymous memory may have gone to swap.
    let is_new = kind == FaultKind::FirstTouch && flags & vm::SHARED == 0;
    let is_there = kind == FaultKind::CopyOnWrite && found != 0;
    let never = is_new || is_there || matches!(kind, FaultKind::NumaHint | FaultKind::Raced);
    if never { 0 } else { PENDING }
}
