//! What rules ask of a profile.

use profiler_common::cause::CauseKind;

use crate::{
    digits::count as digits,
    profile::{
        model::{Advice, CauseRow, CodeRow, MappingRow, Profile},
        rates::steady_count,
    },
};

/// Whether the program marked its steady state.
pub(super) fn has_steady(profile: &Profile) -> bool {
    profile.ledger.rates.steady_total.is_some()
}

/// Entries of a row that matter: those in steady state, if one was marked.
pub(super) fn relevant(profile: &Profile, row: &CauseRow) -> u64 {
    if has_steady(profile) {
        steady_count(row)
    } else {
        row.count
    }
}

/// Where the entries that matter were counted, to follow their number.
pub(super) fn when(profile: &Profile) -> &'static str {
    if has_steady(profile) {
        "in steady state"
    } else {
        "in the whole run"
    }
}

/// The rows of a cause that have entries that matter, with their number.
pub(super) fn rows(profile: &Profile, cause: CauseKind) -> impl Iterator<Item = (&CauseRow, u64)> {
    let rows = profile.ledger.by_cause.iter();
    rows.filter(move |row| row.cause == cause)
        .map(|row| (row, relevant(profile, row)))
        .filter(|&(_, count)| count != 0)
}

/// Entries that matter of a cause and any of these details.
pub(super) fn entries(profile: &Profile, cause: CauseKind, details: &[&str]) -> u64 {
    rows(profile, cause)
        .filter(|(row, _)| details.contains(&row.detail.as_str()))
        .map(|(_, count)| count)
        .fold(0, u64::saturating_add)
}

/// The instruction that made most entries of a cause and detail.
pub(super) fn busiest_code<'a>(
    profile: &'a Profile,
    cause: CauseKind,
    detail: &str,
) -> Option<&'a CodeRow> {
    let rows = profile.ledger.by_code.iter();
    rows.filter(|row| row.cause == cause && row.detail == detail)
        .max_by_key(|row| row.count)
}

/// Where an instruction is, as well as that is known.
pub(super) fn place(row: &CodeRow) -> String {
    match (&row.symbol, &row.file, row.line) {
        (Some(symbol), Some(file), Some(line)) => format!("{symbol} ({file}:{line})"),
        (Some(symbol), _, _) => symbol.clone(),
        (None, _, _) => format!("{} of process {}", row.user_ip, row.tgid),
    }
}

/// The mapping that had most page faults of these kinds.
pub(super) fn busiest_mapping<'a>(profile: &'a Profile, kinds: &[&str]) -> Option<&'a MappingRow> {
    let rows = profile.memory.by_mapping.iter();
    rows.filter(|row| of_kinds(row, kinds) != 0)
        .max_by_key(|row| of_kinds(row, kinds))
}

/// A mapping's page faults of these kinds.
pub(super) fn of_kinds(row: &MappingRow, kinds: &[&str]) -> u64 {
    let counts = kinds.iter().filter_map(|&kind| row.by_kind.get(kind));
    counts.copied().fold(0, u64::saturating_add)
}

/// What to say of the mapping that had most page faults of these kinds, if that is
/// known: the end of a sentence.
pub(super) fn in_mapping(profile: &Profile, kinds: &[&str]) -> String {
    busiest_mapping(profile, kinds).map_or(String::new(), |row| {
        format!(
            "; most of the run's, {}, hit {}",
            digits(of_kinds(row, kinds)),
            mapping(row)
        )
    })
}

/// A mapping in words.
fn mapping(row: &MappingRow) -> String {
    let path = row
        .path
        .as_deref()
        .map_or(String::new(), |path| format!(" {path}"));
    let made = row
        .allocated_at
        .as_deref()
        .map_or(String::new(), |place| format!(", made by {place}"));
    format!(
        "{}{path} of {} KiB{made} ({} faults on {} pages)",
        row.kind,
        digits(row.bytes / 1024),
        digits(row.faults),
        digits(row.distinct_pages)
    )
}

/// Puts a piece of advice together.
pub(super) fn advice(
    profile: &Profile,
    saves: u64,
    finding: String,
    evidence: String,
    fix: String,
) -> Advice {
    let rates = &profile.ledger.rates;
    let total = rates.steady_total.unwrap_or(profile.ledger.total);
    Advice {
        finding,
        evidence,
        fix,
        expected_saving: format!(
            "up to {} of {} entries {}",
            digits(saves),
            digits(total),
            when(profile)
        ),
        saves,
    }
}
