//! What a run tells of a selection, in the unit of a limit. Pure.

use super::budget::{Bound, Per};
use crate::profile::{
    exactness::{self, Ground},
    ledger::{as_float, seconds},
    model::Profile,
    rates,
    selection::{Absent, PhaseName, Selection},
};

/// What a run tells of a selection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Evidence {
    /// The number, or nothing if there is none.
    pub(super) sample: Option<Sample>,
    /// Why that is a lower bound at best. Empty: it is exact.
    pub(super) reasons: Vec<String>,
    /// Whether the number is at least a lower bound.
    pub(super) is_bound: bool,
}

/// A number of entries in a unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The entries.
    pub count: u64,
    /// What one entry is in the unit.
    pub each: f64,
}

impl Sample {
    /// The number in the unit.
    #[must_use]
    pub fn value(self) -> f64 {
        as_float(self.count) * self.each
    }
}

/// How a number stands to a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Certainly not above it.
    Within,
    /// Certainly above it.
    Above,
    /// It cannot be said.
    Unknown,
}

impl Evidence {
    /// How this stands to a bound.
    pub(super) fn standing(&self, bound: Bound) -> Standing {
        self.standing_to(bound.value())
    }

    pub(super) fn standing_to(&self, bound: f64) -> Standing {
        match self.sample {
            Some(sample) if self.is_bound && sample.value() > bound => Standing::Above,
            Some(_) if self.reasons.is_empty() => Standing::Within,
            Some(_) | None => Standing::Unknown,
        }
    }
}

/// What a run tells of a selection.
pub(super) fn of(profile: &Profile, selection: &Selection, per: Per) -> Evidence {
    let mut doubts = exactness::doubts(profile);
    doubts.retain(|doubt| doubt.concerns(selection));
    let is_cut = doubts.iter().any(|doubt| doubt.ground == Ground::CutShort);
    let mut reasons: Vec<String> = doubts.into_iter().map(|doubt| doubt.reason).collect();
    let count = match selection.count(profile) {
        Ok(count) => count,
        Err(absent) => {
            reasons.insert(0, missing(&absent, profile));
            return nothing(reasons);
        }
    };
    let each = match one_entry(profile, selection, per) {
        Ok(each) => each,
        Err(reason) => {
            reasons.insert(0, reason);
            return nothing(reasons);
        }
    };
    Evidence {
        sample: Some(Sample { count, each }),
        is_bound: per == Per::Run || !is_cut,
        reasons,
    }
}

fn nothing(reasons: Vec<String>) -> Evidence {
    Evidence {
        sample: None,
        reasons,
        is_bound: false,
    }
}

fn missing(absent: &Absent, profile: &Profile) -> String {
    match absent {
        Absent::Phase(PhaseName(name)) => {
            let phases = profile.window.phases.iter();
            let marked: Vec<&str> = phases.map(|phase| phase.name.as_str()).collect();
            if marked.is_empty() {
                format!("the program marked no phases, so there is no `{name}`")
            } else {
                format!(
                    "the program did not mark the phase `{name}`, only {}",
                    marked.join(", ")
                )
            }
        }
        Absent::Thread(pattern) => format!("there was no thread named `{}`", pattern.0),
    }
}

/// What one entry is in a unit.
fn one_entry(profile: &Profile, selection: &Selection, per: Per) -> Result<f64, String> {
    match per {
        Per::Run => Ok(1.0),
        Per::Second => match selection.time(profile) {
            Ok(time) if time.ns == 0 => Err("the run has no length".to_owned()),
            Ok(time) if time.exact => Ok(1.0 / seconds(time.ns)),
            Ok(_) => Err(
                "how long the phase lasted is not exactly known, since the program stores its \
                 number alone: mark it with modeswitch_phase_enter()"
                    .to_owned(),
            ),
            Err(reason) => {
                let unknown = "how long the phase lasted is not known";
                Err(reason.map_or_else(
                    || unknown.to_owned(),
                    |reason| format!("{unknown}, since {}", reason.why()),
                ))
            }
        },
        Per::MillionIos => match &profile.io {
            None => Err("the program told nothing of its I/Os".to_owned()),
            Some(io) if io.ios == 0 => Err("the program made no I/Os".to_owned()),
            Some(io) if io.errors != 0 => Err(format!("{} I/Os failed", io.errors)),
            Some(io) => rates::ios(Some(io), &profile.exit, &profile.window)
                .map(|ios| 1e6 / as_float(ios))
                .ok_or_else(|| {
                    "the program was still at work at the end of --duration, so its I/Os are not \
                     those of the entries"
                        .to_owned()
                }),
        },
    }
}
