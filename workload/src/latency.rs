//! A histogram that is there before the first value comes.

use hdrhistogram::Histogram;

use crate::{error::WorkloadError, summary::LatencyNs};

/// Values are kept to three digits.
const DIGITS: u8 = 3;

/// Longer latencies than this are counted as this long.
const LONGEST_NS: u64 = 60_000_000_000;

/// Latencies in nanoseconds, log-linear, fixed in size: recording a value
/// neither allocates nor touches memory for the first time.
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Result<Self, WorkloadError> {
        let mut histogram = Histogram::new_with_bounds(1, LONGEST_NS, DIGITS)
            .map_err(|error| WorkloadError::Internal(error.to_string()))?;
        // Written, not merely zeroed: zeroed memory may be untouched, and
        // clearing what was never used may be optimised away.
        histogram.saturating_record(LONGEST_NS);
        histogram.reset();
        Ok(Self(histogram))
    }

    #[inline]
    pub(crate) fn record(&mut self, ns: u64) {
        self.0.saturating_record(ns);
    }

    /// Forgets every value, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.0.reset();
    }

    /// The percentiles for which there are values enough.
    pub(crate) fn percentiles(&self) -> LatencyNs {
        let samples = self.0.len();
        let at = |quantile: f64, needed: u64| {
            (samples >= needed).then(|| self.0.value_at_quantile(quantile))
        };
        LatencyNs {
            p50: at(0.5, 2),
            p90: at(0.9, 10),
            p99: at(0.99, 100),
            p999: at(0.999, 1_000),
            p9999: at(0.9999, 10_000),
            p99999: at(0.999_99, 100_000),
            max: (samples > 0).then(|| self.0.max()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_a_thousandth_of_the_values() {
        let mut latencies = Latencies::new().unwrap();
        for value in 1..=100_000 {
            latencies.record(value * 100);
        }
        let found = latencies.percentiles();
        for (found, exact) in [
            (found.p50, 5_000_000),
            (found.p90, 9_000_000),
            (found.p99, 9_900_000),
            (found.p999, 9_990_000),
            (found.p9999, 9_999_000),
            (found.p99999, 9_999_900),
            (found.max, 10_000_000),
        ] {
            let found = found.unwrap();
            assert!(found.abs_diff(exact) <= exact / 1000, "{found} for {exact}");
        }
    }

    #[test]
    fn a_percentile_needs_values_beyond_it() {
        let mut latencies = Latencies::new().unwrap();
        assert_eq!(latencies.percentiles(), LatencyNs::default());
        for _ in 0..999 {
            latencies.record(50);
        }
        let found = latencies.percentiles();
        assert_eq!((found.p99, found.p999), (Some(50), None));
        latencies.record(50);
        assert_eq!(latencies.percentiles().p999, Some(50));
    }

    #[test]
    fn values_out_of_bounds_are_kept_at_the_bounds() {
        let mut latencies = Latencies::new().unwrap();
        latencies.record(0);
        latencies.record(u64::MAX);
        let max = latencies.percentiles().max.unwrap();
        assert!(max.abs_diff(LONGEST_NS) <= LONGEST_NS / 1000, "{max}");
        latencies.clear();
        assert_eq!(latencies.percentiles().max, None);
    }
}
