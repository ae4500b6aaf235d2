//! A comparison as text.

use std::io::{self, Write};

use super::{
    compare_sheets::sheets,
    prose,
    style::{FAINT, Look, STRONG},
    table,
    units::{self, amount, duration_ns, rate},
};
use crate::compare::model::{Compared, Side};

/// Writes a comparison for people.
///
/// # Errors
/// Whatever the output reports.
pub fn write(found: &Compared, look: Look, out: &mut dyn Write) -> io::Result<()> {
    prose::sentence(out, look, STRONG, &found.verdict)?;
    for warning in &found.warnings {
        prose::labelled(out, look, "with care", warning)?;
    }
    for side in &found.sides {
        prose::labelled(out, look, &side.label, &describe(side))?;
    }
    for comparison in &found.comparisons {
        if found.comparisons.len() > 1 {
            let (before, after) = (&comparison.before, &comparison.after);
            writeln!(out, "\n{STRONG}{after} beside {before}{STRONG:#}")?;
        }
        for sheet in sheets(found, comparison, look.columns) {
            writeln!(out, "\n{STRONG}{}{STRONG:#}", sheet.title)?;
            if !sheet.rows.is_empty() {
                let table = table::render(&sheet.headings, sheet.rows, sheet.text_columns, look);
                write!(out, "{table}")?;
            }
            if let Some(note) = sheet.note {
                prose::sentence(out, look, FAINT, &note)?;
            }
        }
    }
    if let Some(method) = method(found) {
        writeln!(out)?;
        prose::labelled(out, look, "method", &method)?;
    }
    Ok(())
}

/// A side in words.
pub(super) fn describe(side: &Side) -> String {
    let mut parts = vec![match side.entries.runs {
        1 => "1 run".to_owned(),
        runs => format!("{runs} runs"),
    }];
    if !side.command.is_empty() {
        let command = units::shortened(&side.command.join(" "));
        parts.push(format!("`{command}`"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a median of times, which are not negative"
    )]
    let duration = side.duration_ns.median as u64;
    parts.push(format!(
        "{} entries in {}",
        amount(side.entries.median),
        duration_ns(duration)
    ));
    let mut rates = Vec::new();
    rates.extend(side.per_second.map(|found| format!("{}/s", rate(found))));
    rates.extend(
        side.steady_per_second
            .map(|found| format!("steady state {}/s", rate(found))),
    );
    rates.extend(
        side.steady_per_million_ios
            .map(|found| format!("{} per million I/Os", rate(found))),
    );
    if !rates.is_empty() {
        parts.push(rates.join(", "));
    }
    parts.join("; ")
}

/// How it was judged, where there is anything to judge.
pub(super) fn method(found: &Compared) -> Option<String> {
    let method = &found.method;
    (method.runs > 1).then(|| {
        format!(
            "medians, and 95 % intervals of their ratio by bootstrap; * differs by an exact rank \
             test, {} totals judged together at {:.0} % (Holm), for which {} runs of each side are \
             needed; what has no star was not judged or did not differ",
            method.judged,
            method.level * 100.0,
            method.runs_needed
        )
    })
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, test_runner::Config};

    use super::*;
    use crate::{
        compare::{build, side::Group},
        profile::{arbitrary, model::Tool},
        report::compare_markdown,
    };

    fn side(label: &'static str) -> impl Strategy<Value = Group> {
        vec(arbitrary::profile(), 1..4).prop_map(move |profiles| Group {
            label: label.to_owned(),
            files: Vec::new(),
            profiles,
        })
    }

    proptest! {
        #![proptest_config(Config { cases: 16, failure_persistence: None, ..Config::default() })]

        /// Any comparison can be shown in any width, saved and read again.
        #[test]
        fn everything_can_be_shown(first in side("a"), second in side("b"), third in side("c")) {
            let found = build::compare(&[first, second, third], Tool::default());
            let mut out = Vec::new();
            for columns in [None, Some(1), Some(70)] {
                let written = write(&found, Look { columns }, &mut out);
                prop_assert!(written.is_ok());
            }
            prop_assert!(compare_markdown::write(&found, &mut out).is_ok());
            let saved = serde_json::to_string(&found).expect("it can be saved");
            let read: Result<Compared, _> = serde_json::from_str(&saved);
            prop_assert!(read.is_ok(), "{:?}", read.err());
        }
    }
}
