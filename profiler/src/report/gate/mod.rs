//! The result of a check in the formats that people and CI systems read. Pure.

pub mod format;
mod github;
mod junit;
mod markdown;
mod text;
mod words;
