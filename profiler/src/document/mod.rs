//! The types of the JSON documents, and nothing else.

pub mod phase;
pub mod run;
