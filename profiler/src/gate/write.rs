//! From a budget to its text.

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value, value};

use super::budget::{Bound, Budget, Limit, Per};
use crate::profile::selection::{Pattern, PhaseName};

/// Above this, not every whole number has a float of its own.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// A budget as TOML.
#[must_use]
pub fn render(budget: &Budget) -> String {
    let mut document = DocumentMut::new();
    if !budget.phases.is_empty() {
        let names = budget.phases.iter().map(|PhaseName(name)| name.as_str());
        document.insert("phases", value(names.collect::<Value>()));
    }
    let mut limits = ArrayOfTables::new();
    for limit in &budget.limits {
        limits.push(table(limit));
    }
    document.insert("limit", Item::ArrayOfTables(limits));
    document.to_string()
}

/// A limit as a table.
fn table(limit: &Limit) -> Table {
    let mut table = Table::new();
    let selection = &limit.selection;
    let cause = selection.cause.map_or("total", |kind| kind.name());
    let pattern = |pattern: &Pattern| pattern.0.clone();
    let texts = [
        ("name", limit.name.clone()),
        ("cause", Some(cause.to_owned())),
        ("detail", selection.detail.as_ref().map(pattern)),
        ("phase", selection.phase.as_ref().map(|name| name.0.clone())),
        ("thread", selection.thread.as_ref().map(pattern)),
        (
            "per",
            (limit.per != Per::Run).then(|| limit.per.name().to_owned()),
        ),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            table.insert(key, value(text));
        }
    }
    for (key, bound) in [("hard", limit.hard), ("soft", limit.soft)] {
        if let Some(bound) = bound {
            table.insert(key, value(number(bound)));
        }
    }
    table
}

/// A bound, whole if it is whole.
#[must_use]
pub fn number(bound: Bound) -> Value {
    let number = bound.value();
    if number.fract() == 0.0 && number < WHOLE {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole, not negative and below 2^53"
        )]
        let whole = number as i64;
        Value::from(whole)
    } else {
        Value::from(number)
    }
}

/// A word as TOML quotes it.
#[must_use]
pub fn quoted(word: &str) -> String {
    Value::from(word).to_string()
}
