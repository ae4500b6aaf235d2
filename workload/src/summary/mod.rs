//! What a run found, as data and as text.

mod model;
mod text;

pub use model::{BitmapSummary, Cpus, IoSummary, LatencyNs, Polling, ServedBy, SqThread, SqesBy};
pub use text::write_text;
