//! What a call-function interrupt was for, by the function that it calls.

pub use crate::gap::TLB_SHOOTDOWN;

/// The purpose of an interrupt whose function is not known by that name.
pub const OTHER: &str = "other_function";
/// The purpose of one that makes the CPU choose anew what to run.
pub const RESCHEDULE: &str = "reschedule";
/// The purpose of one whose function was not seen.
pub const NOT_TOLD: &str = "not_told";

/// Purposes by the beginning of the function's name. Names are those of
/// `arch/x86/mm/tlb.c`, `kernel/sched/`, `kernel/time/`, `mm/mmu_gather.c`, …
const PURPOSES: [(&str, &str); 18] = [
    ("flush_tlb_func", TLB_SHOOTDOWN),
    ("do_flush_tlb_all", TLB_SHOOTDOWN),
    ("do_kernel_range_flush", TLB_SHOOTDOWN),
    ("tlb_remove_table_smp_sync", "page_table_free"),
    ("ipi_mb", "membarrier"),
    ("ipi_sync_core", "membarrier"),
    ("ipi_sync_rq_state", "membarrier"),
    ("ipi_rseq", "membarrier"),
    ("do_sync_core", "sync_core"),
    ("__hrtick_start", "hrtick"),
    ("sched_ttwu_pending", "wakeup"),
    ("nohz_csd_func", "idle_balance"),
    ("remote_function", "perf"),
    ("trc_read_check_handler", "rcu"),
    ("rcu_", "rcu"),
    ("__blk_mq_complete_request_remote", "block_completion"),
    ("__blk_done_softirq", "block_completion"),
    ("retrigger_next_event", "clock"),
];

/// Every purpose that can be told.
pub fn all() -> impl Iterator<Item = &'static str> {
    let named = PURPOSES.iter().map(|(_, purpose)| *purpose);
    named.chain([RESCHEDULE, OTHER])
}

/// The purpose of a function.
#[must_use]
pub fn of_function(name: &str) -> &'static str {
    PURPOSES
        .iter()
        .find(|(begin, _)| name.starts_with(begin))
        .map_or(OTHER, |&(_, purpose)| purpose)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call-function interrupt is not a TLB shootdown unless it flushes: on
    /// newer kernels wake-ups and timers come the same way.
    #[test]
    fn functions_tell_purposes() {
        assert_eq!(of_function("flush_tlb_func_remote"), TLB_SHOOTDOWN);
        assert_eq!(of_function("__hrtick_start"), "hrtick");
        assert_eq!(of_function("sched_ttwu_pending"), "wakeup");
        assert_eq!(of_function("ipi_mb"), "membarrier");
        assert_eq!(of_function("do_sync_core"), "sync_core");
        assert_eq!(of_function("some_driver_function"), OTHER);
    }
}
