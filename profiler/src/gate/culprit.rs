//! The code and the memory behind a count that is too high. Pure.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use profiler_common::cause::CauseKind;
use serde::{Deserialize, Serialize};

use crate::{
    named::CauseName,
    profile::{
        code::base_name,
        model::{CodeRow, MappingRow, Profile},
        selection::Selection,
    },
};

/// Instructions named for each limit.
const PLACES: usize = 3;
/// Mappings named for each limit.
const MAPPINGS: usize = 2;

/// A place in the program that entries come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Culprit {
    /// Entries from there in the whole run: code is not counted by phase.
    pub count: u64,
    /// Entries from there in the baseline, at most; null without a baseline.
    pub before: Option<u64>,
    /// The cause.
    pub cause: CauseName,
    /// Its detail.
    pub detail: String,
    /// The function, or the place in the module if it has no name.
    pub place: String,
    /// The source file, or null if that is not known.
    pub file: Option<String>,
    /// The line in it, or null if that is not known.
    pub line: Option<u32>,
    /// Who called it: `function file:line`. Null if no stacks were taken and
    /// nothing was inlined.
    pub called_from: Option<String>,
}

/// Memory that page faults hit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Hit {
    /// Page faults.
    pub faults: u64,
    /// What it is: the kind, or its file.
    pub what: String,
    /// Its size.
    pub bytes: u64,
    /// The call that made it, or null if that is not known.
    pub allocated_at: Option<String>,
}

/// What makes rows of code the same function, in another process too.
type Function<'a> = (&'a str, &'a str, &'a str, Option<&'a str>);

/// Counts by function, and in it by line.
type Counts<'a> = BTreeMap<Function<'a>, BTreeMap<Option<u32>, (u64, &'a CodeRow)>>;

/// The places that a selection's entries come from: those that have the most
/// more than in the baseline.
pub(super) fn code(profile: &Profile, selection: &Selection, before: &[Profile]) -> Vec<Culprit> {
    let details = details_in_phase(profile, selection);
    let known: Vec<Counts<'_>> = before.iter().map(|profile| counts(profile)).collect();
    let is_compared = !known.is_empty();
    let mut found: Vec<(u64, Culprit)> = Vec::new();
    for (function, lines) in counts(profile) {
        let (cause, detail, _, _) = function;
        if !selection.includes(cause, detail) || !details.contains(&(cause, detail)) {
            continue;
        }
        let of_function = known.iter().filter_map(|counts| counts.get(&function));
        let most = of_function.clone().map(sum).max().unwrap_or(0);
        // Lines move when a program is changed. A function that makes no more
        // entries than it did is not the one.
        let more_in_all = sum(&lines).saturating_sub(most);
        for (line, (count, row)) in lines {
            let of_line = of_function.clone().filter_map(|lines| lines.get(&line));
            let before = of_line.map(|&(count, _)| count).max().unwrap_or(0);
            let more = count.saturating_sub(before).min(more_in_all);
            if more != 0 {
                let before = is_compared.then_some(before);
                found.push((more, culprit(profile, row, count, before)));
            }
        }
    }
    found.sort_by_key(|&(more, _)| Reverse(more));
    let places = found.into_iter().map(|(_, culprit)| culprit);
    places.take(PLACES).collect()
}

fn sum(lines: &BTreeMap<Option<u32>, (u64, &CodeRow)>) -> u64 {
    let counts = lines.values().map(|&(count, _)| count);
    counts.fold(0, u64::saturating_add)
}

fn counts(profile: &Profile) -> Counts<'_> {
    let mut counts = Counts::new();
    for row in &profile.ledger.by_code {
        let lines = counts.entry(function_of(row)).or_default();
        let (count, _) = lines.entry(row.line).or_insert((0, row));
        *count = count.saturating_add(row.count);
    }
    counts
}

/// Without a name, the address in the module has to do.
fn function_of(row: &CodeRow) -> Function<'_> {
    let name = row.symbol.as_deref().or(row.module_address.as_deref());
    let module = row.module.as_deref().map(base_name);
    (
        &row.cause,
        &row.detail,
        name.unwrap_or(&row.user_ip),
        row.file.as_deref().map(base_name).or(module),
    )
}

/// The causes and details that there are in the selected phase: a place whose
/// entries are all of another phase has nothing to do with it.
fn details_in_phase<'a>(
    profile: &'a Profile,
    selection: &Selection,
) -> BTreeSet<(&'a str, &'a str)> {
    let rows = profile.ledger.by_cause.iter();
    rows.filter(|row| {
        selection
            .phase
            .as_ref()
            .is_none_or(|phase| row.phases.get(&phase.0).is_some_and(|&count| count != 0))
    })
    .map(|row| (row.cause.as_str(), row.detail.as_str()))
    .collect()
}

fn culprit(profile: &Profile, row: &CodeRow, count: u64, before: Option<u64>) -> Culprit {
    let module = row.module.as_deref().map(base_name);
    let place = match (&row.symbol, module, &row.module_address) {
        (Some(symbol), _, _) => symbol.clone(),
        (None, Some(module), Some(address)) => format!("{module}+{address}"),
        (None, _, _) => row.user_ip.clone(),
    };
    Culprit {
        count,
        before,
        cause: row.cause.clone(),
        detail: row.detail.clone(),
        place,
        file: row.file.clone(),
        line: row.line,
        called_from: row
            .inlined_into
            .first()
            .cloned()
            .or_else(|| caller(profile, row)),
    }
}

/// The nearest caller with a source file of its own, by the stacks.
fn caller(profile: &Profile, row: &CodeRow) -> Option<String> {
    let symbol = row.symbol.as_deref()?;
    let own = row.stack.as_deref();
    let frames = own.or_else(|| {
        let mut stacks = profile.ledger.user_stacks.iter();
        let fits = |frame: &String| frame.split(' ').next() == Some(symbol);
        stacks
            .find(|stack| {
                stack.cause == row.cause
                    && stack.detail == row.detail
                    && stack.frames.first().is_some_and(fits)
            })
            .map(|stack| stack.frames.as_slice())
    })?;
    // Libraries are built somewhere else: their paths are relative.
    let mut callers = frames.iter().skip(1);
    let of_the_program = callers.clone().find(|frame| frame.contains(" /"));
    of_the_program.or_else(|| callers.next()).cloned()
}

/// The memory that a selection's page faults hit.
pub(super) fn memory(profile: &Profile, selection: &Selection) -> Vec<Hit> {
    let fault = CauseKind::PageFault;
    if selection.cause.is_some_and(|cause| cause != fault) {
        return Vec::new();
    }
    let mut found: Vec<Hit> = profile
        .memory
        .by_mapping
        .iter()
        .map(|row| hit(row, selection))
        .filter(|hit| hit.faults != 0)
        .collect();
    found.sort_by_key(|hit| Reverse(hit.faults));
    found.truncate(MAPPINGS);
    found
}

fn hit(row: &MappingRow, selection: &Selection) -> Hit {
    let fault = CauseKind::PageFault.name();
    let kinds = row.by_kind.iter();
    let of_kinds = kinds.filter(|(kind, _)| selection.includes(fault, kind));
    let of_kinds: u64 = of_kinds
        .map(|(_, &count)| count)
        .fold(0, u64::saturating_add);
    let in_phase = selection.phase.as_ref().map(|phase| {
        let count = row.phases.get(&phase.0);
        count.copied().unwrap_or(0)
    });
    let file = row.path.as_deref().map(base_name);
    Hit {
        faults: in_phase.map_or(of_kinds, |count| count.min(of_kinds)),
        what: file.map_or_else(|| row.kind.replace('_', " "), str::to_owned),
        bytes: row.bytes,
        allocated_at: row.allocated_at.clone(),
    }
}
