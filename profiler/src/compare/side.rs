//! What is compared, and how the document describes it.

use super::model::{Side, Spread};
use crate::profile::{
    exactness::CONCEALED,
    ledger::as_float,
    model::{Profile, Rates},
};

/// The runs of one side.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Its name.
    pub label: String,
    /// Where its profiles are from.
    pub files: Vec<String>,
    /// Its profiles, at least one.
    pub profiles: Vec<Profile>,
}

impl Group {
    /// Whether every run marked a steady state.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        let mut runs = self.profiles.iter();
        runs.all(|run| run.ledger.rates.steady_total.is_some())
    }

    /// Describes it for the document.
    #[must_use]
    pub fn describe(&self) -> Side {
        let first = self.profiles.first();
        let mut inexact: Vec<String> = self
            .profiles
            .iter()
            .flat_map(|run| run.accounting.inexact.iter().cloned())
            .collect();
        inexact.sort();
        inexact.dedup();
        let mut codes = self
            .profiles
            .iter()
            .flat_map(|run| &run.accounting.inexact_codes);
        Side {
            label: self.label.clone(),
            files: self.files.clone(),
            command: first.map_or_else(Vec::new, |run| run.target.command.clone()),
            duration_ns: self.spread(|run| run.window.duration_ns),
            entries: self.spread(|run| run.ledger.total),
            per_second: self.rate(|rates| Some(rates.per_second)),
            steady_per_second: self.rate(|rates| rates.steady_per_second),
            steady_per_million_ios: self.rate(|rates| rates.steady_per_million_ios),
            inexact,
            bounds_each_count: codes.any(|code| code != CONCEALED),
        }
    }

    /// A number of each run.
    #[must_use]
    pub fn spread(&self, of: impl Fn(&Profile) -> u64) -> Spread {
        let values = self.profiles.iter().map(|run| as_float(of(run)));
        Spread::of(values).unwrap_or_default()
    }

    /// A rate's median, if every run has it.
    fn rate(&self, of: impl Fn(&Rates) -> Option<f64>) -> Option<f64> {
        let rates = self.profiles.iter();
        let rates: Option<Vec<f64>> = rates
            .map(|run| of(&run.ledger.rates).filter(|rate| rate.is_finite()))
            .collect();
        Spread::of(rates?).map(|spread| spread.median)
    }
}
