//! Which entries of a profile are meant, and how many those are. Pure.

use std::collections::BTreeMap;

use profiler_common::{cause::CauseKind, vector::Vector};
use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use super::model::{PhaseTime, Profile, Purpose, Untimed};
use crate::{
    classify::purpose,
    gap::{Concealed, Details, Gap},
};

/// A name with wildcards: `*` for any characters, `?` for one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(pub String);

impl Pattern {
    /// One that fits this name alone, or where the name itself has wildcards in
    /// it, at least that name.
    #[must_use]
    pub fn literal(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Whether a whole name fits.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        WildMatch::new(&self.0).matches(name)
    }

    /// Whether it may fit one of these details.
    pub(crate) fn meets(&self, details: Details) -> bool {
        let wildcard = self.0.find(['*', '?']);
        match (details, wildcard) {
            (Details::All, _) | (Details::AllBut(_) | Details::Untraced, Some(_)) => true,
            (Details::Named(name), _) => self.matches(name),
            (Details::AllBut(_) | Details::Untraced, None) => details.include(&self.0),
            (Details::Prefixed(prefix), None) => self.0.starts_with(prefix),
            (Details::Prefixed(prefix), Some(at)) => {
                let known = &self.0[..at];
                known.starts_with(prefix) || prefix.starts_with(known)
            }
        }
    }

    /// Whether it fits every name.
    fn fits_all(&self) -> bool {
        !self.0.is_empty() && self.0.chars().all(|c| c == '*')
    }

    /// Whether there is a wildcard in it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.contains(['*', '?'])
    }
}

/// The name of a phase.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhaseName(pub String);

/// Entries by phase.
type Phases = BTreeMap<String, u64>;

/// Which entries are meant. Without any part: all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Of this cause.
    pub cause: Option<CauseKind>,
    /// With such a detail.
    pub detail: Option<Pattern>,
    /// In this phase.
    pub phase: Option<PhaseName>,
    /// Of threads with such a name.
    pub thread: Option<Pattern>,
}

/// Why a profile has no count of a selection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absent {
    /// The program did not mark that phase.
    Phase(PhaseName),
    /// There was no thread of such a name.
    Thread(Pattern),
}

impl Selection {
    /// The selected entries of a profile.
    ///
    /// # Errors
    /// [`Absent`] if the phase or the thread is not in it: then 0 would be an
    /// invention.
    pub fn count(&self, profile: &Profile) -> Result<u64, Absent> {
        if let Some(phase) = self.phase.as_ref().filter(|name| !has_phase(profile, name)) {
            return Err(Absent::Phase(phase.clone()));
        }
        let Some(thread) = &self.thread else {
            let rows = profile.ledger.by_cause.iter();
            return Ok(sum(rows.map(|row| {
                let counts = (row.count, &row.phases);
                self.of_row(&row.cause, &row.detail, counts, &row.purposes)
            })));
        };
        let threads = profile.ledger.by_thread.iter();
        let mut found = threads.filter(|row| thread.matches(&row.comm)).peekable();
        if found.peek().is_none() {
            return Err(Absent::Thread(thread.clone()));
        }
        let counts = found.flat_map(|thread| &thread.by_cause).map(|row| {
            let counts = (row.count, &row.phases);
            self.of_row(&row.cause, &row.detail, counts, &row.purposes)
        });
        Ok(sum(counts))
    }

    /// Whether the detail is what interrupts were for, and no interrupt's name.
    #[must_use]
    pub fn names_purpose(&self) -> bool {
        self.cause == Some(CauseKind::Interrupt)
            && self.detail.as_ref().is_some_and(|wanted| {
                let is_vector = |vector: &Vector| wanted.matches(vector.name());
                purpose::all().any(|name| wanted.matches(name))
                    && !Vector::ALL.iter().any(is_vector)
            })
    }

    /// The selected entries of a row.
    fn of_row(
        &self,
        cause: &str,
        detail: &str,
        (count, phases): (u64, &Phases),
        purposes: &[Purpose],
    ) -> u64 {
        if self.includes(cause, detail) {
            return self.in_phase(count, phases);
        }
        let Some(wanted) = self.detail.as_ref().filter(|_| self.names_purpose()) else {
            return 0;
        };
        let meant = purposes.iter().filter(|row| wanted.matches(&row.purpose));
        sum(meant.map(|row| self.in_phase(row.count, &row.phases)))
    }

    /// Whether a row of this cause and detail is meant, whatever its phase.
    #[must_use]
    pub fn includes(&self, cause: &str, detail: &str) -> bool {
        self.cause.is_none_or(|kind| kind.name() == cause)
            && self
                .detail
                .as_ref()
                .is_none_or(|pattern| pattern.matches(detail))
    }

    /// Whether a gap conceals how many of these there were.
    #[must_use]
    pub fn is_concealed_by(&self, gap: &Gap) -> bool {
        let is_of = |kind| self.cause.is_none_or(|cause| cause == kind);
        gap.conceals().into_iter().any(|concealed| match concealed {
            Concealed::Entries(kind, details) => {
                is_of(kind) && (self.detail.as_ref()).is_none_or(|wanted| wanted.meets(details))
            }
            Concealed::Split(kind, details) => {
                let detail = self.detail.as_ref().filter(|wanted| !wanted.fits_all());
                is_of(kind) && detail.is_some_and(|wanted| wanted.meets(details))
            }
            Concealed::Existence(kind, name) => {
                is_of(kind) && self.detail.as_ref().is_some_and(|wanted| wanted.0 == name)
            }
            Concealed::Purposes(details) => {
                self.names_purpose() && self.detail.as_ref().is_some_and(|one| one.meets(details))
            }
            Concealed::Mappings => false,
            Concealed::Everything => true,
        })
    }

    /// How long the selected part of a run lasted.
    ///
    /// # Errors
    /// Why that is not known; no reason if the program did not mark it.
    pub fn time(&self, profile: &Profile) -> Result<SelectedTime, Option<Untimed>> {
        let Some(name) = &self.phase else {
            return Ok(SelectedTime {
                ns: profile.window.duration_ns,
                exact: true,
            });
        };
        let phase = phase_time(profile, name).ok_or(None)?;
        match phase.duration_ns {
            Some(ns) => Ok(SelectedTime {
                ns,
                exact: phase.exact,
            }),
            None => Err(phase.untimed),
        }
    }

    fn in_phase(&self, all: u64, phases: &Phases) -> u64 {
        self.phase.as_ref().map_or(all, |PhaseName(name)| {
            phases.get(name).copied().unwrap_or(0)
        })
    }
}

/// How long the selected part of a run lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelectedTime {
    /// Its length.
    pub ns: u64,
    /// Whether somebody kept the time, or only looked now and then.
    pub exact: bool,
}

fn sum(counts: impl Iterator<Item = u64>) -> u64 {
    counts.fold(0, u64::saturating_add)
}

fn phase_time<'a>(profile: &'a Profile, PhaseName(name): &PhaseName) -> Option<&'a PhaseTime> {
    profile
        .window
        .phases
        .iter()
        .find(|phase| phase.name == *name)
}

/// Whether the program was ever in a phase. In old documents, one too short to be
/// timed shows in the counts alone. What a program that marks nothing does is in
/// no phase.
fn has_phase(profile: &Profile, name: &PhaseName) -> bool {
    let marks = !profile.window.phases.is_empty();
    let rows = &profile.ledger.by_cause;
    phase_time(profile, name).is_some()
        || (marks && rows.iter().any(|row| row.phases.contains_key(&name.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wildcards fit any characters and none; everything else itself, wholly.
    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("poller", "poller", true),
            ("poller", "poller-1", false),
            ("poll*", "poller-1", true),
            ("*er", "poller-server", true),
            ("*er-?", "poller-er-1", true),
            ("a*b*c", "a__b__b_c", true),
            ("a*b*c", "a__b__b_", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("?", "", false),
            ("device:nvme*", "device:nvme0q1", true),
        ] {
            assert_eq!(
                Pattern(pattern.to_owned()).matches(name),
                fits,
                "{pattern} {name}"
            );
        }
    }
}
