//! The measurement's constants. The profiler overwrites them before loading,
//! the kernel freezes them, and the verifier drops what they switch off.

use aya_ebpf::Global;
use profiler_common::config::ProbeConfig;

/// See [`ProbeConfig`].
#[unsafe(no_mangle)]
pub static CONFIG: Global<ProbeConfig> = Global::new(ProbeConfig {
    entry_text: profiler_common::stub::EntryText::UNKNOWN,
    fault: profiler_common::fault_config::FaultConfig::COUNT_ONLY,
    task_stack_offset: 0,
    stack_to_regs_offset: 0,
    task_pid_offset: 0,
    task_tgid_offset: 0,
    task_comm_offset: 0,
    task_state_offset: 0,
    irqaction_next_offset: 0,
    filter: 0,
    stack_interval: 0,
    own_tgid: 0,
    stack_kinds: 0,
    task_flags_offset: 0,
    worker_flags: 0,
    x32_bit: 0,
    has_substitutes: 0,
    task_status_offset: 0,
});

/// Whether this kernel has `bpf_task_pt_regs` (Linux 5.15).
#[unsafe(no_mangle)]
pub static HAS_TASK_PT_REGS: Global<u8> = Global::new(0);

/// Reads one number of [`CONFIG`], and only that, as a constant that the
/// verifier knows.
macro_rules! config {
    ($($field:tt)+) => {{
        let config = (&raw const $crate::config::CONFIG).cast::<profiler_common::config::ProbeConfig>();
        // SAFETY: `Global<T>` is `repr(transparent)`, so this points at a live
        // static of that type. Volatile, since the profiler changes its
        // contents behind the compiler's back.
        unsafe { core::ptr::read_volatile(&raw const (*config).$($field)+) }
    }};
}
pub(crate) use config;

/// Whether a [`slot`](crate::regs::slot) lies in a range of [`CONFIG`].
macro_rules! in_text {
    ($($range:tt)+) => {
        |word: u64| $crate::config::text_range!($($range)+).contains(word)
    };
}
pub(crate) use in_text;

/// One of the ranges of [`CONFIG`].
macro_rules! text_range {
    ($($range:tt)+) => {
        profiler_common::stub::TextRange {
            start: $crate::config::config!(entry_text.$($range)+.start),
            end: $crate::config::config!(entry_text.$($range)+.end),
        }
    };
}
pub(crate) use text_range;
