//! Medians and ranges.

/// The middle value. Zero where there is none.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        n if n.is_multiple_of(2) => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    }
}

/// The smallest and the largest value.
pub(super) fn range(values: &[f64]) -> (f64, f64) {
    let fold = |f: fn(f64, f64) -> f64, start| values.iter().copied().fold(start, f);
    (
        fold(f64::min, f64::INFINITY),
        fold(f64::max, f64::NEG_INFINITY),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Odd and even numbers of values both have a middle.
    #[test]
    fn medians() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert_eq!(range(&[2.0, 1.0, 3.0]), (1.0, 3.0));
    }
}
