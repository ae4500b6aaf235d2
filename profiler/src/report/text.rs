//! A profile as text.

use std::io::{self, Write};

use profiler_common::loss::Loss;

use super::{
    advice as advice_report, code, disturbance as disturbance_report,
    interruption as interruption_report, io as io_report, memory as memory_report,
    polling as polling_report, prose,
    style::{ALARM, FAINT, Look, STRONG},
    table, timeline as timeline_report,
    units::{self, count, rate, share},
    verdict,
};
use crate::{
    collect::snapshot::Own,
    profile::model::{CheckVerdict, CrossCheck, Profile},
};

/// Causes shown.
const CAUSES: usize = 24;
/// Rows shown of tables that can be long.
const LONGEST: usize = 12;
/// Pieces of advice shown.
const ADVICE: usize = 6;
/// Kernel stacks shown.
const STACKS: usize = 5;

/// Writes a profile for people.
///
/// # Errors
/// Whatever the output reports.
pub fn write(profile: &Profile, look: Look, out: &mut dyn Write) -> io::Result<()> {
    prose::sentence(out, look, STRONG, &verdict::line(profile))?;
    if let Some(target) = profile.io.as_ref().and_then(io_report::target) {
        prose::sentence(out, look, STRONG, &target)?;
    }
    if let Some(ending) = verdict::ending(profile) {
        prose::sentence(out, look, ALARM, &ending)?;
    }
    for reason in &profile.accounting.inexact {
        prose::sentence(out, look, ALARM, &format!("NOT EXACT: {reason}"))?;
    }
    causes(profile, look, out)?;
    threads(profile, look, out)?;
    code::write(profile, look, out)?;
    memory_report::write(profile, look, out)?;
    interruption(profile, look, out)?;
    code::stacks(profile, look, out)?;
    stacks(profile, look, out)?;
    if let Some(io) = &profile.io {
        heading("I/O", out)?;
        io_report::write(io, look, out)?;
    }
    if let Some(polling) = &profile.polling {
        heading("Polling", out)?;
        polling_report::write(polling, look, out)?;
    }
    if !profile.advice.is_empty() {
        heading("Advice", out)?;
        let most = look.rows(ADVICE);
        advice_report::write(&profile.advice, most, look, out)?;
        more(profile.advice.len(), most, "pieces of advice", out)?;
    }
    accounting(profile, look, out)
}

/// What interrupts were for, who sent them, and what else the CPUs did.
fn interruption(profile: &Profile, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let most = look.rows(LONGEST);
    if interruption_report::has_purposes(profile) {
        heading("What interrupts were for", out)?;
        interruption_report::purposes(profile, look, out)?;
    }
    if let Some(senders) = profile.senders.as_ref().filter(|rows| !rows.is_empty()) {
        heading("Who sent interrupts", out)?;
        let length = interruption_report::senders(profile, senders, most, look, out)?;
        more(length, most, "senders", out)?;
    }
    if let Some(rows) = profile.disturbance.as_ref().filter(|rows| !rows.is_empty()) {
        heading("Disturbance", out)?;
        disturbance_report::write(rows, most, look, out)?;
        more(rows.len(), most, "disturbers", out)?;
    }
    Ok(())
}

pub(super) fn heading(text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{STRONG}{text}{STRONG:#}")
}

/// Names of the phases that occur, in their order in time.
fn phase_names(profile: &Profile) -> Vec<String> {
    profile
        .window
        .phases
        .iter()
        .map(|phase| phase.name.clone())
        .collect()
}

fn causes(profile: &Profile, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let ledger = &profile.ledger;
    if ledger.by_cause.is_empty() {
        return Ok(());
    }
    let phases = phase_names(profile);
    let mut columns: Vec<String> = ["cause", "detail", "count", "share", "per s"]
        .map(str::to_owned)
        .to_vec();
    columns.extend(phases.iter().cloned());
    let rows = ledger.by_cause.iter().take(look.rows(CAUSES)).map(|row| {
        let mut cells = vec![
            row.cause.to_string(),
            row.detail.clone(),
            count(row.count),
            share(row.count, ledger.total),
            rate(row.per_second),
        ];
        cells.extend(phases.iter().map(|phase| {
            row.phases
                .get(phase)
                .map_or_else(|| "0".to_owned(), |&n| count(n))
        }));
        cells
    });
    heading("By cause", out)?;
    write!(out, "{}", table::render(&columns, rows, 2, look))?;
    more(ledger.by_cause.len(), look.rows(CAUSES), "causes", out)
}

fn threads(profile: &Profile, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut threads: Vec<_> = profile.ledger.by_thread.iter().collect();
    if threads.len() < 2 {
        return Ok(());
    }
    threads.sort_by_key(|thread| std::cmp::Reverse(thread.total));
    let columns = ["thread", "of", "name", "most frequent", "count"].map(str::to_owned);
    let rows = threads.iter().take(look.rows(LONGEST)).map(|thread| {
        let first = thread
            .by_cause
            .first()
            .map_or_else(String::new, |row| format!("{} {}", row.cause, row.detail));
        vec![
            thread.tid.to_string(),
            thread.tgid.to_string(),
            thread.comm.clone(),
            first,
            count(thread.total),
        ]
    });
    heading("By thread", out)?;
    write!(out, "{}", table::render(&columns, rows, 4, look))?;
    more(threads.len(), look.rows(LONGEST), "threads", out)
}

/// Says how much of a long table is not shown.
pub(super) fn more(rows: usize, shown: usize, what: &str, out: &mut dyn Write) -> io::Result<()> {
    if rows <= shown {
        return Ok(());
    }
    writeln!(
        out,
        "{FAINT}and {} more {what}: `--format wide` has them all{FAINT:#}",
        count((rows - shown) as u64)
    )
}

fn stacks(profile: &Profile, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let stacks = &profile.ledger.kernel_stacks;
    if stacks.is_empty() {
        return Ok(());
    }
    heading("Kernel stacks", out)?;
    for stack in stacks.iter().take(look.rows(STACKS)) {
        writeln!(
            out,
            "{} × {} {}",
            count(stack.count),
            stack.cause,
            stack.detail
        )?;
        for frame in &stack.frames {
            writeln!(out, "    {frame}")?;
        }
    }
    Ok(())
}

fn accounting(profile: &Profile, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let accounting = &profile.accounting;
    heading("Accounting", out)?;
    let backend = &profile.backend;
    prose::labelled(
        out,
        look,
        "backend",
        &format!("{} ({})", backend.name, backend.reason),
    )?;
    prose::labelled(out, look, "kernel", &profile.host.kernel)?;
    let missed: u64 = accounting.misses.iter().filter_map(|miss| miss.count).sum();
    prose::labelled(out, look, "missed by the probes", &count(missed))?;
    for miss in accounting
        .misses
        .iter()
        .filter(|miss| miss.count.is_some_and(|n| n != 0))
    {
        let events = count(miss.count.unwrap_or(0));
        prose::labelled(out, look, "", &format!("{events} by {}", miss.program))?;
    }
    let losses: u64 = accounting.lost().map(|(_, lost)| lost).sum();
    prose::labelled(out, look, "could not be kept", &count(losses))?;
    for (reason, lost) in accounting.lost() {
        prose::labelled(out, look, "", &loss_words(reason, lost))?;
    }
    prose::labelled(out, look, "unclassified", &count(accounting.unclassified))?;
    if let Some(audit) = &accounting.audit {
        let text = format!(
            "{} returns, {} entries, difference {}",
            count(audit.exits),
            count(audit.entries),
            audit.difference
        );
        prose::labelled(out, look, "audit", &text)?;
    }
    for check in &accounting.cross_checks {
        prose::labelled(out, look, "cross-check", &check_words(check))?;
    }
    let text = own_words(&accounting.own);
    prose::labelled(out, look, "modeswitch itself", &text)?;
    if let Some(timeline) = &profile.timeline {
        prose::labelled(out, look, "over time", &timeline_report::words(timeline))?;
    }
    for missing in &accounting.unavailable {
        prose::labelled(
            out,
            look,
            "unavailable",
            &format!("{}: {}", missing.gap, missing.reason),
        )?;
    }
    Ok(())
}

/// The profiler's own part in words.
pub(super) fn own_words(own: &Own) -> String {
    let place = if own.apart {
        "apart from the target"
    } else {
        "not kept apart from the target"
    };
    let during = units::duration_ns(own.cpu_ns);
    let cpus = crate::cpu_list::format(&own.cpus);
    let words = format!("{during} of CPU time on CPUs {cpus}, {place}");
    if own.all_cpu_ns == 0 {
        return words;
    }
    let all = units::duration_ns(own.all_cpu_ns);
    format!("{words}; {all} with all that came before and after")
}

/// What could not be kept in words: of stacks, whose.
pub(super) fn loss_words(reason: &str, lost: u64) -> String {
    let whose = match Loss::from_name(reason) {
        Some(Loss::StackLost) => " (kernel stacks of entries)",
        Some(Loss::UserStackLost) => " (user stacks of entries)",
        Some(Loss::SenderStackLost) => " (stacks of who sent interrupts)",
        _ => "",
    };
    format!("{} {reason}{whose}", count(lost))
}

/// A cross-check in words. What the other count means is in the document.
pub(super) fn check_words(check: &CrossCheck) -> String {
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
