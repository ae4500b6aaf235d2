//! How much more than was measured is still the same. Pure.
//!
//! One rule, for budgets made by `--update` and for baselines alike: the largest
//! of the measured runs, and on top of it the larger of
//!
//! * the whole range of those runs, if there are several, and
//! * a least margin that depends on who decides how often it happens.
//!
//! With five runs of normally distributed counts the range is about 2.3 standard
//! deviations, so that the ceiling lies about 3.5 above the mean: a run of the
//! same program is above it about once in a thousand. Nothing is assumed of the
//! distribution, though, and runs that agree exactly leave no room at all.

use profiler_common::{cause::CauseKind, fault::FaultKind};

use super::evidence::Sample;
use crate::profile::{
    ledger::as_float,
    selection::{Pattern, Selection},
};

/// Of a single run, whose spread is not known: this part of the count.
const UNKNOWN_SPREAD: f64 = 0.1;
/// Entries that a count which is not 0 may always vary by where it varies by
/// nature: a page more or less, by where the kernel happens to put things.
const FEW: f64 = 4.0;
/// Standard deviations of a count of independent events.
const DEVIATIONS: f64 = 4.0;

/// Who decides how often something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// The program: the same input gives the same count, and none is none.
    Program,
    /// The program and the place that its memory happens to be at.
    Memory,
    /// Others: timers, devices, other CPUs, the kernel. Such counts scatter as independent
    /// events do, with the square root of their number.
    Others,
}

impl Nature {
    /// Of what is selected.
    #[must_use]
    pub fn of(selection: &Selection) -> Self {
        match selection.cause {
            Some(
                CauseKind::Syscall
                | CauseKind::Exception
                | CauseKind::NewTask
                | CauseKind::Unclassified
                | CauseKind::Return,
            ) => Self::Program,
            Some(CauseKind::PageFault) => Self::of_fault(selection.detail.as_ref()),
            Some(CauseKind::Interrupt | CauseKind::Nmi) | None => Self::Others,
        }
    }

    /// Of page faults of a kind. Whether a page has to be waited for, has been
    /// taken away for a while or was just mapped by another thread is not the
    /// program's choice.
    fn of_fault(detail: Option<&Pattern>) -> Self {
        const CHANCE: [FaultKind; 5] = [
            FaultKind::FileMajor,
            FaultKind::NumaHint,
            FaultKind::SwapIn,
            FaultKind::Raced,
            FaultKind::Unknown,
        ];
        let is_chance = |pattern: &Pattern| CHANCE.iter().any(|kind| kind.name() == pattern.0);
        if detail.is_some_and(is_chance) {
            Self::Others
        } else {
            Self::Memory
        }
    }
}

/// The most that still is the same as these runs, in their unit. `each` is what
/// one entry will be in the runs to be judged, if those differ in length.
#[must_use]
pub fn ceiling(samples: &[Sample], nature: Nature, each: Option<f64>) -> f64 {
    let values = || samples.iter().map(|sample| sample.value());
    let most = values().fold(0.0, f64::max);
    let least = values().fold(f64::INFINITY, f64::min);
    let is_single = samples.len() < 2;
    let range = if is_single { 0.0 } else { most - least };
    let entry = samples.iter().map(|sample| sample.each).chain(each);
    let entry = entry.fold(0.0, f64::max);
    let unknown = if is_single {
        most * UNKNOWN_SPREAD
    } else {
        0.0
    };
    let few = if most > 0.0 { FEW * entry } else { 0.0 };
    let floor = match nature {
        Nature::Program if is_single => unknown.max(few),
        Nature::Program => 0.0,
        Nature::Memory => unknown.max(few),
        Nature::Others => unknown.max(scatter(samples, most, each)),
    };
    most + range.max(floor)
}

/// What independent events scatter by, in the runs that were measured and in
/// those to come.
fn scatter(samples: &[Sample], most: f64, each: Option<f64>) -> f64 {
    let scatter = |count: f64, each: f64| DEVIATIONS * (count + 1.0).sqrt() * each;
    let measured = samples
        .iter()
        .map(|sample| scatter(as_float(sample.count), sample.each));
    let to_come = each
        .filter(|&each| each > 0.0)
        .map(|each| scatter(most / each, each));
    measured.chain(to_come).fold(0.0, f64::max)
}

/// Rounds a rate up to three digits, and a count to a whole one.
#[must_use]
pub fn rounded_up(value: f64, is_count: bool) -> f64 {
    if is_count || value <= 0.0 || !value.is_finite() {
        return value.ceil().max(0.0);
    }
    let digits = 2.0 - value.log10().floor();
    let scale = 10.0_f64.powf(digits);
    let rounded = (value * scale).ceil() / scale;
    // Where scaling has rounded the wrong way, the number itself is right.
    if rounded.is_finite() {
        rounded.max(value)
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(counts: &[u64]) -> Vec<Sample> {
        let counts = counts.iter();
        counts.map(|&count| Sample { count, each: 1.0 }).collect()
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }

    /// The rule that the documentation gives, by its own examples.
    #[test]
    fn the_rule() {
        let of = |runs: &[u64], nature| ceiling(&counts(runs), nature, None);
        close(of(&[100, 100, 100], Nature::Program), 100.0);
        close(of(&[100, 104, 102], Nature::Program), 108.0);
        close(of(&[100], Nature::Program), 110.0);
        close(of(&[10], Nature::Program), 14.0);
        close(of(&[0], Nature::Program), 0.0);
        close(of(&[0, 0], Nature::Memory), 0.0);
        close(of(&[60, 60], Nature::Memory), 64.0);
        close(of(&[0, 0], Nature::Others), 4.0);
        close(of(&[99, 99], Nature::Others), 139.0);
    }

    /// A short run scatters more: 1 a second may be none or one in each of ten
    /// runs of a tenth of a second.
    #[test]
    fn shorter_runs_scatter_more() {
        let long = [
            Sample {
                count: 100,
                each: 0.1,
            },
            Sample {
                count: 100,
                each: 0.1,
            },
        ];
        let same = ceiling(&long, Nature::Others, Some(0.1));
        let shorter = ceiling(&long, Nature::Others, Some(10.0));
        assert!(same < 15.0 && shorter > 60.0, "{same} {shorter}");
    }

    /// Never below what was to be rounded, and no more than a hundredth above.
    #[test]
    fn rounding_goes_up() {
        for value in [
            0.0,
            1e-9,
            0.1234,
            1.0,
            3.999,
            99.95,
            123.4,
            1e9 + 0.5,
            1e300,
        ] {
            let rounded = rounded_up(value, false);
            assert!(
                rounded >= value && rounded <= value * 1.011,
                "{value} {rounded}"
            );
        }
        close(rounded_up(4.2, true), 5.0);
    }
}
