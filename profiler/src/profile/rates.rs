//! Entries in proportion to time and to work.

use profiler_common::phase::{STEADY, fixed_name};
use workload::summary::IoSummary;

use super::{
    ledger::{as_float, seconds},
    model::{CauseRow, Ending, Ledger, PhaseTime, Profile, Rates, Window},
};
use crate::document::run::Interruption;

/// The name of the phase whose behaviour matters.
pub const STEADY_NAME: &str = match fixed_name(STEADY) {
    Some(name) => name,
    None => "steady",
};

/// Entries of a row in steady state.
#[must_use]
pub fn steady_count(row: &CauseRow) -> u64 {
    row.phases.get(STEADY_NAME).copied().unwrap_or(0)
}

/// The rates of a ledger.
#[must_use]
pub fn of(ledger: &Ledger, window: &Window, ios: Option<u64>) -> Rates {
    let phase = steady(window);
    let counts = ledger.by_cause.iter().map(steady_count);
    let steady_total = phase.map(|_| counts.fold(0, u64::saturating_add));
    Rates {
        per_second: as_float(ledger.total) / seconds(window.duration_ns),
        steady_total,
        steady_per_second: steady_total
            .zip(phase.and_then(|phase| phase.duration_ns))
            .map(|(count, ns)| as_float(count) / seconds(ns)),
        steady_per_million_ios: steady_total
            .zip(ios.filter(|&ios| ios != 0))
            .map(|(count, ios)| as_float(count) * 1e6 / as_float(ios)),
    }
}

/// The I/Os that a run's entries can be set against: nothing where the program says
/// nothing of them, or where the window closed while it was still at work, since it
/// went on without being counted.
#[must_use]
pub fn ios(io: Option<&IoSummary>, exit: &Ending, window: &Window) -> Option<u64> {
    let is_cut = (exit.interrupted_by.as_ref()).is_some_and(|by| *by == Interruption::Duration)
        && window
            .phase_spans
            .last()
            .is_none_or(|stay| stay.name == STEADY_NAME);
    io.filter(|_| !is_cut).map(|io| io.ios)
}

/// The steady state, if one was marked.
fn steady(window: &Window) -> Option<&PhaseTime> {
    let mut phases = window.phases.iter();
    phases.find(|phase| phase.name == STEADY_NAME)
}

/// How long the steady state lasted, if one was marked and its time is known.
#[must_use]
pub fn steady_ns(profile: &Profile) -> Option<u64> {
    steady(&profile.window)?.duration_ns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::phase::PhaseSpan;

    /// I/Os that were made after the end of `--duration` are not divided by.
    #[test]
    fn ios_of_a_cut_run_are_unknown() {
        let io = IoSummary {
            ios: 7,
            ..IoSummary::default()
        };
        let mut exit = Ending::default();
        let mut window = Window::default();
        assert_eq!(ios(Some(&io), &exit, &window), Some(7));
        exit.interrupted_by = Some(Interruption::Duration.into());
        assert_eq!(ios(Some(&io), &exit, &window), None);
        let stay = |name: &str| PhaseSpan {
            name: name.to_owned(),
            ..PhaseSpan::default()
        };
        window.phase_spans = vec![stay("steady"), stay("teardown")];
        assert_eq!(ios(Some(&io), &exit, &window), Some(7));
        window.phase_spans.pop();
        assert_eq!(ios(Some(&io), &exit, &window), None);
    }
}
