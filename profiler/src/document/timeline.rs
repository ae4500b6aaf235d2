//! Entries over time.

use serde::{Deserialize, Serialize};

use crate::named::CauseName;

/// Entries over time. Each row adds up to the ledger's count.
///
/// A slot's edge is the moment at which the counters were read. That takes a
/// while, during which counting goes on: what a row counted in that time may be
/// on either side of the edge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Timeline {
    /// The interval asked for. Slots are longer where there would be too many of
    /// them, where reading takes too long for it, and where the profiler was late.
    pub interval_ns: u64,
    /// Where each slot begins, after the window's beginning.
    pub starts_ns: Vec<u64>,
    /// Where each ends: where the next one begins, or the window ends.
    pub ends_ns: Vec<u64>,
    /// Entries by slot, in the ledger's order.
    pub rows: Vec<TimelineRow>,
    /// By slot: what could not be kept.
    pub losses: Vec<u64>,
    /// The longest time that reading the counters took.
    pub reading_ns: u64,
}

/// Entries of one cause over time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TimelineRow {
    /// As in the ledger.
    pub cause: CauseName,
    /// As in the ledger.
    pub detail: String,
    /// Entries by slot.
    pub counts: Vec<u64>,
}
