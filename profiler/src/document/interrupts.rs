//! What interrupts were for, who sent them, and what else took CPUs away.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::named::CauseName;

/// Interrupts with one purpose, out of those of one row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Purpose {
    /// `tlb_shootdown`, `membarrier`, `sync_core`, `hrtick`, `wakeup`, …,
    /// `other_function`, or `not_told`.
    pub purpose: String,
    /// The kernel function that the interrupt had to call, or null where this
    /// kernel does not show it.
    pub function: Option<String>,
    /// Interrupts that called it first. These add up to the row's entries.
    pub count: u64,
    /// Interrupts by phase.
    pub phases: BTreeMap<String, u64>,
    /// Further calls of it, by interrupts that are counted under another one.
    pub further_calls: u64,
}

/// Interrupts that one thread asked for at one place, for the CPU that one
/// measured thread was running on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Sender {
    /// What for: as in [`Purpose`], or `reschedule`.
    #[schemars(
        description = "What for: as in [`Purpose`](super::purpose::Purpose), or `reschedule`."
    )]
    pub purpose: String,
    /// The kernel function that is to be called there, or null: none.
    pub function: Option<String>,
    /// Times asked. One interrupt may serve several, and one that arrives while
    /// the thread is in the kernel is no entry.
    pub count: u64,
    /// Times by phase.
    pub phases: BTreeMap<String, u64>,
    /// The sender.
    pub tid: u32,
    /// Its process.
    pub tgid: u32,
    /// Its name.
    pub comm: String,
    /// By which way it had entered the kernel: `syscall`, `page_fault`, or null
    /// for a thread of the kernel's own or an interrupt handler on its CPU.
    pub cause: Option<CauseName>,
    /// The system call's name, if it was one.
    pub detail: Option<String>,
    /// The user instruction by which it had entered, in hexadecimal, if it had.
    pub user_ip: Option<String>,
    /// The kernel code that asks: `function+offset`.
    pub call_site: String,
    /// The thread that was running there.
    pub target_tid: u32,
    /// Its name.
    pub target_comm: String,
    /// The sender's kernel frames, innermost first, or null if none were taken.
    pub kernel_stack: Option<Vec<String>>,
    /// The sender's user frames, innermost first, or null if none were taken.
    pub user_stack: Option<Vec<String>>,
}

/// What one disturber did to one thread on one CPU.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Disturbance {
    /// The CPU.
    pub cpu: u32,
    /// The thread that it kept waiting.
    pub tid: u32,
    /// That thread's name, or empty if it is not known any more.
    pub thread: String,
    /// `task`, `device_irq`, `softirq` or `interrupt`.
    pub kind: String,
    /// The task's name, the device's, the softirq's or the vector's.
    pub what: String,
    /// Times.
    pub count: u64,
    /// Sum of their lengths. What interrupts a softirq is in both.
    pub total_ns: u64,
    /// The longest.
    pub max_ns: u64,
}
