//! Several runs' values of one number.

use serde::{Deserialize, Serialize};

/// Median and range of the runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The middle value, or the mean of the two in the middle.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// How many runs.
    pub runs: usize,
}

impl Spread {
    /// Runs of each variant below which nothing is judged: with three each,
    /// chance alone sets the two apart in one of ten experiments.
    pub const ENOUGH: usize = 3;

    /// Of some values. Nothing if there are none.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (&min, &max) = (values.first()?, values.last()?);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        };
        Some(Self {
            median,
            min,
            max,
            runs: values.len(),
        })
    }

    /// Whether every run of one lies beyond every run of the other, and there
    /// are enough of them for that to mean something.
    #[must_use]
    pub fn is_apart_from(&self, other: &Self) -> bool {
        let enough = self.runs >= Self::ENOUGH && other.runs >= Self::ENOUGH;
        enough && (self.min > other.max || self.max < other.min)
    }

    /// This median by another, where that makes sense.
    #[must_use]
    pub fn ratio_to(&self, before: &Self) -> Option<f64> {
        (before.median != 0.0).then(|| self.median / before.median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The median is the middle one, or between the two middle ones.
    #[test]
    fn medians() {
        let odd = Spread::of([3.0, 1.0, 2.0]).expect("values");
        assert_eq!((odd.median, odd.min, odd.max), (2.0, 1.0, 3.0));
        let even = Spread::of([4.0, 1.0, 2.0, 3.0]).expect("values");
        assert!((even.median - 2.5).abs() < f64::EPSILON);
        assert_eq!(Spread::of([]), None);
    }

    /// Overlapping ranges, and too few runs, tell nothing.
    #[test]
    fn overlap_is_no_difference() {
        let low = Spread::of([1.0, 2.0, 3.0]).expect("values");
        let high = Spread::of([4.0, 5.0, 6.0]).expect("values");
        let wide = Spread::of([2.5, 5.0, 6.0]).expect("values");
        assert!(low.is_apart_from(&high) && high.is_apart_from(&low));
        assert!(!low.is_apart_from(&wide));
        let single = Spread::of([100.0]).expect("values");
        assert!(!low.is_apart_from(&single));
    }
}
