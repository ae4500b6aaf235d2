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
    /// Per-CPU array: NUMA-hint faults, by who had them.
    pub const NUMA_HINTS: &str = "NUMA_HINTS";
    /// Hash: what interrupts were for.
    pub const PURPOSES: &str = "PURPOSES";
    /// Array by CPU: the measured thread that it runs.
    pub const RUNNING: &str = "RUNNING";
    /// Array by CPU: what is known of it between two events.
    pub const CPU_STATES: &str = "CPU_STATES";
    /// Hash: threads put off, and where.
    pub const WAITING: &str = "WAITING";
    /// Hash: who sent interrupts.
    pub const SENDERS: &str = "SENDERS";
    /// Hash: names of submission threads.
    pub const SQ_THREADS: &str = "SQ_THREADS";
    /// Hash: what else measured CPUs did.
    pub const DISTURBANCES: &str = "DISTURBANCES";
    /// Stack trace map.
    pub const STACKS: &str = "STACKS";
    /// The programs' variables: a `WindowState`, and nothing else.
    pub const VARIABLES: &str = ".bss";
    /// Array of one `Paging`: how page tables are walked.
    pub const PAGING: &str = "PAGING";
    /// Array of one `Calibration`: how that is found out.
    pub const CALIBRATION: &str = "CALIBRATION";
    /// Hash: what is known of each mapping that had page faults.
    pub const MAPPINGS: &str = "MAPPINGS";
    /// Hash: the pages that had page faults.
    pub const PAGES: &str = "PAGES";
    /// Hash: faults that may turn out to be major, by thread.
    pub const PENDING_FAULTS: &str = "PENDING_FAULTS";
    /// Hash: by mapping, the page faults whose page had no room.
    pub const UNPAGED: &str = "UNPAGED";
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
    /// As above, where those can be preempted: the one above counts what this one was
    /// kept from.
    pub const SYS_EXIT_BY_PERF: &str = "sys_exit_by_perf";
    /// In place of that one, where its event cannot be opened.
    pub const SYS_EXIT_AHEAD: &str = "sys_exit_ahead";
    /// Page faults in user mode.
    pub const PAGE_FAULT_USER: &str = "page_fault_user";
    /// Page faults in user mode that had to wait.
    pub const MAJOR_FAULT: &str = "major_fault";
    /// NUMA-hint faults, once the kernel has dealt with them.
    pub const NUMA_HINT: &str = "numa_hint";
    /// Finds out how page tables are walked. Detached before counting begins.
    pub const CALIBRATE: &str = "calibrate";
    /// Device interrupts, first handler.
    pub const IRQ_HANDLER_ENTRY: &str = "irq_handler_entry";
    /// Device interrupts: finds shared lines.
    pub const IRQ_HANDLER_EXIT: &str = "irq_handler_exit";
    /// Non-maskable interrupts.
    pub const NMI_HANDLER: &str = "nmi_handler";
    /// Signals on their way: exceptions, and system calls handed back to the program.
    pub const SIGNAL_GENERATE: &str = "signal_generate";
    /// Signals that a handler takes, to know its return again.
    pub const SIGNAL_DELIVER: &str = "signal_deliver";
    /// New threads and processes.
    pub const SCHED_WAKEUP_NEW: &str = "sched_wakeup_new";
    /// The launched command's first instruction.
    pub const SCHED_PROCESS_EXEC: &str = "sched_process_exec";
    /// What that was kept from.
    pub const SCHED_PROCESS_EXEC_AGAIN: &str = "sched_process_exec_again";
    /// The end of a thread, and the system calls that end it.
    pub const SCHED_PROCESS_EXIT: &str = "sched_process_exit";
    /// The end of a thread, where it leaves its CPU for the last time.
    pub const THREAD_GONE: &str = "thread_gone";
    /// Submissions to an io_uring, from Linux 6.4 on.
    pub const IO_URING_SUBMIT_REQ: &str = "io_uring_submit_req";
    /// Submissions to an io_uring, up to Linux 6.3.
    pub const IO_URING_SUBMIT_SQE: &str = "io_uring_submit_sqe";
    /// Marks an interrupt whose purpose is wanted, for the exit backends.
    pub const MARK_CALL_FUNCTION: &str = "mark_call_function";
    /// As above, for the vector that serves one CPU at a time.
    pub const MARK_CALL_FUNCTION_SINGLE: &str = "mark_call_function_single";
    /// The end of a call-function interrupt.
    pub const CALL_FUNCTION_EXIT: &str = "call_function_exit";
    /// As above, for the vector that serves one CPU at a time.
    pub const CALL_FUNCTION_SINGLE_EXIT: &str = "call_function_single_exit";
    /// A function that an interrupt calls, from Linux 6.5 on.
    pub const CSD_FUNCTION_ENTRY: &str = "csd_function_entry";
    /// A flush of the TLB: stands in where functions are not shown.
    pub const TLB_FLUSH: &str = "tlb_flush";
    /// A function that another CPU is asked to call, from Linux 6.4 on.
    pub const CSD_QUEUE_CPU: &str = "csd_queue_cpu";
    /// An interrupt that is sent to another CPU, from Linux 6.4 on.
    pub const IPI_SEND_CPU: &str = "ipi_send_cpu";
    /// Which measured thread each CPU runs.
    pub const SENDERS_SCHED_SWITCH: &str = "senders_sched_switch";
    /// Which task took a measured thread's place.
    pub const DISTURBANCE_SCHED_SWITCH: &str = "disturbance_sched_switch";
    /// Time in device interrupts.
    pub const DISTURBANCE_IRQ_ENTRY: &str = "disturbance_irq_entry";
    /// Time in device interrupts.
    pub const DISTURBANCE_IRQ_EXIT: &str = "disturbance_irq_exit";
    /// Time in softirqs.
    pub const DISTURBANCE_SOFTIRQ_ENTRY: &str = "disturbance_softirq_entry";
    /// Time in softirqs.
    pub const DISTURBANCE_SOFTIRQ_EXIT: &str = "disturbance_softirq_exit";
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
