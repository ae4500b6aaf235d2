//! Two sides by code. Two builds of a program have the same functions at other
//! addresses and lines, so code is matched by function, file and line.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    basis::Measure,
    change::{Counts, change, weight},
    model::{CodeChange, Place},
    side::Group,
    visible,
};
use crate::profile::{code::base_name, model::CodeRow};

/// What is the same function on both sides: cause, detail and name.
type Function = (String, String, String);
/// Counts of each run by place.
type Places = BTreeMap<Option<Place>, Vec<u64>>;
type Table = BTreeMap<Function, Places>;

/// Stands for code whose module is not known either.
const NOWHERE: &str = "(unknown code)";

/// By code, the largest difference first.
#[must_use]
pub fn changes(before: &Group, after: &Group, measure: &Measure) -> Vec<CodeChange> {
    let shared: BTreeSet<String> = {
        let (first, second) = (addresses(before), addresses(after));
        first.intersection(&second).cloned().collect()
    };
    let (first, second) = (table(before, &shared), table(after, &shared));
    let functions: BTreeSet<&Function> = first.keys().chain(second.keys()).collect();
    let nothing = Places::new();
    let mut rows = Vec::new();
    for function in functions {
        let before_places = first.get(function).unwrap_or(&nothing);
        let after_places = second.get(function).unwrap_or(&nothing);
        for (place_before, place_after) in matched(before_places, after_places) {
            let counts = |group: &Group, places: &Places, place: Option<&Option<Place>>| {
                let found = place.and_then(|place| places.get(place)).cloned();
                found.map_or_else(|| absent(group, function), Some)
            };
            let is_moved =
                matches!((place_before, place_after), (Some(Some(a)), Some(Some(b))) if a != b);
            rows.push(CodeChange {
                cause: function.0.as_str().into(),
                detail: function.1.clone(),
                code: function.2.clone(),
                place_before: place_before.cloned().flatten(),
                place_after: place_after.cloned().flatten(),
                moved: is_moved,
                change: change(
                    &counts(before, before_places, place_before),
                    &counts(after, after_places, place_after),
                    measure,
                ),
            });
        }
    }
    rows.sort_by(|a, b| weight(&b.change).total_cmp(&weight(&a.change)));
    rows
}

/// A function that a side's runs do not have.
fn absent(group: &Group, function: &Function) -> Counts {
    let runs = group.profiles.iter();
    runs.map(|run| visible::cause(run, &function.0, &function.1).then_some(0))
        .collect()
}

/// The places of nameless code: the same build of a library has them at the
/// same addresses, and what only one side has is told by its module alone.
fn addresses(group: &Group) -> BTreeSet<String> {
    let rows = group.profiles.iter().flat_map(|run| &run.ledger.by_code);
    rows.filter(|row| row.symbol.is_none())
        .filter_map(address)
        .collect()
}

fn address(row: &CodeRow) -> Option<String> {
    let module = base_name(row.module.as_deref()?);
    Some(format!("{module}+{}", row.module_address.as_deref()?))
}

fn table(group: &Group, shared: &BTreeSet<String>) -> Table {
    let mut table = Table::new();
    let runs = group.profiles.len();
    for (run, profile) in group.profiles.iter().enumerate() {
        for row in &profile.ledger.by_code {
            let place = row.file.as_deref().map(|file| Place {
                file: base_name(file).to_owned(),
                line: row.line,
            });
            let function = (row.cause.to_string(), row.detail.clone(), name(row, shared));
            let places = table.entry(function).or_default();
            let counts = places.entry(place).or_insert_with(|| vec![0; runs]);
            if let Some(count) = counts.get_mut(run) {
                *count = count.saturating_add(row.count);
            }
        }
    }
    table
}

fn name(row: &CodeRow, shared: &BTreeSet<String>) -> String {
    if let Some(symbol) = &row.symbol {
        return symbol.clone();
    }
    if let Some(address) = address(row).filter(|address| shared.contains(address)) {
        return address;
    }
    row.module.as_deref().map_or_else(
        || NOWHERE.to_owned(),
        |module| format!("{} (no name)", base_name(module)),
    )
}

type Pair<'a> = (Option<&'a Option<Place>>, Option<&'a Option<Place>>);

/// Which place of one side is which of the other. As many places on both sides
/// are the same ones in their order, wherever their lines are now; else those
/// that are still where they were are, and of the others again in their order.
fn matched<'a>(before: &'a Places, after: &'a Places) -> Vec<Pair<'a>> {
    let is_same_number = before.len() == after.len();
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    let (mut left, mut right): (Vec<_>, Vec<_>) = (Vec::new(), after.keys().collect());
    for place in before.keys() {
        let same = right.iter().position(|other| *other == place);
        match same.filter(|_| !is_same_number) {
            Some(at) => pairs.push((Some(place), Some(right.remove(at)))),
            None => left.push(place),
        }
    }
    let longer = left.len().max(right.len());
    pairs.extend((0..longer).map(|at| (left.get(at).copied(), right.get(at).copied())));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{compare::model::Status, symbolize::measurement::Measurement};

    fn group(rows: &[(&str, &str, u32, u64)]) -> Group {
        let mut profile = crate::profile::build::profile(&Measurement::default());
        profile.ledger.by_code = rows
            .iter()
            .map(|&(symbol, file, line, count)| CodeRow {
                cause: "page_fault".into(),
                detail: "first_touch".to_owned(),
                symbol: Some(symbol.to_owned()),
                file: Some(file.to_owned()),
                line: Some(line),
                user_ip: format!("{line:#x}"),
                count,
                ..CodeRow::default()
            })
            .collect();
        Group {
            profiles: vec![profile],
            ..Group::default()
        }
    }

    fn lines(rows: &[CodeChange]) -> Vec<(Option<u32>, Option<u32>, bool, Status)> {
        let line = |place: &Option<Place>| place.as_ref().and_then(|place| place.line);
        let mut lines: Vec<_> = rows
            .iter()
            .map(|row| {
                let (before, after) = (line(&row.place_before), line(&row.place_after));
                (before, after, row.moved, row.change.status)
            })
            .collect();
        lines.sort_by_key(|row| (row.0, row.1));
        lines
    }

    /// An edit above a function moves its lines: each is still itself, in
    /// another folder and at another address too.
    #[test]
    fn moved_lines_are_the_same_code() {
        let before = group(&[("f", "/a/x.c", 10, 5), ("f", "/a/x.c", 20, 7)]);
        let after = group(&[("f", "/b/x.c", 20, 5), ("f", "/b/x.c", 30, 9)]);
        let found = changes(&before, &after, &measure());
        assert_eq!(
            lines(&found),
            [
                (Some(10), Some(20), true, Status::Same),
                (Some(20), Some(30), true, Status::Changed),
            ]
        );
    }

    /// A line that was added is new, and the others stay what they were.
    #[test]
    fn added_lines_are_new() {
        let before = group(&[("f", "x.c", 10, 5), ("f", "x.c", 30, 7)]);
        let after = group(&[
            ("f", "x.c", 10, 5),
            ("f", "x.c", 20, 1),
            ("f", "x.c", 30, 7),
        ]);
        let found = changes(&before, &after, &measure());
        assert_eq!(
            lines(&found),
            [
                (None, Some(20), false, Status::New),
                (Some(10), Some(10), false, Status::Same),
                (Some(30), Some(30), false, Status::Same),
            ]
        );
        let other = changes(&before, &group(&[("g", "x.c", 10, 5)]), &measure());
        assert_eq!(other.len(), 3, "another function is another one");
    }

    fn measure() -> Measure {
        let run = super::super::basis::Divisors::default();
        Measure {
            before: vec![run],
            after: vec![run],
            ..Measure::default()
        }
    }
}
