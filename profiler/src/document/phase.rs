//! The phases of a program.

use serde::{Deserialize, Serialize};

/// How long one phase lasted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PhaseTime {
    /// The phase's number.
    pub number: u16,
    /// Its name.
    pub name: String,
    /// Time spent in it, or null where nobody saw it: `untimed` says why.
    pub duration_ns: Option<u64>,
    /// Whether the program kept the time, or the profiler looked now and then.
    pub exact: bool,
    /// Why its time is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untimed: Option<Untimed>,
}

/// Why it is not known how long a phase lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Untimed {
    /// The program kept no times, and the profiler's looks saw less of the phase
    /// than they can have missed.
    NotSeen,
    /// The program kept times, but none for this phase.
    NotKept,
    /// The times that the program kept are longer than the measurement.
    BeyondWindow,
}

impl Untimed {
    /// In words.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::NotSeen => {
                "it was too short for the profiler to see, and the program stores the phase's \
                 number alone: mark it with modeswitch_phase_enter()"
            }
            Self::BeyondWindow => {
                "the times that the program kept are together longer than the measurement: mark \
                 with the modeswitch_phase_enter() of this version"
            }
            Self::NotKept => {
                "the program kept the times of other phases only: mark this one with \
                 modeswitch_phase_enter(), too"
            }
        }
    }
}

/// One stay in a phase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PhaseSpan {
    /// The phase's name.
    pub name: String,
    /// When it was entered, after the window's beginning.
    pub start_ns: u64,
    /// How long the stay was.
    pub duration_ns: u64,
    /// Whether the program kept the time. If not, the profiler looked now and
    /// then, or the order of short stays between two looks is assumed.
    pub exact: bool,
}
