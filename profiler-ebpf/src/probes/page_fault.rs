//! Page faults in user mode.

use aya_ebpf::{
    macros::{btf_tracepoint, perf_event},
    programs::{BtfTracePointContext, PerfEventContext},
};
use profiler_common::{
    cause::CauseKind,
    fault::{FaultKind, detail, page},
    fault_config::level,
    key::{LedgerKey, region},
    loss::Loss,
};

use crate::{
    config::config,
    count::{Entry, count},
    fault::{PENDING, examine, pages},
    ledger, losses,
    maps::PENDING_FAULTS,
    regs::Regs,
    target,
};

/// The one page at a kernel address that the kernel treats as the program's.
const VSYSCALL: u64 = 0xffff_ffff_ff60_0000;

/// `exceptions:page_fault_user`: fires for faults from user mode only, with
/// interrupts off, before the fault is dealt with.
///
/// proto: `page_fault_user(unsigned long address, struct pt_regs *regs,
/// unsigned long error_code)`, all kernels.
///
/// Minimum kernel: 5.5 (BTF tracepoints).
#[btf_tracepoint(function = "page_fault_user")]
pub fn page_fault_user(ctx: BtfTracePointContext) -> i32 {
    let address: u64 = ctx.arg(0);
    let regs: *const Regs = ctx.arg(1);
    let error_code: u64 = ctx.arg(2);
    // Faults of all the machine pass here: looking into them is dearer than asking.
    if target::counted().is_none() {
        return 0;
    }
    // SAFETY: a trusted pointer to `struct pt_regs`; the verifier checks the access.
    let user_ip = unsafe { (*regs).ip };
    let error_code = error_code as u32;
    let mut kind = u32::from(FaultKind::Unknown.code()) | PENDING;
    if config!(fault.level) != level::COUNT {
        kind = examine(address, error_code);
    }
    let mut counted = detail::of(error_code, kind as u8);
    if address >> 63 != 0 && address & page::ADDRESS != VSYSCALL {
        counted |= detail::KERNEL_ADDRESS;
    }
    let entry = Entry {
        kind: CauseKind::PageFault.code(),
        detail: counted,
        slot: 0,
        user_ip,
    };
    count(&ctx, region::IRQS_OFF, entry);
    if config!(fault.level) == level::PAGES {
        pages::note(address, kind);
    }
    if config!(fault.level) != level::COUNT && kind & PENDING != 0 {
        pages::remember(address, user_ip, counted);
    }
    0
}

/// The privilege level in a saved code segment: not 0 for user mode.
const PRIVILEGE: u64 = 3;

/// Software event `PERF_COUNT_SW_PAGE_FAULTS_MAJ`: fires once the kernel has dealt
/// with a fault for which it had to wait.
///
/// The kernel passes over programs on events while a task that was preempted on
/// this CPU is inside `bpf()`: a plain counter of the same event tells.
///
/// Minimum kernel: 4.17 (`addr`).
#[perf_event]
pub fn major_fault(ctx: PerfEventContext) -> i32 {
    // SAFETY: the context, of which the verifier checks the access.
    let segment = unsafe { (*ctx.ctx).regs.cs };
    // SAFETY: as above.
    let address = unsafe { (*ctx.ctx).addr };
    if segment & PRIVILEGE == 0 {
        return 0;
    }
    let Some(born) = target::counted() else {
        return 0;
    };
    let tid = target::current_tid();
    // SAFETY: the row is this thread's own, and it has no other fault now.
    let pending = unsafe { PENDING_FAULTS.get(tid) };
    let Some(pending) = pending.filter(|pending| pending.address == address) else {
        losses::note(Loss::MajorUnmatched, 1);
        return 0;
    };
    let key = LedgerKey {
        tid,
        born,
        user_ip: pending.user_ip,
        detail: pending.detail | detail::MAJOR,
        slot: 0,
        phase: pending.phase as u16,
        kind: CauseKind::PageFault.code(),
        flags: 0,
        padding: 0,
    };
    ledger::mark(&key);
    if config!(fault.level) == level::PAGES {
        let mut key = pending.page;
        key.page |= page::MAJOR;
        pages::add(&key);
    }
    0
}
