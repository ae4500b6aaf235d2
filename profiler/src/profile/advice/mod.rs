//! What could be done about it: one small rule a file, each of which speaks only
//! where its evidence is in the profile.

mod clock_source;
mod copy_on_write;
mod evidence;
mod first_touch;
mod major_fault;
mod numa_hint;
mod poll_queues;
mod rules;
mod shootdown;
mod sq_idle;
mod stray_syscall;
mod task_work;
#[cfg(test)]
mod testing;
mod tick;

pub use rules::all;
