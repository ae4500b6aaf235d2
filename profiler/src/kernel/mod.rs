//! What is known of the running kernel before anything is loaded.

pub mod block;
pub mod btf;
pub mod fault_layout;
pub mod interrupts;
pub mod layout;
pub(crate) mod memory;
pub mod numa;
pub mod symbols;
pub mod version;
