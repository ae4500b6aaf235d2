//! The statistics on runs of which the truth is known.

use workload::rng::Rng;

use super::{bootstrap::distance, holm::adjusted, power::smallest_ratio, rank_test::p_value};

type Source = fn(&mut Rng) -> f64;

pub(crate) fn uniform(rng: &mut Rng) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    let unit = (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    unit
}

pub(crate) fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - uniform(rng)).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(rng)).cos()
}

/// Throughput of a steady machine: 2 % of standard deviation.
fn steady(rng: &mut Rng) -> f64 {
    100.0 + 2.0 * normal(rng)
}

/// A tail latency: a factor of e for each standard deviation.
fn heavy_tailed(rng: &mut Rng) -> f64 {
    normal(rng).exp()
}

/// Rare interrupts: a Poisson count with mean 2, so mostly ties.
fn rare_count(rng: &mut Rng) -> f64 {
    let (mut product, mut count) = (uniform(rng), 0.0);
    while product > (-2.0_f64).exp() {
        product *= uniform(rng);
        count += 1.0;
    }
    count
}

const SOURCES: [(&str, Source); 3] = [
    ("normal", steady),
    ("lognormal", heavy_tailed),
    ("counts", rare_count),
];

fn runs(source: Source, count: usize, rng: &mut Rng) -> Vec<f64> {
    (0..count).map(|_| source(rng)).collect()
}

/// Of experiments that compare a program with itself in six numbers, at most
/// 5 % (and what 1,000 trials may stray, three standard errors) find any
/// difference: whatever the distribution, and for all usual numbers of runs.
#[test]
fn a_difference_is_invented_at_most_as_often_as_stated() {
    const TRIALS: u32 = 1_000;
    let mut rng = Rng::new(7);
    for (name, source) in SOURCES {
        for count in [3, 5, 8] {
            let invented = (0..TRIALS).filter(|_| {
                let numbers: Vec<f64> = (0..6)
                    .map(|_| {
                        let before = runs(source, count, &mut rng);
                        p_value(&before, &runs(source, count, &mut rng))
                    })
                    .collect();
                adjusted(&numbers).iter().any(|&p| p <= 0.05)
            });
            let invented = invented.count();
            assert!(
                invented <= 71,
                "{name}, {count} runs: {invented} of {TRIALS}"
            );
            if count == 3 {
                assert_eq!(invented, 0, "three runs can show nothing");
            }
        }
    }
}

/// The test is not merely timid: by itself, with ten runs, it rejects the truth
/// nearly as often as it may.
#[test]
fn the_error_rate_is_used_up() {
    let mut rng = Rng::new(11);
    let rejected = (0..1_000).filter(|_| {
        let before = runs(heavy_tailed, 10, &mut rng);
        p_value(&before, &runs(heavy_tailed, 10, &mut rng)) <= 0.05
    });
    let rejected = rejected.count();
    assert!((26..=71).contains(&rejected), "{rejected} of 1000");
}

/// The interval of the ratio holds the true one in at least 95 % of experiments
/// less what 200 trials may stray, three standard errors.
#[test]
fn intervals_hold_the_truth_as_often_as_stated() {
    const TRIALS: u64 = 200;
    let mut rng = Rng::new(13);
    for (name, source) in &SOURCES[..2] {
        for count in [5, 10] {
            let held = (0..TRIALS).filter(|&trial| {
                let before = runs(*source, count, &mut rng);
                let mut after = runs(*source, count, &mut rng);
                for value in &mut after {
                    *value *= 1.5;
                }
                let ratio = distance(&before, &after, trial).and_then(|found| found.ratio);
                ratio.is_some_and(|ratio| ratio.low <= 1.5 && 1.5 <= ratio.high)
            });
            let held = held.count();
            assert!(held >= 181, "{name}, {count} runs: {held} of {TRIALS}");
        }
    }
}

/// A difference of the size that is said to be visible is mostly seen.
#[test]
fn what_is_said_to_be_visible_is_seen() {
    const LEVEL: f64 = 0.01;
    let mut rng = Rng::new(17);
    let mut seen = 0;
    for trial in 0..60 {
        let (before, again) = (runs(steady, 6, &mut rng), runs(steady, 6, &mut rng));
        let ratio = smallest_ratio(&before, &again, LEVEL, trial).expect("positive values");
        let mut after = runs(steady, 6, &mut rng);
        for value in &mut after {
            *value *= ratio;
        }
        let before = runs(steady, 6, &mut rng);
        seen += u32::from(p_value(&before, &after) <= LEVEL);
    }
    assert!(seen >= 38, "{seen} of 60");
}
