//! What holds of the comparison of any two sides.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, test_runner::Config};

use super::{
    build,
    model::{Change, Compared, Comparison, Place, Status},
    side::Group,
};
use crate::profile::{arbitrary, model::Tool};

fn side(label: &'static str) -> impl Strategy<Value = Group> {
    vec(arbitrary::profile(), 1..4).prop_map(move |profiles| Group {
        label: label.to_owned(),
        files: Vec::new(),
        profiles,
    })
}

fn compared(first: &Group, second: &Group) -> Compared {
    build::compare(&[first.clone(), second.clone()], Tool::default())
}

/// What a row is of, with its place on the one side and the other.
type Key = (String, String, String, Option<Place>, Option<Place>);

/// All rows of a comparison by what they are of.
fn rows(found: &Comparison, mirrored: bool) -> BTreeMap<Key, Change> {
    let key = |table: &str, name: String, places: (Option<Place>, Option<Place>)| {
        let places = if mirrored {
            (places.1, places.0)
        } else {
            places
        };
        (table.to_owned(), name, String::new(), places.0, places.1)
    };
    let mut rows = BTreeMap::new();
    let causes = [
        ("totals", &found.totals),
        ("steady", &found.by_cause_steady),
        ("whole", &found.by_cause),
    ];
    for (table, changes) in causes {
        for row in changes {
            let name = format!("{} {}", row.cause, row.detail);
            rows.insert(key(table, name, (None, None)), row.change.clone());
        }
    }
    for row in &found.by_code {
        let places = (row.place_before.clone(), row.place_after.clone());
        let name = format!("{} {} {}", row.cause, row.detail, row.code);
        rows.insert(key("code", name, places), row.change.clone());
    }
    for row in &found.by_thread {
        rows.insert(
            key("thread", row.name.clone(), (None, None)),
            row.change.clone(),
        );
    }
    for row in &found.by_mapping {
        let name = format!("{} {}", row.kind, row.what);
        rows.insert(key("mapping", name, (None, None)), row.change.clone());
    }
    rows
}

fn number_of_rows(found: &Comparison) -> usize {
    found.totals.len()
        + found.by_cause_steady.len()
        + found.by_cause.len()
        + found.by_code.len()
        + found.by_thread.len()
        + found.by_mapping.len()
}

const fn mirrored(status: Status) -> Status {
    match status {
        Status::New => Status::Gone,
        Status::Gone => Status::New,
        Status::Same | Status::Changed | Status::Unknown => status,
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

proptest! {
    #![proptest_config(Config { cases: 32, failure_persistence: None, ..Config::default() })]

    /// A side beside itself differs in nothing.
    #[test]
    fn nothing_differs_from_itself(side in side("a")) {
        let found = compared(&side, &side);
        let is_single = side.profiles.len() == 1;
        for (key, change) in rows(&found.comparisons[0], false) {
            // What one run of a side could not see is unknown on both.
            let unknown = !is_single && change.status == Status::Unknown;
            prop_assert!(unknown || change.status == Status::Same, "{key:?} {change:?}");
            prop_assert!(change.difference.is_none_or(|found| found == 0.0), "{key:?}");
            prop_assert!(change.judgement.is_none_or(|found| !found.differs), "{key:?}");
        }
    }

    /// The other way around everything is mirrored: what is new is gone, what is
    /// more is less, and chance has as much to do with it. No row is twice.
    #[test]
    fn both_ways_are_mirrors(first in side("a"), second in side("b")) {
        let (there, back) = (compared(&first, &second), compared(&second, &first));
        let (there, back) = (&there.comparisons[0], &back.comparisons[0]);
        let (rows_there, rows_back) = (rows(there, false), rows(back, true));
        prop_assert_eq!(rows_there.len(), number_of_rows(there));
        prop_assert_eq!(rows_there.len(), rows_back.len());
        for (key, change) in rows_there {
            let other = &rows_back[&key];
            prop_assert_eq!(mirrored(change.status), other.status);
            prop_assert_eq!(change.before, other.after);
            prop_assert_eq!(change.after, other.before);
            prop_assert_eq!(change.difference.map(|found| -found), other.difference);
            if let (Some(ratio), Some(other)) = (change.ratio, other.ratio) {
                prop_assert!(close(ratio * other, 1.0), "{key:?} {ratio} {other}");
            }
            let p = |change: &Change| change.judgement.as_ref().map(|found| found.p);
            if let (Some(p), Some(other)) = (p(&change), p(other)) {
                prop_assert!(close(p, other), "{key:?} {p} {other}");
            }
        }
    }

    /// What is new was 0 and is not; ratios and differences are of the same two
    /// numbers; what is not known is told by no number.
    #[test]
    fn numbers_agree_with_each_other(first in side("a"), second in side("b")) {
        for (key, change) in rows(&compared(&first, &second).comparisons[0], false) {
            let most = |side: Option<super::model::Spread>| side.map(|side| side.max);
            let (before, after) = (most(change.before), most(change.after));
            match change.status {
                Status::New => prop_assert!(before == Some(0.0) && after > Some(0.0)),
                Status::Gone => prop_assert!(before > Some(0.0) && after == Some(0.0)),
                Status::Unknown => {
                    prop_assert!(before.is_none() || after.is_none());
                    prop_assert!(change.difference.is_none() && change.ratio.is_none());
                }
                Status::Same | Status::Changed => {}
            }
            if let (Some(ratio), Some(difference)) = (change.ratio, change.difference) {
                prop_assert_eq!(ratio > 1.0, difference > 0.0, "{:?}", key);
            }
        }
    }
}
