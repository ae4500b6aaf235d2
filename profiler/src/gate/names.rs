//! Which details there can be. A limit on something that does not exist would
//! hold for ever, so names are looked up before they are believed.

use profiler_common::{
    cause::CauseKind,
    fault::FaultKind,
    vector::{Trap, Vector},
};
use syscalls::{x86, x86_64};

use super::diagnostic::similar;
use crate::{
    classify::purpose,
    gap::{DEVICE_PREFIX, Details, HYPERVISOR_CALLBACKS},
    profile::selection::Pattern,
};

/// Why a detail cannot be one of its cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unknown {
    /// In words.
    pub(super) message: String,
    /// What may have been meant.
    pub(super) meant: Option<String>,
}

/// What names of system calls begin with of which our table has the number only.
const PREFIXES: [&str; 3] = ["syscall_", "ia32:", "x32:"];

/// Checks that entries of a cause can have such a detail.
pub(super) fn check(kind: CauseKind, pattern: &Pattern) -> Result<(), Unknown> {
    let known = known(kind);
    if known.iter().any(|name| pattern.matches(name)) {
        return Ok(());
    }
    let word = &pattern.0;
    let meant = similar(word, known.iter().map(String::as_str)).map(str::to_owned);
    // The kernel's names of devices' interrupts can be any.
    let device = || (kind == CauseKind::Interrupt).then(|| format!("{DEVICE_PREFIX}{word}"));
    let meant = meant.or_else(device);
    // Devices and other vectors have the kernel's names for them, and calls newer
    // than our table have their number.
    let may_be_new = match kind {
        CauseKind::Syscall => {
            PREFIXES.iter().any(|prefix| has_number(word, prefix)) || pattern.is_open_end()
        }
        CauseKind::Interrupt => {
            pattern.meets(Details::Prefixed(DEVICE_PREFIX))
                || has_number(word, "vector_")
                || pattern.is_open_end()
        }
        CauseKind::Unclassified | CauseKind::Return => true,
        CauseKind::Exception | CauseKind::PageFault | CauseKind::Nmi | CauseKind::NewTask => false,
    };
    if may_be_new {
        return Ok(());
    }
    Err(Unknown {
        message: format!("no {} has the detail `{word}`", kind.name()),
        meant,
    })
}

impl Pattern {
    /// Whether it fits names of which only the beginning is known.
    fn is_open_end(&self) -> bool {
        PREFIXES
            .iter()
            .chain(&["vector_"])
            .any(|prefix| self.0.starts_with(prefix) && self.is_open())
    }
}

fn has_number(word: &str, prefix: &str) -> bool {
    word.strip_prefix(prefix)
        .is_some_and(|number| number.parse::<i32>().is_ok())
}

/// The names that are known in advance.
fn known(kind: CauseKind) -> Vec<String> {
    let owned = |name: &str| name.to_owned();
    let mut names: Vec<String> = match kind {
        CauseKind::Syscall => {
            let native = || x86_64::Sysno::iter().map(|call| call.name());
            let compat = x86::Sysno::iter().map(|call| format!("ia32:{}", call.name()));
            let x32 = native().map(|name| format!("x32:{name}"));
            native().map(owned).chain(compat).chain(x32).collect()
        }
        CauseKind::PageFault => FaultKind::ALL.iter().map(|k| owned(k.name())).collect(),
        CauseKind::Interrupt => {
            let vectors = Vector::ALL.iter().map(|vector| vector.name());
            let others = HYPERVISOR_CALLBACKS.into_iter().chain(OTHER_INTERRUPTS);
            let others = others.chain(purpose::all());
            vectors.chain(others).map(owned).collect()
        }
        CauseKind::Nmi => vec![owned("nmi")],
        CauseKind::NewTask => vec![owned("first_return")],
        CauseKind::Exception => Trap::ALL.iter().map(|trap| owned(trap.name())).collect(),
        CauseKind::Unclassified | CauseKind::Return => Vec::new(),
    };
    // Entries that there was no room to tell apart.
    names.push(owned("no_room_for_detail"));
    names
}

/// Interrupts without a tracepoint, as kernels from 5.10 to 7.x name them, and
/// those of devices that are not told apart.
const OTHER_INTERRUPTS: [&str; 15] = [
    "common_interrupt",
    "device",
    "hyperv_reenlightenment",
    "hyperv_stimer0",
    "irq_move_cleanup",
    "kvm_posted_intr_ipi",
    "kvm_posted_intr_nested_ipi",
    "kvm_posted_intr_wakeup_ipi",
    "perf_guest_mediated_pmi_handler",
    "posted_msi_notification",
    "reboot",
    "spurious_apic_interrupt",
    "spurious_interrupt",
    "uv_bau_message",
    "xen_pv_evtchn_do_upcall",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(kind: CauseKind, word: &str) -> Result<(), Unknown> {
        check(kind, &Pattern(word.to_owned()))
    }

    /// What exists passes, what is newer than our tables passes, and a slip does
    /// not: it would never count anything.
    #[test]
    fn slips_in_details_are_found() {
        for (kind, word) in [
            (CauseKind::Syscall, "clock_gettime"),
            (CauseKind::Syscall, "io_uring_*"),
            (CauseKind::Syscall, "syscall_9999"),
            (CauseKind::Syscall, "syscall_-1"),
            (CauseKind::Syscall, "x32:getpid"),
            (CauseKind::Syscall, "ia32:getpid"),
            (CauseKind::PageFault, "first_touch"),
            (CauseKind::Interrupt, "device:nvme0q1"),
            (CauseKind::Interrupt, "device:nvme*"),
            (CauseKind::Interrupt, "hypervisor_callback"),
            (CauseKind::Interrupt, "tlb_shootdown"),
            (CauseKind::Interrupt, "vector_242"),
            (CauseKind::Exception, "invalid_opcode"),
            (CauseKind::Nmi, "nmi"),
        ] {
            assert_eq!(checked(kind, word), Ok(()), "{word}");
        }
        for (kind, word, meant) in [
            (CauseKind::Syscall, "clock_getime", "clock_gettime"),
            (CauseKind::PageFault, "fist_touch", "first_touch"),
            (CauseKind::Interrupt, "local_time", "local_timer"),
            (
                CauseKind::Interrupt,
                "hypervisor_calback",
                "hypervisor_callback",
            ),
            (CauseKind::Interrupt, "tlb_shotdown", "tlb_shootdown"),
            (CauseKind::Interrupt, "nvme0q1", "device:nvme0q1"),
        ] {
            let unknown = checked(kind, word).expect_err(word);
            assert_eq!(unknown.meant.as_deref(), Some(meant));
        }
        assert!(checked(CauseKind::Syscall, "no_such_call*").is_err());
    }
}
