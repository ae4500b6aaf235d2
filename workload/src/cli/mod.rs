//! The command line.

mod args;
mod values;

pub use args::{BitmapKind, Command, Format, Mode, VerifyArgs, WorkloadArgs};
