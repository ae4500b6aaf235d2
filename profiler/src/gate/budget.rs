//! What a budget says.

use serde::{Deserialize, Serialize};

use crate::profile::selection::{PhaseName, Selection};

/// Limits on the counts of a program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Budget {
    /// Phases of the program's own that limits may name.
    pub phases: Vec<PhaseName>,
    /// The limits.
    pub limits: Vec<Limit>,
}

/// A limit on some entries.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// What people call it.
    pub name: Option<String>,
    /// Which entries.
    pub selection: Selection,
    /// In proportion to what.
    pub per: Per,
    /// Above this the check fails.
    pub hard: Option<Bound>,
    /// Above this the check warns.
    pub soft: Option<Bound>,
}

/// What entries are set in proportion to.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Nothing: as many as there are in a run.
    #[default]
    Run,
    /// A second of the run or the phase.
    Second,
    /// A million I/Os, as the program itself counts them.
    MillionIos,
}

impl Per {
    /// As budgets write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Second => "second",
            Self::MillionIos => "million_ios",
        }
    }
}

/// The most that is allowed: a number, not negative and not infinite.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Bound(f64);

impl Bound {
    /// A bound, if the number can be one.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        // Adding 0 turns -0 into 0.
        (value.is_finite() && value >= 0.0).then_some(Self(value + 0.0))
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl serde::de::Visitor<'_> for Number {
            type Value = Bound;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("a number that is not negative")
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Bound, E> {
                #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 entries")]
                let value = value as f64;
                self.visit_f64(value)
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Bound, E> {
                #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 entries")]
                let value = value as f64;
                self.visit_f64(value)
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Bound, E> {
                Bound::new(value).ok_or_else(|| {
                    E::custom(format!(
                        "a limit of {value} makes no sense: write a number that is not negative"
                    ))
                })
            }
        }
        deserializer.deserialize_any(Number)
    }
}
