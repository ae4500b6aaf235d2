//! How small a difference could have been seen.

use workload::rng::Rng;

use super::{
    bootstrap::median,
    rank_test::{critical_distance, distance},
};

/// A difference counts as visible if it would be shown in so many of 100
/// experiments.
const POWER_PERCENT: usize = 80;
/// Experiments simulated for each size tried.
const EXPERIMENTS: usize = 200;
/// Beyond this the machine is too unsteady for any ratio to be worth stating.
const LARGEST: f64 = 64.0;
/// Halvings of the range on the logarithmic scale: three digits.
const STEPS: usize = 12;

/// The smallest ratio of two variants that experiments of this size, on a
/// machine as unsteady as these runs were, would show at `level` four times in
/// five. Nothing if no ratio would, or if values are 0 or less.
///
/// The noise is that of both variants, each run by its own variant's median:
/// what the tool and the machine do on their own.
#[must_use]
pub fn smallest_ratio(before: &[f64], after: &[f64], level: f64, seed: u64) -> Option<f64> {
    let (runs, others) = (before.len(), after.len());
    let usable = |values: &[f64]| values.len() > 1 && values.iter().all(|&value| value > 0.0);
    if !usable(before) || !usable(after) {
        return None;
    }
    let critical = critical_distance(runs, others, level)?;
    let mut noise = noise_of(before);
    noise.extend(noise_of(after));
    let seen = |ratio: f64| {
        let mut rng = Rng::new(seed);
        let shown = (0..EXPERIMENTS).filter(|_| {
            let mut draw = |count: usize, by: f64| -> Vec<f64> {
                let drawn = (0..count).filter_map(|_| rng.pick(&noise));
                drawn.map(|noise| noise + by.ln()).collect()
            };
            let (first, second) = (draw(runs, 1.0), draw(others, ratio));
            distance(&first, &second) >= critical
        });
        shown.count() * 100 >= POWER_PERCENT * EXPERIMENTS
    };
    if !seen(LARGEST) {
        return None;
    }
    let (mut low, mut high) = (0.0, LARGEST.ln());
    for _ in 0..STEPS {
        let middle = f64::midpoint(low, high);
        if seen(middle.exp()) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high.exp())
}

/// Logarithms of the values by their median, widened for their small number.
fn noise_of(values: &[f64]) -> Vec<f64> {
    let middle = median(&mut values.to_vec());
    #[expect(clippy::cast_precision_loss, reason = "runs are few")]
    let runs = values.len() as f64;
    let wider = (runs / (runs - 1.0)).sqrt();
    values
        .iter()
        .map(|value| (value / middle).ln() * wider)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A noisier machine hides larger differences, and too few runs hide all.
    #[test]
    fn noise_hides_small_differences() {
        let steady = [100.0, 101.0, 99.0, 100.5, 99.5];
        let noisy = [100.0, 150.0, 70.0, 120.0, 85.0];
        let small = smallest_ratio(&steady, &steady, 0.01, 1).expect("visible");
        let large = smallest_ratio(&noisy, &noisy, 0.01, 1).expect("visible");
        assert!(small > 1.0 && small < 1.05, "{small}");
        assert!(large > 1.4, "{large}");
        assert_eq!(smallest_ratio(&steady[..3], &steady[..3], 0.05, 1), None);
        assert_eq!(smallest_ratio(&[0.0; 5], &steady, 0.05, 1), None);
    }
}
