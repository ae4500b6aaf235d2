//! Whether the counts are exact, and if not, why. Pure.

use profiler_common::loss::Loss;

use crate::collect::snapshot::Snapshot;

/// Why the counts are a lower bound, a sentence for each reason. None: they are
/// exact.
#[must_use]
pub fn doubts(snapshot: &Snapshot) -> Vec<String> {
    let mut doubts = Vec::new();
    let missed: u64 = snapshot
        .programs
        .iter()
        .filter_map(|status| status.misses)
        .sum();
    if missed != 0 {
        doubts.push(format!(
            "the kernel passed {missed} events over while a program of ours was already running on \
             that CPU: so many entries at most are missing"
        ));
    }
    doubts.extend(kprobe_doubt(snapshot));
    doubts.extend(LOST_ENTRIES.iter().filter_map(|(loss, what)| {
        let lost = snapshot.losses.get(loss.name()).copied().unwrap_or(0);
        (lost != 0).then(|| format!("{lost} {what}"))
    }));
    doubts
}

/// Losses through which an entry may be missing. The others cost a detail.
const LOST_ENTRIES: [(Loss, &str); 3] = [
    (
        Loss::ThreadTableFull,
        "threads could not be followed, since the table of threads was full: their entries are missing",
    ),
    (
        Loss::OriginUnknown,
        "interrupts may have come from user mode or not: they are missing",
    ),
    (
        Loss::RegistersUnreadable,
        "returns could not be told apart, since their registers could not be read: they are missing",
    ),
];

/// Why the counts of a kprobe are a lower bound here, if they are.
///
/// The kernel passes over kprobe programs while a task that was preempted on
/// that CPU is inside `bpf()`. Where nothing is preempted in the kernel, that
/// cannot be; and up to 6.17 or so nobody counts what is passed over.
fn kprobe_doubt(snapshot: &Snapshot) -> Option<String> {
    let hook = snapshot.families.exit.filter(|hook| hook.is_kprobe())?;
    // A kernel that was not built to be preempted does not say so anywhere.
    let preemption = snapshot.host.preemption.as_deref()?;
    if matches!(preemption, "none" | "voluntary") {
        return None;
    }
    Some(format!(
        "the preemption model is {preemption}: while a task that is preempted in bpf() waits for \
         its CPU, the kernel skips the kprobe on {} there, and not every kernel counts that. The \
         counts are a lower bound; `--backend fentry` is exact",
        hook.function()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::{
        backend::{ExitHook, Families},
        session::ProgramStatus,
    };

    fn snapshot(hook: ExitHook, preemption: Option<&str>) -> Snapshot {
        let mut snapshot = Snapshot {
            families: Families {
                entry: false,
                exit: Some(hook),
            },
            ..Snapshot::default()
        };
        snapshot.host.preemption = preemption.map(str::to_owned);
        snapshot
    }

    /// A kprobe is in doubt wherever a task can be preempted in the kernel, and
    /// a trampoline nowhere.
    #[test]
    fn preemption_puts_kprobes_in_doubt() {
        let doubted = |hook, model| !doubts(&snapshot(hook, model)).is_empty();
        for model in ["full", "lazy", "preempt_dynamic", "preempt_rt"] {
            assert!(doubted(ExitHook::KprobeFpregs, Some(model)), "{model}");
            assert!(!doubted(ExitHook::FentryFpregs, Some(model)), "{model}");
        }
        for model in [None, Some("none"), Some("voluntary")] {
            assert!(!doubted(ExitHook::KprobePrepare, model), "{model:?}");
        }
    }

    /// Whatever an entry can be lost by is a reason; a lost detail is none.
    #[test]
    fn losses_of_entries_are_doubts() {
        let mut snapshot = snapshot(ExitHook::FentryFpregs, None);
        snapshot.losses.insert(Loss::StackLost.name().to_owned(), 5);
        snapshot
            .losses
            .insert(Loss::LedgerFull.name().to_owned(), 5);
        assert!(doubts(&snapshot).is_empty());
        snapshot
            .losses
            .insert(Loss::OriginUnknown.name().to_owned(), 2);
        snapshot.programs.push(ProgramStatus {
            program: "sys_exit".to_owned(),
            skipped: None,
            misses: Some(1_234),
        });
        let doubts = doubts(&snapshot);
        assert_eq!(doubts.len(), 2);
        assert!(doubts[0].contains("1234"), "{doubts:?}");
    }
}
