//! Looking into a page fault: which mapping, what the page table says, what kind.
//!
//! Everything here runs with interrupts off, in the page-fault program, on the
//! memory of one CPU.

mod examine;
mod kernel;
mod kind;
mod maple;
mod mapping;
pub mod pages;
mod rb_tree;
mod scratch;
mod vma;
pub mod walk;

pub use examine::{PENDING, examine};
pub use scratch::Scratch;
