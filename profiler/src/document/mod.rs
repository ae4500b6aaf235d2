//! The types of a profile's JSON document, and nothing else.

pub mod code;
pub mod interrupts;
pub mod memory;
pub mod phase;
pub mod probes;
pub mod profile;
pub mod run;
pub mod timeline;
