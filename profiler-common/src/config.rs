//! What the profiler tells the programs before it loads them.

use crate::{fault_config::FaultConfig, stub::EntryText};

/// Constants of one measurement. Read-only to the programs, so that the
/// verifier removes what a setting switches off.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProbeConfig {
    /// Where the kernel's entry code lies.
    pub entry_text: EntryText,
    /// How page faults are looked into.
    pub fault: FaultConfig,
    /// Offset of `stack` in `struct task_struct`.
    pub task_stack_offset: u32,
    /// From the bottom of a kernel stack to the saved registers at its top.
    pub stack_to_regs_offset: u32,
    /// Offset of `pid` in `struct task_struct`.
    pub task_pid_offset: u32,
    /// Offset of `tgid` in `struct task_struct`.
    pub task_tgid_offset: u32,
    /// Offset of `flags` in `struct task_struct`.
    pub task_flags_offset: u32,
    /// Offset of `comm` in `struct task_struct`.
    pub task_comm_offset: u32,
    /// Offset of `__state` in `struct task_struct`, up to 5.13 named `state`.
    pub task_state_offset: u32,
    /// Offset of `thread_info.status` in `struct task_struct`.
    pub task_status_offset: u32,
    /// Offset of `next` in `struct irqaction`.
    pub irqaction_next_offset: u32,
    /// One of [`filter`].
    pub filter: u32,
    /// Every how many entries of one row a stack is taken. 0: never. A power of
    /// two otherwise.
    pub stack_interval: u32,
    /// The profiler's own process, never counted.
    pub own_tgid: u32,
    /// Which stacks are taken: bits of [`stack_kinds`].
    pub stack_kinds: u32,
    /// Bits of a task's `flags` that threads of the kernel's own have, if they bear a
    /// process's name: `PF_IO_WORKER`, `PF_USER_WORKER`. They never are in user mode.
    pub worker_flags: u32,
    /// The bit that system-call numbers of x32 programs have, where the kernel has
    /// such programs.
    pub x32_bit: u32,
    /// Not 0 where programs on tracepoints can be preempted, so that there are
    /// substitutes for them.
    pub has_substitutes: u32,
}

/// Bits of [`ProbeConfig::stack_kinds`].
pub mod stack_kinds {
    /// The kernel's call chain.
    pub const KERNEL: u32 = 1 << 0;
    /// The program's.
    pub const USER: u32 = 1 << 1;
}

/// Values of [`ProbeConfig::filter`].
pub mod filter {
    /// Threads in the thread table, and all they create.
    pub const THREADS: u32 = 0;
    /// Whatever runs on the CPUs marked in the CPU table.
    pub const CPUS: u32 = 1;
}
