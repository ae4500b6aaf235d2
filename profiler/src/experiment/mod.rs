//! The same command under two variants, side by side.

pub mod compare;
pub mod conclude;
pub mod document;
pub mod execute;
pub mod model;
pub mod spread;
