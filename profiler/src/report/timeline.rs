//! Entries over time in a sentence.

use super::units::{count, duration_ns, rate};
use crate::profile::{
    ledger::{as_float, seconds},
    model::Timeline,
};

/// How many slots there are and which is the busiest.
#[must_use]
pub fn words(timeline: &Timeline) -> String {
    let slots = timeline.starts_ns.iter().zip(&timeline.ends_ns);
    let rates = slots.enumerate().map(|(slot, (&start_ns, &end_ns))| {
        let counts = timeline.rows.iter().map(|row| row.counts.get(slot));
        let entries: u64 = counts.flatten().sum();
        let length = seconds(end_ns.saturating_sub(start_ns));
        (start_ns, as_float(entries) / length)
    });
    let (start_ns, most) = rates
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .unwrap_or_default();
    format!(
        "{} slots, the busiest from {} on with {}/s: `--format trace` shows them",
        count(timeline.starts_ns.len() as u64),
        duration_ns(start_ns),
        rate(most)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::model::TimelineRow;

    /// The busiest slot is the one with the highest rate, not the longest.
    #[test]
    fn rates_decide() {
        let row = |counts: &[u64]| TimelineRow {
            counts: counts.to_vec(),
            ..TimelineRow::default()
        };
        let timeline = Timeline {
            starts_ns: vec![0, 2_000_000_000],
            ends_ns: vec![2_000_000_000, 2_500_000_000],
            rows: vec![row(&[1_000, 900]), row(&[10, 0])],
            ..Timeline::default()
        };
        let words = words(&timeline);
        assert!(words.contains("from 2.00 s on with 1,800/s"), "{words}");
    }
}
