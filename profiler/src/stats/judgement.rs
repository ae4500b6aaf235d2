//! Whether two variants differ in one number, and by how much. Pure.

use serde::{Deserialize, Serialize};

use super::{
    bootstrap::{Interval, distance},
    power::smallest_ratio,
    rank_test::p_value,
};

/// The chance, over all judged numbers of an experiment together, of finding a
/// difference where there is none.
pub const LEVEL: f64 = 0.05;

/// Where the intervals' random numbers begin: the same each time.
const SEED: u64 = 0x6d6f_6465;

/// What can be said of one number in two variants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Judgement {
    /// The chance of values at least as far apart if nothing differs: exact
    /// rank-sum test, two-sided.
    pub p: f64,
    /// The same, allowing for all the numbers that are judged (Holm); null for
    /// a number that is shown and not judged.
    pub adjusted_p: Option<f64>,
    /// Whether it differs: `adjusted_p` is at most the level.
    pub differs: bool,
    /// 95 % interval of the second median less the first.
    pub difference: Interval,
    /// 95 % interval of the second median by the first, or null where that
    /// makes no sense.
    pub ratio: Option<Interval>,
    /// The smallest ratio that would have been found four times in five, or
    /// null where none would, or for a number that is not judged.
    pub smallest_ratio: Option<f64>,
}

impl Judgement {
    /// Of two variants' runs, before the other numbers are known. Nothing with
    /// fewer than two runs of one.
    #[must_use]
    pub fn of(before: &[f64], after: &[f64]) -> Option<Self> {
        let apart = distance(before, after, SEED)?;
        Some(Self {
            p: p_value(before, after),
            adjusted_p: None,
            differs: false,
            difference: apart.difference,
            ratio: apart.ratio,
            smallest_ratio: None,
        })
    }

    /// Completes it, as one of `judged` numbers.
    pub(crate) fn decide(&mut self, adjusted_p: f64, judged: usize, runs: (&[f64], &[f64])) {
        #[expect(clippy::cast_precision_loss, reason = "numbers are few")]
        let level = LEVEL / judged.max(1) as f64;
        self.adjusted_p = Some(adjusted_p);
        self.differs = adjusted_p <= LEVEL;
        self.smallest_ratio = smallest_ratio(runs.0, runs.1, level, SEED);
    }
}
