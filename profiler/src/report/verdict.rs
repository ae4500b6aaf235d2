//! The one line that says it all.

use std::cmp::Reverse;

use profiler_common::{cause::CauseKind, vector::Vector};

use super::units::{count, duration_ns, rate, share};
use crate::{
    document::run::Interruption,
    profile::{
        exactness::LEDGER_FULL,
        model::{CauseRow, Profile},
        rates::steady_count,
    },
};

/// The verdict on a profile.
#[must_use]
pub fn line(profile: &Profile) -> String {
    let ledger = &profile.ledger;
    let rates = &ledger.rates;
    let mut parts = vec![format!("{}/s", rate(rates.per_second))];
    if let Some(steady) = rates.steady_per_second {
        parts.push(format!("steady state {}/s", rate(steady)));
    } else if let Some(steady) = rates.steady_total {
        parts.push(format!(
            "{} in a steady state of unknown length",
            count(steady)
        ));
    }
    if let Some(per_million) = rates.steady_per_million_ios {
        parts.push(format!(
            "{} per million I/Os in steady state",
            rate(per_million)
        ));
    }
    let at_least = if profile.accounting.inexact.is_empty() {
        ""
    } else {
        "at least "
    };
    let runs = match profile.runs {
        1 => String::new(),
        runs => format!("{} runs of together ", count(runs)),
    };
    let text = format!(
        "{at_least}{} entries in {runs}{} ({})",
        count(ledger.total),
        duration_ns(profile.window.duration_ns),
        parts.join("; ")
    );
    let full = if profile
        .accounting
        .inexact_codes
        .iter()
        .any(|code| code == LEDGER_FULL)
    {
        "; the ledger was full: measure with a larger `--ledger-rows`"
    } else {
        ""
    };
    let named = named(profile);
    let shares = named.rows.iter().map(|&(row, entries)| {
        format!(
            "{} {} ({})",
            share(entries, named.of),
            words(&row.cause),
            row.detail
        )
    });
    let shares = shares.collect::<Vec<_>>().join(", ");
    let place = if named.is_steady {
        "in steady state "
    } else {
        ""
    };
    if shares.is_empty() {
        text + full
    } else {
        format!("{text}; {place}{shares}{full}")
    }
}

/// What the verdict names.
struct Headline<'a> {
    /// Causes with their entries that matter, the one to act upon first.
    rows: Vec<(&'a CauseRow, u64)>,
    /// All entries that matter.
    of: u64,
    /// Whether those are the steady state's.
    is_steady: bool,
}

/// What makes fewer than one of so many entries is named only where nothing else
/// can be.
const WORTH_NAMING: u64 = 100;

/// Decides which causes the verdict names: the largest that the program or its
/// surroundings could avoid, and behind it one that is larger and comes with the time
/// that a thread runs.
fn named(profile: &Profile) -> Headline<'_> {
    let ledger = &profile.ledger;
    let is_steady = ledger.rates.steady_total.is_some_and(|total| total != 0);
    let of = ledger.rates.steady_total.filter(|_| is_steady);
    let of = of.unwrap_or(ledger.total);
    let mut rows: Vec<(&CauseRow, u64)> = ledger
        .by_cause
        .iter()
        .map(|row| {
            (
                row,
                if is_steady {
                    steady_count(row)
                } else {
                    row.count
                },
            )
        })
        .filter(|&(_, entries)| entries != 0)
        .collect();
    // Rows of equal size stay in the ledger's order.
    rows.sort_by_key(|&(_, entries)| Reverse(entries));
    let avoidable = rows.iter().position(|&(row, entries)| {
        !comes_with_time(row) && entries.saturating_mul(WORTH_NAMING) >= of
    });
    match avoidable {
        Some(0) | None => rows.truncate(1),
        Some(place) => rows = vec![rows[place], rows[0]],
    }
    Headline {
        rows,
        of,
        is_steady,
    }
}

/// Whether entries come with the time that a thread runs, whatever it does.
fn comes_with_time(row: &CauseRow) -> bool {
    match row.cause.known() {
        Some(CauseKind::Interrupt) => row.detail == Vector::LocalTimer.name(),
        Some(CauseKind::Nmi | CauseKind::Unclassified) | None => true,
        Some(_) => false,
    }
}

/// How the run ended, if it did not simply end well.
#[must_use]
pub fn ending(profile: &Profile) -> Option<String> {
    let exit = &profile.exit;
    let mut parts = Vec::new();
    match &exit.interrupted_by {
        Some(by) if *by == Interruption::Duration => {
            parts.push("the time given with --duration was over".to_owned());
        }
        Some(signal) => parts.push(format!(
            "interrupted by {signal}: this is what was seen until then"
        )),
        None => {}
    }
    if let Some(signal) = exit.signal {
        let name = nix::sys::signal::Signal::try_from(signal).map_or_else(
            |_unknown| format!("signal {signal}"),
            |signal| signal.as_str().to_owned(),
        );
        parts.push(format!("the command was killed by {name}"));
    }
    if let Some(code) = exit.code.filter(|&code| code != 0) {
        parts.push(format!("the command ended with status {code}"));
    }
    if exit.left_running != 0 {
        parts.push(format!(
            "{} of its threads still run, and are not counted from here on",
            exit.left_running
        ));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// A cause in plain words.
#[must_use]
pub fn words(cause: &str) -> &str {
    match cause {
        "syscall" => "system calls",
        "page_fault" => "page faults",
        "interrupt" => "interrupts",
        "nmi" => "NMIs",
        "exception" => "exceptions",
        "new_task" => "first returns of new tasks",
        "unclassified" => "unclassified",
        other => other,
    }
}

/// A cause and its detail as one name.
#[must_use]
pub fn entry(cause: &str, detail: &str) -> String {
    let cause = match cause {
        "syscall" => "system call",
        "page_fault" => "page fault",
        "nmi" => "NMI",
        "new_task" => "first return of a new task",
        other => other,
    };
    if detail.is_empty() || detail == cause {
        cause.to_owned()
    } else if detail == "(all)" {
        format!("{cause}s, all")
    } else {
        format!("{cause}: {detail}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{profile::build, symbolize::measurement::Measurement};

    type Row<'a> = (&'a str, &'a str, u64, u64);

    /// A profile of such entries: cause, detail, in all, in steady state.
    fn profile(rows: &[Row<'_>], is_marked: bool) -> Profile {
        let mut profile = build::profile(&Measurement::default());
        let row = |&(cause, detail, count, steady): &Row<'_>| CauseRow {
            cause: cause.into(),
            detail: detail.to_owned(),
            count,
            phases: BTreeMap::from([("steady".to_owned(), steady)]),
            ..CauseRow::default()
        };
        profile.ledger.by_cause = rows.iter().map(row).collect();
        profile.ledger.total = rows.iter().map(|row| row.2).sum();
        let steady = rows.iter().map(|row| row.3).sum();
        profile.ledger.rates.steady_total = is_marked.then_some(steady);
        profile
    }

    /// What can be acted upon is named first, and the tick that comes with time
    /// behind it; alone only where nothing else counts.
    #[test]
    fn names_what_can_be_avoided() {
        let numa = [
            ("interrupt", "local_timer", 190, 0),
            ("page_fault", "numa_hint", 166, 0),
            ("syscall", "io_uring_enter", 160, 0),
            ("nmi", "nmi", 484, 0),
        ];
        let text = line(&profile(&numa, false));
        let expected = "; 16.6 % page faults (numa_hint), 48.4 % NMIs (nmi)";
        assert!(text.ends_with(expected), "{text}");
        let text = line(&profile(&numa[..3], false));
        let expected = "page faults (numa_hint), 36.8 % interrupts (local_timer)";
        assert!(text.ends_with(expected), "{text}");
        let busy = [
            ("syscall", "read", 900, 0),
            ("interrupt", "local_timer", 100, 0),
        ];
        let text = line(&profile(&busy, false));
        assert!(text.ends_with("; 90.0 % system calls (read)"), "{text}");
        let quiet = [
            ("interrupt", "local_timer", 990, 0),
            ("syscall", "read", 5, 0),
        ];
        let text = line(&profile(&quiet, false));
        assert!(
            text.ends_with("; 99.5 % interrupts (local_timer)"),
            "{text}"
        );
    }

    /// Where a steady state was marked, its entries decide.
    #[test]
    fn names_what_steady_state_does() {
        let rows = [
            ("page_fault", "file_minor", 900, 0),
            ("syscall", "futex", 50, 40),
            ("interrupt", "local_timer", 60, 60),
        ];
        let text = line(&profile(&rows, true));
        let expected =
            "; in steady state 40.0 % system calls (futex), 60.0 % interrupts (local_timer)";
        assert!(text.ends_with(expected), "{text}");
        let none = [("page_fault", "file_minor", 900, 0)];
        let text = line(&profile(&none, true));
        assert!(
            text.ends_with("; 100.0 % page faults (file_minor)"),
            "{text}"
        );
    }
}
