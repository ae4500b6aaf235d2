//! What else a CPU did while a measured thread had it or wanted it.

use crate::coded::coded;

coded! {
    /// What kept a thread from running.
    pub enum Disturber: u32 {
        /// Another task ran while the thread was ready to. Detail: nothing; the
        /// task's name tells.
        Task = 0, "task";
        /// The handler of a device interrupt. Detail: the IRQ's number.
        DeviceIrq = 1, "device_irq";
        /// A softirq. Detail: its number.
        Softirq = 2, "softirq";
        /// An interrupt with a vector of its own. Detail: the vector's code.
        Vector = 3, "interrupt";
    }
}

/// What one row of the disturbance map describes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DisturbanceKey {
    /// The CPU.
    pub cpu: u32,
    /// The thread disturbed.
    pub tid: u32,
    /// A [`Disturber`] code.
    pub what: u32,
    /// What exactly, by `what`.
    pub detail: u32,
    /// Name of the other task, padded with zero bytes; else all zero.
    pub comm: [u8; 16],
}

/// How often, and how long.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DisturbanceTime {
    /// Times.
    pub count: u64,
    /// Sum of their lengths.
    pub total_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

/// What is known of a CPU between two events.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuState {
    /// The thread that was put off and is still ready to run, or 0.
    pub waiting_tid: u32,
    /// Always zero.
    pub padding: u32,
    /// Since when another task has had the CPU, or 0.
    pub task_since_ns: u64,
    /// When the handler of a device interrupt began, or 0.
    pub irq_since_ns: u64,
    /// When the softirq began, or 0.
    pub softirq_since_ns: u64,
    /// When the handler of a vector began, or 0.
    pub vector_since_ns: u64,
}

/// How the kernel names the submission threads of rings, from 5.12 on.
pub const SQ_THREAD_COMM: [u8; 8] = *b"iou-sqp-";

const _: () = assert!(size_of::<DisturbanceKey>() == 32);
