//! A budget from measured runs. Pure.
//!
//! Limits that are there keep their selection and get new numbers, and what a
//! person has written around them stays as it is. Without a budget, one is made:
//! a limit for each cause, in steady state and in the whole run.

use profiler_common::cause::CauseKind;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};

use super::{
    budget::{Bound, Budget, Limit, Per},
    evidence::{self, Sample},
    judge::{Named, name, reasons},
    margin::{Nature, ceiling, rounded_up},
    parse::Parsed,
    write::{number, render},
};
use crate::profile::{
    rates::STEADY_NAME,
    selection::{PhaseName, Selection},
};

/// Why no budget was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// For each limit that could not be measured: its name, and why.
    pub reasons: Vec<String>,
}

/// A rate of what others decide says nothing of a shorter time.
const LONG_ENOUGH_NS: u64 = 1_000_000_000;

/// A new budget's first lines.
const HEADING: &str = "\
# What this program may cost in entries into the kernel: `modeswitch check --budget THIS -- CMD`.
# `hard` fails the check, `soft` only warns. Made by --update: the most that was seen in the
# measured runs, and a margin from their spread. Raise, lower and remove limits as you see fit.

";

/// A budget of these runs, as text.
///
/// # Errors
/// [`Refused`] if something in the runs is in doubt: a budget must not be made
/// from counts that are too low.
pub fn created(runs: &[Named]) -> Result<String, Refused> {
    let mut limits = Vec::new();
    let mut refused = Vec::new();
    for (selection, per) in proposed(runs) {
        let limit = Limit {
            name: None,
            selection,
            per,
            hard: None,
            soft: None,
        };
        match measured(&limit, runs) {
            Ok((hard, _)) => limits.push(Limit {
                hard: Some(hard),
                ..limit
            }),
            Err(reasons) => refused.push(said(&limit, &reasons)),
        }
    }
    if !refused.is_empty() || limits.is_empty() {
        return Err(Refused { reasons: refused });
    }
    let budget = Budget {
        phases: Vec::new(),
        limits,
    };
    Ok(HEADING.to_owned() + &render(&budget))
}

/// A budget with the numbers of these runs, everything else as it was.
///
/// # Errors
/// [`Refused`] as for [`created`]. A text that is no TOML gives an empty
/// refusal; one that has been parsed is.
pub fn updated(text: &str, parsed: &Parsed, runs: &[Named]) -> Result<String, Refused> {
    let nothing = || Refused {
        reasons: Vec::new(),
    };
    let mut document: DocumentMut = text.parse().map_err(|_no_toml| nothing())?;
    let mut refused = Vec::new();
    let mut tables = tables(&mut document);
    for (place, limit) in parsed.budget.limits.iter().enumerate() {
        let (most, seen) = match measured(limit, runs) {
            Ok(found) => found,
            Err(reasons) => {
                refused.push(said(limit, &reasons));
                continue;
            }
        };
        let Some(table) = tables.get_mut(place) else {
            return Err(nothing());
        };
        // Of two bounds, the soft one warns of what has not been seen yet.
        let soft = if limit.hard.is_some() { seen } else { most };
        for (key, bound) in [
            ("hard", limit.hard.map(|_| most)),
            ("soft", limit.soft.map(|_| soft)),
        ] {
            if let Some(bound) = bound {
                replace(&mut **table, key, bound);
            }
        }
    }
    if refused.is_empty() {
        Ok(document.to_string())
    } else {
        Err(Refused { reasons: refused })
    }
}

/// The limits, however they are written down.
fn tables(document: &mut DocumentMut) -> Vec<&mut dyn toml_edit::TableLike> {
    match document.get_mut("limit") {
        Some(Item::ArrayOfTables(tables)) => ArrayOfTables::iter_mut(tables)
            .map(|table: &mut Table| table as &mut dyn toml_edit::TableLike)
            .collect(),
        Some(Item::Value(toml_edit::Value::Array(array))) => array
            .iter_mut()
            .filter_map(toml_edit::Value::as_inline_table_mut)
            .map(|table| table as &mut dyn toml_edit::TableLike)
            .collect(),
        Some(Item::None | Item::Value(_) | Item::Table(_)) | None => Vec::new(),
    }
}

/// Puts a number in the place of another, with the comment behind it.
fn replace(table: &mut dyn toml_edit::TableLike, key: &str, bound: Bound) {
    let Some(value) = table.get_mut(key).and_then(Item::as_value_mut) else {
        return;
    };
    let around = value.decor().clone();
    *value = number(bound);
    *value.decor_mut() = around;
}

fn said(limit: &Limit, reasons: &[String]) -> String {
    format!("{}: {}", name(limit), reasons.join("; "))
}

/// The limit that these runs ask for, and the most that was seen in them.
fn measured(limit: &Limit, runs: &[Named]) -> Result<(Bound, Bound), Vec<String>> {
    let evidence: Vec<evidence::Evidence> = runs
        .iter()
        .map(|named| evidence::of(&named.profile, &limit.selection, limit.per))
        .collect();
    let doubts = reasons(runs, &evidence);
    if !doubts.is_empty() {
        return Err(doubts);
    }
    let samples: Option<Vec<Sample>> = evidence.iter().map(|found| found.sample).collect();
    let samples = samples.filter(|samples| !samples.is_empty());
    let no_number = || vec!["there is no number".to_owned()];
    let samples = samples.ok_or_else(no_number)?;
    let is_count = limit.per == Per::Run;
    let nature = Nature::of(&limit.selection);
    let bound = |value: f64| Bound::new(rounded_up(value, is_count)).ok_or_else(no_number);
    let most = samples.iter().map(|sample| sample.value());
    Ok((
        bound(ceiling(&samples, nature, None))?,
        bound(most.fold(0.0, f64::max))?,
    ))
}

/// What a new budget limits: each cause that these probes can see, in the whole
/// run and, where it is marked, in steady state. Interrupts come with time, so
/// they are limited per second, and only where that can be told.
fn proposed(runs: &[Named]) -> Vec<(Selection, Per)> {
    let steady = Selection {
        phase: Some(PhaseName(STEADY_NAME.to_owned())),
        ..Selection::default()
    };
    let shortest = |scope: &Selection| -> Option<u64> {
        let times = runs.iter().map(|named| scope.time(&named.profile));
        times
            .map(|time| {
                time.ok()
                    .filter(|time| time.exact)
                    .map_or(0, |time| time.ns)
            })
            .min()
            .filter(|&ns| ns != 0)
    };
    let mut limits = Vec::new();
    for scope in [steady, Selection::default()] {
        let Some(shortest_ns) = shortest(&scope) else {
            continue;
        };
        for &kind in CauseKind::ALL {
            let selection = Selection {
                cause: Some(kind),
                ..scope.clone()
            };
            let is_others = Nature::of(&selection) == Nature::Others;
            let can_be_told = !is_others || shortest_ns >= LONG_ENOUGH_NS;
            let per = if is_others { Per::Second } else { Per::Run };
            if kind != CauseKind::Return && can_be_told && is_seen(&selection, runs) {
                limits.push((selection, per));
            }
        }
    }
    limits
}

/// Whether these probes can see such entries at all. Other doubts do not matter
/// here: they are reasons to refuse.
fn is_seen(selection: &Selection, runs: &[Named]) -> bool {
    let mut unavailable = runs
        .iter()
        .flat_map(|named| &named.profile.accounting.unavailable);
    !unavailable.any(|item| selection.is_concealed_by(&item.gap))
}
