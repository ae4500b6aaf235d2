//! Several runs' values of one number.

use serde::{Deserialize, Serialize};

use super::bootstrap::median;

/// Median and range of the runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// Of some values. Nothing if there are none.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        let median = median(&mut values);
        let (&min, &max) = (values.first()?, values.last()?);
        Some(Self {
            median,
            min,
            max,
            runs: values.len(),
        })
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
}
