//! What counts of runs that were not alike can be compared in proportion to.

use super::{
    model::{Basis, Spread},
    side::Group,
};
use crate::profile::{ledger::as_float, model::Profile, rates};

/// Lengths and amounts of work that differ by no more are alike.
const ALIKE: f64 = 1.1;

/// Which part of the runs is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Steady state, which every run has marked.
    Steady,
    /// All of it.
    Whole,
}

/// What the counts of one run are divided by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Divisors {
    pub(super) seconds: Option<f64>,
    pub(super) million_ios: Option<f64>,
}

/// Two sides' runs and how to compare their counts.
#[derive(Clone, Debug, Default)]
pub struct Measure {
    pub(super) before: Vec<Divisors>,
    pub(super) after: Vec<Divisors>,
    pub(super) basis: Basis,
}

impl Measure {
    /// Finds the fairest basis for two sides.
    #[must_use]
    pub fn of(before: &Group, after: &Group, scope: Scope) -> Self {
        let divisors = |group: &Group| -> Vec<Divisors> {
            let runs = group.profiles.iter();
            runs.map(|run| divide(run, scope)).collect()
        };
        let (first, second) = (divisors(before), divisors(after));
        let seconds = alike(&first, &second, |found| found.seconds);
        let work = alike(&first, &second, |found| found.million_ios);
        let same_job = scope == Scope::Whole && did_all(before) && did_all(after);
        let basis = match (seconds, work) {
            (Some(true) | None, Some(true) | None) => Basis::PerRun,
            (_, Some(_)) => Basis::PerMillionIos,
            (_, None) if same_job => Basis::PerRun,
            (_, None) => Basis::PerSecond,
        };
        Self {
            before: first,
            after: second,
            basis,
        }
    }
}

fn divide(run: &Profile, scope: Scope) -> Divisors {
    let steady_ns = rates::steady_ns(run);
    let duration_ns = match scope {
        Scope::Steady => steady_ns,
        Scope::Whole => Some(run.window.duration_ns),
    };
    // A program's I/Os are those of its steady state, where it marks one.
    let counted = scope == Scope::Steady || run.ledger.rates.steady_total.is_none();
    let ios = rates::ios(run.io.as_ref(), &run.exit, &run.window).filter(|_| counted);
    Divisors {
        seconds: duration_ns
            .filter(|&ns| ns != 0)
            .map(|ns| as_float(ns) / 1e9),
        million_ios: ios.filter(|&ios| ios != 0).map(|ios| as_float(ios) / 1e6),
    }
}

/// Whether two sides' medians are alike. Nothing if a run does not have it.
fn alike(
    before: &[Divisors],
    after: &[Divisors],
    of: impl Fn(&Divisors) -> Option<f64>,
) -> Option<bool> {
    let median = |runs: &[Divisors]| -> Option<f64> {
        let values: Option<Vec<f64>> = runs.iter().map(&of).collect();
        Spread::of(values?).map(|spread| spread.median)
    };
    let (before, after) = (median(before)?, median(after)?);
    Some(before.max(after) <= ALIKE * before.min(after))
}

/// Whether every run was of a command that ended by itself: then a longer run
/// has done no more, it was slower.
fn did_all(group: &Group) -> bool {
    let mut runs = group.profiles.iter();
    runs.all(|run| {
        !run.target.command.is_empty()
            && run.exit.code.is_some()
            && run.exit.interrupted_by.is_none()
    })
}
