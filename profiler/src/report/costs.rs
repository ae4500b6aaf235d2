//! What a fix costs, as text.

use std::io::{self, Write};

use super::{
    prose,
    style::Look,
    units::{amount, bytes, duration_ns},
};
use crate::experiment::model::{Costs, Experiment};

/// Writes one line for each variant that costs something.
///
/// # Errors
/// Whatever the output reports.
pub(super) fn write(experiment: &Experiment, look: Look, out: &mut dyn Write) -> io::Result<()> {
    for comparison in experiment.comparisons() {
        let parts = parts(&comparison.costs);
        if !parts.is_empty() {
            let text = format!("{}: {}", comparison.after, parts.join("; "));
            prose::labelled(out, look, "cost", &text)?;
        }
    }
    Ok(())
}

pub(super) fn parts(costs: &Costs) -> Vec<String> {
    let whole = |value: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an absolute value, far below u64's limit"
        )]
        let whole = value.abs().round() as u64;
        whole
    };
    let sign = |value: f64| if value < 0.0 { "less" } else { "more" };
    let mut parts = Vec::new();
    if let Some(more) = costs.resident_bytes {
        parts.push(format!(
            "{} {} memory resident",
            bytes(whole(more)),
            sign(more)
        ));
    }
    if let Some(locked) = costs.locked_bytes.filter(|&locked| locked != 0.0) {
        parts.push(format!("{} {} locked", bytes(whole(locked)), sign(locked)));
    }
    if let Some(more) = costs.time_ns {
        let what = if costs.is_setup { "set-up" } else { "run time" };
        parts.push(format!(
            "{} {} {what}",
            duration_ns(whole(more)),
            sign(more)
        ));
    }
    if let Some(pages) = costs.unused_pages {
        parts.push(format!(
            "{} pages populated and never used",
            amount(pages.round())
        ));
    }
    parts
}
