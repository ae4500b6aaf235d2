//! The size of a difference: bootstrap confidence intervals of medians.

use serde::{Deserialize, Serialize};
use workload::rng::Rng;

/// Times that the runs are drawn anew.
const RESAMPLES: usize = 2_000;

/// A 95 % confidence interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// How far apart two variants' medians are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Distance {
    /// Of the second median less the first.
    pub difference: Interval,
    /// Of the second median by the first, where no drawn median is 0.
    pub ratio: Option<Interval>,
}

/// Intervals for the distance of two variants. Nothing with fewer than two runs
/// of one of them.
///
/// The percentile bootstrap, with the percentiles set further out by Student's
/// t, as small samples need (Hesterberg's expanded percentile interval): drawing
/// five runs of five underrates their spread by a tenth, and the normal
/// distribution's tails are too thin for it.
#[must_use]
pub fn distance(before: &[f64], after: &[f64], seed: u64) -> Option<Distance> {
    let fewest = before.len().min(after.len());
    if fewest < 2 {
        return None;
    }
    let mut rng = Rng::new(seed);
    let mut differences = Vec::with_capacity(RESAMPLES);
    let mut ratios = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        let (first, second) = (drawn(before, &mut rng), drawn(after, &mut rng));
        differences.push(second - first);
        if first != 0.0 {
            ratios.push(second / first);
        }
    }
    let tail = expanded_tail(fewest);
    Some(Distance {
        difference: interval(&mut differences, tail),
        ratio: (ratios.len() == RESAMPLES).then(|| interval(&mut ratios, tail)),
    })
}

/// The middle value, or the mean of the two in the middle; 0 of nothing.
#[must_use]
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        even if even.is_multiple_of(2) => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

/// The median of as many values, drawn with replacement.
fn drawn(values: &[f64], rng: &mut Rng) -> f64 {
    let mut sample: Vec<f64> = values
        .iter()
        .filter_map(|_| rng.pick(values).copied())
        .collect();
    median(&mut sample)
}

fn interval(values: &mut [f64], tail: f64) -> Interval {
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of two thousand"
    )]
    let outside = (tail * values.len() as f64) as usize;
    Interval {
        low: values.get(outside).copied().unwrap_or(0.0),
        high: values
            .get(values.len().saturating_sub(outside + 1))
            .copied()
            .unwrap_or(0.0),
    }
}

/// The share to leave out at each end for 95 % with so many runs.
fn expanded_tail(runs: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "runs are few")]
    let runs = runs as f64;
    normal_tail((runs / (runs - 1.0)).sqrt() * t_quantile(runs - 1.0))
}

/// The 97.5 % point of Student's t, to two digits beyond ten degrees of freedom.
fn t_quantile(freedom: f64) -> f64 {
    const FEW: [f64; 10] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    ];
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number of at least 1"
    )]
    let place = freedom as usize - 1;
    FEW.get(place).copied().unwrap_or(1.96 + 2.5 / freedom)
}

/// The share of the standard normal distribution beyond `z`, which is not
/// negative, to seven digits (Abramowitz and Stegun, 26.2.17).
fn normal_tail(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let series = t
        * (0.319_381_530
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    series * (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tabled values of the normal tail.
    #[test]
    fn the_normal_tail_is_the_tabled_one() {
        assert!((normal_tail(1.959_964) - 0.025).abs() < 1e-6);
        assert!((normal_tail(0.0) - 0.5).abs() < 1e-6);
        assert!((normal_tail(3.090_232) - 0.001).abs() < 1e-6);
    }

    /// An interval holds the ratio of the medians, is the same each time, and a
    /// median of 0 has no ratio.
    #[test]
    fn intervals_hold_the_estimate_and_can_be_repeated() {
        let (before, after) = (
            [10.0, 11.0, 12.0, 13.0, 14.0],
            [20.0, 22.0, 24.0, 26.0, 28.0],
        );
        let found = distance(&before, &after, 1).expect("enough runs");
        let ratio = found.ratio.expect("no zeros");
        assert!(ratio.low <= 2.0 && 2.0 <= ratio.high, "{ratio:?}");
        assert!(ratio.low >= 20.0 / 14.0 && ratio.high <= 2.8, "{ratio:?}");
        assert!(found.difference.low > 0.0);
        assert_eq!(distance(&before, &after, 1), Some(found));
        assert_eq!(
            distance(&[0.0; 5], &after, 1).and_then(|found| found.ratio),
            None
        );
        assert_eq!(distance(&[1.0], &after, 1), None);
    }
}
