//! What stands behind the counts.

use maud::{Markup, html};

use crate::{
    profile::model::{Accounting, Audit, CheckVerdict, Profile},
    report::{
        html::{
            page::Section,
            prose::alarm,
            table::{Kind, facts, more, table},
        },
        text::own_words,
        units::{count, duration_ns},
    },
};

/// Rows of each table.
const ROWS: usize = 60;

/// The section.
#[must_use]
pub fn section(profile: &Profile) -> Section {
    let accounting = &profile.accounting;
    let body = html! {
        @if accounting.inexact.is_empty() {
            p.good { "The counts are exact: no event is known to have been missed." }
        } @else {
            @for reason in accounting.inexact.iter().take(ROWS) { (alarm(&format!("NOT EXACT: {reason}"))) }
        }
        (summary(profile))
        (misses(accounting))
        (losses(accounting))
        @if let Some(audit) = &accounting.audit { (audited(audit)) }
        (checks(accounting))
        (unavailable(accounting))
    };
    Section::new("accounting", "Accounting", body)
}

fn summary(profile: &Profile) -> Markup {
    let accounting = &profile.accounting;
    let missed: u64 = accounting.misses.iter().filter_map(|miss| miss.count).sum();
    let lost: u64 = accounting.lost().map(|(_, lost)| lost).sum();
    let mut rows = vec![
        ("missed by the probes", count(missed)),
        ("could not be kept", count(lost)),
        ("counted without detail", count(accounting.map_full)),
        ("stacks lost", count(accounting.stacks_lost)),
        ("unclassified", count(accounting.unclassified)),
        ("modeswitch itself", own_words(&accounting.own)),
    ];
    if let Some(usage) = &accounting.usage {
        rows.push((
            "the command, by getrusage",
            format!(
                "{} in user mode, {} in the kernel; {} minor and {} major page faults; gave up the CPU {} times, lost it {} times",
                duration_ns(usage.user_ns),
                duration_ns(usage.system_ns),
                count(usage.minor_faults),
                count(usage.major_faults),
                count(usage.voluntary_switches),
                count(usage.involuntary_switches)
            ),
        ));
    }
    facts(rows)
}

/// Only programs that missed something, or of which it is not known.
fn misses(accounting: &Accounting) -> Markup {
    let worth = || {
        accounting
            .misses
            .iter()
            .filter(|miss| miss.count != Some(0))
    };
    let silent = accounting.misses.len() - worth().count();
    let columns = [("program", Kind::Code), ("events missed", Kind::Number)];
    let rows = worth().take(ROWS).map(|miss| {
        let missed = miss
            .count
            .map_or_else(|| "this kernel does not tell".to_owned(), count);
        vec![miss.program.clone(), missed]
    });
    html! {
        @if worth().next().is_some() {
            (table("Events that the kernel did not show to a program", &columns, 1, rows))
            (more(worth().count(), ROWS, "programs", "accounting.misses"))
        }
        p { (count(silent as u64)) " programs missed nothing." }
    }
}

fn losses(accounting: &Accounting) -> Markup {
    let lost = || accounting.lost();
    let columns = [("reason", Kind::Code), ("count", Kind::Number)];
    let rows = lost()
        .take(ROWS)
        .map(|(reason, n)| vec![reason.to_owned(), count(n)]);
    html! {
        @if lost().next().is_some() { (table("What could not be kept", &columns, 1, rows)) }
    }
}

fn audited(audit: &Audit) -> Markup {
    let columns = [
        ("seen by one family only", Kind::Text),
        ("detail", Kind::Code),
        ("count", Kind::Number),
        ("why", Kind::Text),
    ];
    let rows = audit.one_sided.iter().take(ROWS).map(|row| {
        vec![
            row.cause.to_string(),
            row.detail.clone(),
            count(row.count),
            row.reason.clone(),
        ]
    });
    html! {
        h3 { "Audit" }
        (facts([
            ("returns", count(audit.exits)),
            ("entries", count(audit.entries)),
            ("difference", audit.difference.to_string()),
        ]))
        @if !audit.one_sided.is_empty() { (table("Not in the audit's numbers", &columns, 2, rows)) }
    }
}

fn checks(accounting: &Accounting) -> Markup {
    let checks = &accounting.cross_checks;
    let columns = [
        ("what", Kind::Text),
        ("ours", Kind::Number),
        ("theirs", Kind::Number),
        ("by", Kind::Text),
        ("verdict", Kind::Text),
        ("what the other one counts", Kind::Text),
    ];
    let rows = checks.iter().take(ROWS).map(|check| {
        let verdict = match check.verdict {
            CheckVerdict::Consistent => "consistent",
            CheckVerdict::NotContradicted => "not contradicted: an upper bound",
            CheckVerdict::Inconsistent => "INCONSISTENT: one of the two is wrong",
            CheckVerdict::Informative => "for comparison only",
        };
        vec![
            check.what.clone(),
            count(check.ours),
            count(check.theirs),
            check.source.clone(),
            verdict.to_owned(),
            check.note.clone(),
        ]
    });
    html! {
        @if !checks.is_empty() {
            (table("Cross-checks: our counts beside those of others", &columns, 1, rows))
            (more(checks.len(), ROWS, "cross-checks", "accounting.cross_checks"))
        }
    }
}

fn unavailable(accounting: &Accounting) -> Markup {
    let missing = &accounting.unavailable;
    let columns = [("what", Kind::Text), ("why", Kind::Text)];
    let rows = missing
        .iter()
        .take(ROWS)
        .map(|row| vec![row.gap.what(), row.reason.clone()]);
    html! {
        @if !missing.is_empty() {
            (table("What this run cannot tell, and why", &columns, 1, rows))
            (more(missing.len(), ROWS, "of these", "accounting.unavailable"))
        }
    }
}
