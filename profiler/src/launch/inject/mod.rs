//! Making a program call `mlockall` before its first instruction, from outside.

mod call;
mod limits;
mod ptrace;
pub mod tracer;
mod vdso;
