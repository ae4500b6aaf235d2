//! Names of programs, maps and globals, written once.

/// Maps.
pub mod map {
    /// Per-CPU array: the cache in front of the ledger.
    pub const CACHE: &str = "CACHE";
    /// Hash: the ledger.
    pub const LEDGER: &str = "LEDGER";
    /// Per-CPU array by cause: entries whose row did not fit.
    pub const OVERFLOW: &str = "OVERFLOW";
    /// Per-CPU array by reason: what could not be kept.
    pub const LOSSES: &str = "LOSSES";
    /// Hash: the threads being followed.
    pub const THREADS: &str = "THREADS";
    /// Hash: what is known of each thread.
    pub const THREAD_INFO: &str = "THREAD_INFO";
    /// Array of one mappable page: the phase now.
    pub const PHASE: &str = "PHASE";
    /// Array by CPU: whether everything on it is measured.
    pub const CPUS: &str = "CPUS";
    /// Per-CPU array by phase and way: submissions taken off an io_uring.
    pub const SUBMISSIONS: &str = "SUBMISSIONS";
    /// Stack trace map.
    pub const STACKS: &str = "STACKS";
    /// The programs' variables: a `WindowState`, and nothing else.
    pub const VARIABLES: &str = ".bss";
    /// Ring buffer: calls that made memory.
    pub const ALLOCATIONS: &str = "ALLOCATIONS";
    /// Hash: how often each pair of stacks was seen.
    pub const STACK_LEDGER: &str = "STACK_LEDGER";
}

/// Globals.
pub mod global {
    /// The measurement's constants.
    pub const CONFIG: &str = "CONFIG";
    /// Which helpers this kernel has: see the eBPF side's `config`.
    pub const HAS_TASK_PT_REGS: &str = "HAS_TASK_PT_REGS";
}

/// Programs.
pub mod program {
    /// Returns of system calls, and first returns of new tasks.
    pub const SYS_EXIT: &str = "sys_exit";
    /// Page faults in user mode.
    pub const PAGE_FAULT_USER: &str = "page_fault_user";
    /// Device interrupts, first handler.
    pub const IRQ_HANDLER_ENTRY: &str = "irq_handler_entry";
    /// Device interrupts: finds shared lines.
    pub const IRQ_HANDLER_EXIT: &str = "irq_handler_exit";
    /// Non-maskable interrupts.
    pub const NMI_HANDLER: &str = "nmi_handler";
    /// New threads and processes.
    pub const SCHED_PROCESS_FORK: &str = "sched_process_fork";
    /// The launched command's first instruction.
    pub const SCHED_PROCESS_EXEC: &str = "sched_process_exec";
    /// The end of a thread, and the system calls that end it.
    pub const SCHED_PROCESS_EXIT: &str = "sched_process_exit";
    /// Submissions to an io_uring, from Linux 6.4 on.
    pub const IO_URING_SUBMIT_REQ: &str = "io_uring_submit_req";
    /// Submissions to an io_uring, up to Linux 6.3.
    pub const IO_URING_SUBMIT_SQE: &str = "io_uring_submit_sqe";
    /// Exit backend: fentry on `fpregs_assert_state_consistent`.
    pub const EXIT_FENTRY_FPREGS: &str = "exit_fentry_fpregs";
    /// Exit backend: fentry on `exit_to_user_mode_prepare`.
    pub const EXIT_FENTRY_PREPARE: &str = "exit_fentry_prepare";
    /// Exit backend: kprobe on `exit_to_user_mode_prepare`.
    pub const EXIT_KPROBE_PREPARE: &str = "exit_kprobe_prepare";
    /// Exit backend: kprobe on `fpregs_assert_state_consistent`.
    pub const EXIT_KPROBE_FPREGS: &str = "exit_kprobe_fpregs";
    /// Does nothing: what any program at all would cost. For the benchmark only.
    pub const FLOOR: &str = "floor";
}
