//! Making a program call `mlockall` before its first instruction, from outside.

mod call;
pub mod counting;
mod limits;
pub mod privileged;
mod ptrace;
mod room;
pub mod tracer;
mod vdso;
