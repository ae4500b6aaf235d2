//! What a run could see. What it could not is unknown there, and not 0.

use crate::profile::model::Profile;

/// Whether a run would have counted entries of a cause under this name.
#[must_use]
pub fn cause(run: &Profile, cause: &str, detail: &str) -> bool {
    run.accounting.unavailable.iter().all(|missing| {
        let hidden = match missing.what.as_str() {
            "exceptions other than page faults" => cause == "exception",
            "which device interrupted" => cause == "interrupt" && detail.starts_with("device"),
            "the kind and the mapping of a page fault" => {
                cause == "page_fault" && !matches!(detail, "(all)" | "unknown")
            }
            other => other
                .strip_suffix(" events")
                .and_then(|tracepoint| tracepoint.strip_suffix("_entry"))
                .is_some_and(|vector| cause == "interrupt" && detail == vector),
        };
        !hidden
    })
}

/// Whether a run would have told what memory a page fault hit.
#[must_use]
pub fn mappings(run: &Profile) -> bool {
    run.accounting.unavailable.iter().all(|missing| {
        !matches!(
            missing.what.as_str(),
            "the kind and the mapping of a page fault" | "the mapping of a page fault"
        )
    })
}
