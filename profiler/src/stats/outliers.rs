//! Runs unlike the others of their variant. They are named, and stay in.

use super::bootstrap::median;

/// Scaled so that normal values have their standard deviation.
const MAD_TO_DEVIATION: f64 = 1.4826;
/// Deviations from the median beyond which a run is named.
const FAR: f64 = 5.0;
/// Runs that agree to less than this part of their median agree.
const FINEST: f64 = 0.01;
/// Runs with fewer than this cannot tell which of them is the odd one.
const FEWEST: usize = 4;

/// Places of the values that lie far from the median, measured in median
/// absolute deviations.
#[must_use]
pub fn places(values: &[f64]) -> Vec<usize> {
    if values.len() < FEWEST {
        return Vec::new();
    }
    let middle = median(&mut values.to_vec());
    let mut deviations: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    let spread = (median(&mut deviations.clone()) * MAD_TO_DEVIATION).max(middle.abs() * FINEST);
    if spread == 0.0 {
        return Vec::new();
    }
    deviations
        .drain(..)
        .enumerate()
        .filter_map(|(place, deviation)| (deviation > FAR * spread).then_some(place))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One run that ran into something is found; an ordinary spread is not.
    #[test]
    fn only_the_odd_one_is_named() {
        assert_eq!(places(&[100.0, 102.0, 99.0, 101.0, 400.0]), [4]);
        assert_eq!(places(&[4096.0, 4096.0, 9000.0, 4096.0]), [2]);
        assert!(places(&[100.0, 130.0, 90.0, 110.0, 140.0]).is_empty());
        assert!(places(&[0.0, 0.0, 0.0, 0.0, 3.0]).is_empty());
        assert!(places(&[1.0, 100.0]).is_empty());
    }
}
