//! The result of a check in the formats that people and CI systems read. Pure.

pub mod format;
mod github;
mod junit;
mod markdown;
#[cfg(test)]
mod properties;
mod text;
mod words;
