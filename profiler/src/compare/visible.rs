//! What a run could see. Of what is not in it there were none where it could have
//! counted them; else that is not known, and why.

use profiler_common::cause::CauseKind;

use super::model::ALL;
use crate::{
    gap::{Concealed, Details, Unavailable},
    profile::{
        model::Profile,
        selection::{Pattern, Selection},
    },
};

/// Why a side's runs do not tell a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen(pub String);

fn unless(run: &Profile, conceals: impl Fn(&Unavailable) -> bool) -> Result<(), Unseen> {
    let mut unavailable = run.accounting.unavailable.iter();
    match unavailable.find(|item| conceals(item)) {
        Some(item) => Err(Unseen(format!("{}: {}", item.gap.what(), item.reason))),
        None => Ok(()),
    }
}

/// Whether a run would have counted entries of a cause under this name. Details
/// put together are [`ALL`].
///
/// # Errors
/// [`Unseen`] if not.
pub fn could_count(run: &Profile, cause: &str, detail: &str) -> Result<(), Unseen> {
    let selection = Selection {
        cause: CauseKind::from_name(cause),
        detail: (detail != ALL).then(|| Pattern::literal(detail)),
        ..Selection::default()
    };
    unless(run, |item| selection.is_concealed_by(&item.gap))
}

/// Whether a run would have counted any entries of a cause.
///
/// # Errors
/// [`Unseen`] if not.
pub fn could_count_any(run: &Profile, cause: CauseKind) -> Result<(), Unseen> {
    unless(run, |item| {
        let all = Concealed::Entries(cause, Details::All);
        item.gap.conceals().contains(&all)
    })
}

/// Whether a run would have told what memory a page fault hit.
///
/// # Errors
/// [`Unseen`] if not.
pub fn could_tell_mappings(run: &Profile) -> Result<(), Unseen> {
    unless(run, |item| {
        let conceals = item.gap.conceals();
        conceals
            .iter()
            .any(|what| matches!(what, Concealed::Mappings | Concealed::Everything))
    })
}
