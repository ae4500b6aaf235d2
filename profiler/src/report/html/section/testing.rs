//! Profiles to make pages of.

use crate::{
    collect::snapshot::Snapshot,
    profile::{
        build,
        model::{Ledger, Profile},
    },
};

/// A profile with these counts and nothing else.
#[must_use]
pub fn profile(ledger: Ledger) -> Profile {
    let mut profile = build::profile(&Snapshot::default());
    profile.ledger = ledger;
    profile
}
