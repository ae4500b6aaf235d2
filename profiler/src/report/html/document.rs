//! The documents that can be a page.

use super::{experiment, profile};
use crate::{experiment::model::Experiment, profile::model::Profile};

/// A profile as a page.
#[must_use]
pub fn of_profile(found: &Profile) -> String {
    profile::page(found).render()
}

/// An experiment as a page.
#[must_use]
pub fn of_experiment(found: &Experiment) -> String {
    experiment::page(found).render()
}
