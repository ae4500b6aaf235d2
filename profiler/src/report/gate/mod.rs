//! The result of a check in the formats that people and CI systems read. Pure.

pub(super) mod github;
pub(super) mod junit;
#[cfg(test)]
mod properties;
pub(super) mod words;
