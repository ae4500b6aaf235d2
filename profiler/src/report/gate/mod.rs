//! The result of a check in the formats that people and CI systems read. Pure.

pub mod format;
mod github;
mod junit;
#[cfg(test)]
mod properties;
pub(super) mod words;
