//! One file for each family of events.

mod calibrate;
mod device_irq;
mod disturbance;
mod exit;
mod floor;
mod io_uring;
mod lifecycle;
mod nmi;
mod numa_hint;
mod page_fault;
mod purpose;
mod senders;
mod signal;
pub mod syscall;
mod vector;
