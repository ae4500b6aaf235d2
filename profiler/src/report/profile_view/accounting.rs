//! What could be done, and what stands behind the counts.

use profiler_common::loss::Loss;

use crate::{
    document::run::Own,
    profile::model::{Accounting, Audit, CheckVerdict, CrossCheck, Profile},
    report::{
        timeline,
        units::{self, count, duration_ns},
        view::{Block, Cell, Fact, Kind, List, Points, Scope, Section, Table, Tone, column},
    },
};

/// What could be done, if anything.
pub(super) fn advice(profile: &Profile) -> Option<Section> {
    let advice = &profile.advice;
    advice.first()?;
    let points = advice.iter().map(|piece| {
        let facts = vec![
            Fact::new("evidence", &piece.evidence),
            Fact::new("what to do", &piece.fix),
            Fact::new("would save", &piece.expected_saving),
        ];
        (piece.finding.clone(), facts)
    });
    let points = Points {
        list: List {
            what: "pieces of advice",
            field: "advice",
            usual: 6,
        },
        points: points.collect(),
    };
    Some(Section::new(
        "advice",
        "Advice",
        vec![Block::Points(points)],
    ))
}

/// What stands behind the counts.
pub(super) fn section(profile: &Profile) -> Section {
    let accounting = &profile.accounting;
    let mut blocks = Vec::new();
    if accounting.inexact.is_empty() {
        let text = "The counts are exact: no event is known to have been missed.";
        blocks.push(Block::full_prose(Tone::Good, text));
    }
    let mut facts = counted(profile);
    let checks = accounting.cross_checks.iter();
    facts.extend(checks.flat_map(|check| {
        let note = format!("the other one: {}", check.note);
        let note = (!check.note.is_empty()).then(|| Fact::full("", note));
        [Some(Fact::new("cross-check", words(check))), note]
            .into_iter()
            .flatten()
    }));
    facts.push(Fact::new("modeswitch itself", own(&accounting.own)));
    facts.extend(usage(accounting));
    if let Some(found) = &profile.timeline {
        facts.push(Fact::new("over time", timeline::words(found)));
    }
    facts.extend(accounting.unavailable.iter().map(|missing| {
        Fact::new(
            "unavailable",
            format!("{}: {}", missing.gap, missing.reason),
        )
    }));
    blocks.push(Block::Facts(facts));
    blocks.extend(accounting.audit.as_ref().and_then(one_sided));
    Section::new("accounting", "Accounting", blocks)
}

/// What was missed by the probes, and what could not be kept.
#[must_use]
pub(crate) fn sums(accounting: &Accounting) -> (u64, u64) {
    let missed = accounting.misses.iter().filter_map(|miss| miss.count).sum();
    let lost = accounting.lost().map(|(_, lost)| lost).sum();
    (missed, lost)
}

/// What was counted, and by what.
fn counted(profile: &Profile) -> Vec<Fact> {
    let (accounting, backend) = (&profile.accounting, &profile.backend);
    let (missed, lost) = sums(accounting);
    let mut facts = vec![
        Fact::new("backend", format!("{} ({})", backend.name, backend.reason)),
        Fact::new("kernel", &profile.host.kernel),
        Fact::new("missed by the probes", count(missed)),
    ];
    for miss in &accounting.misses {
        match miss.count {
            Some(0) => {}
            Some(n) => facts.push(Fact::new("", format!("{} by {}", count(n), miss.program))),
            None => {
                let text = format!("unknown by {}: this kernel does not tell", miss.program);
                facts.push(Fact::full("", text));
            }
        }
    }
    facts.push(Fact::new("could not be kept", count(lost)));
    let lost = accounting.lost();
    facts.extend(lost.map(|(reason, lost)| Fact::new("", loss(reason, lost))));
    facts.extend([
        Fact::full("counted without detail", count(accounting.map_full)),
        Fact::full("stacks lost", count(accounting.stacks_lost)),
        Fact::new("unclassified", count(accounting.unclassified)),
    ]);
    if let Some(audit) = &accounting.audit {
        let text = format!(
            "{} returns, {} entries, difference {}",
            count(audit.exits),
            count(audit.entries),
            audit.difference
        );
        facts.push(Fact::new("audit", text));
    }
    facts
}

fn usage(accounting: &Accounting) -> Option<Fact> {
    let usage = accounting.usage.as_ref()?;
    let text = format!(
        "{} in user mode, {} in the kernel; {} minor and {} major page faults; gave up the CPU {} times, lost it {} times",
        duration_ns(usage.user_ns),
        duration_ns(usage.system_ns),
        count(usage.minor_faults),
        count(usage.major_faults),
        count(usage.voluntary_switches),
        count(usage.involuntary_switches)
    );
    Some(Fact::full("the command, by getrusage", text))
}

/// The profiler's own part in words.
fn own(own: &Own) -> String {
    let apart = if own.apart {
        "apart from the target"
    } else {
        "not kept apart from the target"
    };
    let during = units::duration_ns(own.cpu_ns);
    let plural = if own.cpus.len() == 1 { "CPU" } else { "CPUs" };
    let cpus = crate::cpu_list::format(&own.cpus);
    let words = format!("{during} of CPU time on {plural} {cpus}, {apart}");
    if own.all_cpu_ns == 0 {
        return words;
    }
    let all = units::duration_ns(own.all_cpu_ns);
    format!("{words}; {all} with all that came before and after")
}

/// What could not be kept in words: of stacks, whose.
fn loss(reason: &str, lost: u64) -> String {
    let whose = match Loss::from_name(reason) {
        Some(Loss::StackLost) => " (kernel stacks of entries)",
        Some(Loss::UserStackLost) => " (user stacks of entries)",
        Some(Loss::SenderStackLost) => " (stacks of who sent interrupts)",
        _ => "",
    };
    format!("{} {reason}{whose}", count(lost))
}

/// A cross-check in words.
fn words(check: &CrossCheck) -> String {
    let verdict = match check.verdict {
        CheckVerdict::Consistent => "consistent",
        CheckVerdict::NotContradicted => "not contradicted, since that is an upper bound",
        CheckVerdict::Inconsistent => "INCONSISTENT: one of the two is wrong",
        CheckVerdict::Informative => "for comparison only, since it counts other things too",
    };
    format!(
        "{}: {}, and {} by {}: {verdict}",
        check.what,
        count(check.ours),
        count(check.theirs),
        check.source,
    )
}

/// What only one family of probes can see.
fn one_sided(audit: &Audit) -> Option<Block> {
    audit.one_sided.first()?;
    let rows = audit.one_sided.iter().map(|row| {
        let cells = [
            row.cause.to_string(),
            row.detail.clone(),
            count(row.count),
            row.reason.clone(),
        ];
        cells.map(Cell::from).to_vec()
    });
    Some(Block::Table(Table {
        caption: "Not in the audit's numbers".to_owned(),
        list: List {
            what: "rows",
            field: "accounting.audit.one_sided",
            usual: 12,
        },
        columns: vec![
            column("seen by one family only", Kind::Text),
            column("detail", Kind::Name),
            column("count", Kind::Number),
            column("why", Kind::Text),
        ],
        heads: 2,
        rows: rows.collect(),
        scope: Scope::Full,
    }))
}
