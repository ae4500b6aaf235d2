//! What is known of the running kernel before anything is loaded.

pub mod block;
pub mod btf;
pub mod interrupts;
pub mod layout;
pub mod symbols;
pub mod version;
