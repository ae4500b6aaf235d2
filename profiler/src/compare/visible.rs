//! What a run could see. What it could not is unknown there, and not 0.

use profiler_common::cause::CauseKind;

use crate::{
    gap::Concealed,
    profile::{
        model::Profile,
        selection::{Pattern, Selection},
    },
};

/// Whether a run would have counted entries of a cause under this name. Details
/// put together are `(all)`.
#[must_use]
pub fn cause(run: &Profile, cause: &str, detail: &str) -> bool {
    let selection = Selection {
        cause: CauseKind::from_name(cause),
        detail: (detail != ALL).then(|| Pattern::literal(detail)),
        ..Selection::default()
    };
    let mut unavailable = run.accounting.unavailable.iter();
    !unavailable.any(|item| selection.is_concealed_by(&item.gap))
}

/// The detail of a cause's details together.
const ALL: &str = "(all)";

/// Whether a run would have told what memory a page fault hit.
#[must_use]
pub fn mappings(run: &Profile) -> bool {
    let unavailable = run.accounting.unavailable.iter();
    let mut concealed = unavailable.flat_map(|item| item.gap.conceals());
    !concealed.any(|concealed| matches!(concealed, Concealed::Mappings | Concealed::Everything))
}
