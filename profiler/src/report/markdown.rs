//! A profile as GitHub-flavoured Markdown, for issues and job summaries.

use std::io::{self, Write};

use super::{
    code::place,
    io as io_report,
    markdown_text::{self as md, bullet, code, table},
    memory::name as mapping_name,
    text::own_words,
    units::{self, count, rate, share},
    verdict,
};
use crate::profile::model::{CheckVerdict, Profile};

/// Rows of a table: a comment on GitHub holds 65,536 characters.
const ROWS: usize = 40;

/// Writes a profile.
///
/// # Errors
/// Whatever the output reports.
pub fn write(profile: &Profile, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "### Kernel entries: {}\n", subject(profile))?;
    writeln!(out, "**{}**", md::text(&verdict::line(profile)))?;
    if let Some(target) = profile.io.as_ref().and_then(io_report::target) {
        writeln!(out, "\n{}", md::text(&target))?;
    }
    if let Some(ending) = verdict::ending(profile) {
        writeln!(out, "\n{}", md::text(&ending))?;
    }
    for reason in &profile.accounting.inexact {
        writeln!(out, "\n**NOT EXACT: {}**", md::text(reason))?;
    }
    by_cause(profile, out)?;
    by_code(profile, out)?;
    memory(profile, out)?;
    advice(profile, out)?;
    accounting(profile, out)
}

fn subject(profile: &Profile) -> String {
    let target = &profile.target;
    match (&target.command[..], target.pid, &target.cpus) {
        ([], Some(pid), _) => format!("process {pid}"),
        ([], None, Some(cpus)) => format!("CPUs {}", crate::cpu_list::format(cpus)),
        (command, ..) => code(&units::shortened(&command.join(" "))),
    }
}

fn heading(text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n#### {text}\n")
}

/// Says how much of a table is not shown.
fn more(rows: usize, out: &mut dyn Write) -> io::Result<()> {
    if rows <= ROWS {
        return Ok(());
    }
    let left = count((rows - ROWS) as u64);
    writeln!(out, "\nand {left} more rows: `--format csv` has them all")
}

fn by_cause(profile: &Profile, out: &mut dyn Write) -> io::Result<()> {
    let ledger = &profile.ledger;
    if ledger.by_cause.is_empty() {
        return Ok(());
    }
    heading("By cause", out)?;
    let phases: Vec<&str> = profile
        .window
        .phases
        .iter()
        .map(|phase| phase.name.as_str())
        .collect();
    let columns = ["cause", "detail", "count", "share", "per s"];
    let columns: Vec<&str> = columns.into_iter().chain(phases.iter().copied()).collect();
    let rows = ledger.by_cause.iter().take(ROWS).map(|row| {
        let mut cells = vec![
            md::text(&row.cause),
            code(&row.detail),
            count(row.count),
            share(row.count, ledger.total),
            md::text(&rate(row.per_second)),
        ];
        cells.extend(
            phases
                .iter()
                .map(|phase| count(row.phases.get(*phase).copied().unwrap_or(0))),
        );
        cells
    });
    table(&columns, 2, rows, out)?;
    more(ledger.by_cause.len(), out)
}

fn by_code(profile: &Profile, out: &mut dyn Write) -> io::Result<()> {
    let rows = &profile.ledger.by_code;
    if rows.is_empty() {
        return Ok(());
    }
    heading("By code", out)?;
    let columns = ["cause", "detail", "process", "code", "count"];
    let cells = rows.iter().take(ROWS).map(|row| {
        vec![
            md::text(&row.cause),
            code(&row.detail),
            row.tgid.to_string(),
            code(&place(row, None)),
            count(row.count),
        ]
    });
    table(&columns, 4, cells, out)?;
    more(rows.len(), out)
}

fn memory(profile: &Profile, out: &mut dyn Write) -> io::Result<()> {
    let rows = &profile.memory.by_mapping;
    if rows.is_empty() {
        return Ok(());
    }
    heading("Memory", out)?;
    let columns = [
        "mapping", "made by", "process", "mostly", "faults", "pages", "per page",
    ];
    let cells = rows.iter().take(ROWS).map(|row| {
        let mostly = row.by_kind.iter().max_by_key(|(_, faults)| **faults);
        let bound = if row.pages_are_lower_bound {
            "≥ "
        } else {
            ""
        };
        vec![
            code(&mapping_name(row)),
            row.allocated_at.as_deref().map_or_else(String::new, code),
            row.tgid.to_string(),
            mostly.map_or_else(String::new, |(kind, _)| code(kind)),
            count(row.faults),
            format!("{bound}{}", count(row.distinct_pages)),
            row.faults_per_page.map_or_else(|| "-".to_owned(), rate),
        ]
    });
    table(&columns, 4, cells, out)?;
    more(rows.len(), out)
}

fn advice(profile: &Profile, out: &mut dyn Write) -> io::Result<()> {
    if profile.advice.is_empty() {
        return Ok(());
    }
    heading("Advice", out)?;
    for (number, piece) in (1..).zip(&profile.advice) {
        writeln!(out, "{number}. **{}**", md::text(&piece.finding))?;
        for (label, text) in [
            ("evidence", &piece.evidence),
            ("what to do", &piece.fix),
            ("would save", &piece.expected_saving),
        ] {
            writeln!(out, "   - {label}: {}", md::text(text))?;
        }
    }
    Ok(())
}

fn accounting(profile: &Profile, out: &mut dyn Write) -> io::Result<()> {
    let accounting = &profile.accounting;
    heading("Accounting", out)?;
    let missed: u64 = accounting.misses.iter().filter_map(|miss| miss.count).sum();
    let lost: u64 = accounting.lost().map(|(_, lost)| lost).sum();
    bullet("backend", &profile.backend.name, out)?;
    bullet("kernel", &profile.host.kernel, out)?;
    bullet("missed by the probes", &count(missed), out)?;
    bullet("could not be kept", &count(lost), out)?;
    for (reason, n) in accounting.lost() {
        bullet(
            "could not be kept",
            &super::text::loss_words(reason, n),
            out,
        )?;
    }
    bullet("unclassified", &count(accounting.unclassified), out)?;
    if let Some(audit) = &accounting.audit {
        let text = format!(
            "{} returns, {} entries, difference {}",
            count(audit.exits),
            count(audit.entries),
            audit.difference
        );
        bullet("audit", &text, out)?;
    }
    for check in &accounting.cross_checks {
        let verdict = match check.verdict {
            CheckVerdict::Consistent => "consistent",
            CheckVerdict::NotContradicted => "not contradicted: an upper bound",
            CheckVerdict::Inconsistent => "INCONSISTENT: one of the two is wrong",
            CheckVerdict::Informative => "for comparison only",
        };
        let text = format!(
            "{}: {}, and {} by {}: {verdict}",
            check.what,
            count(check.ours),
            count(check.theirs),
            check.source
        );
        bullet("cross-check", &text, out)?;
    }
    let text = own_words(&accounting.own);
    bullet("modeswitch itself", &text, out)?;
    for missing in &accounting.unavailable {
        let text = format!("{}: {}", missing.gap, missing.reason);
        bullet("unavailable", &text, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{nasty, random_names};

    /// Whatever the names: a table's rows have as many cells as its heading, no
    /// HTML gets through outside code, and no name begins a line.
    #[test]
    fn names_stay_in_their_cells() {
        for name in random_names(200) {
            let mut text = Vec::new();
            write(&nasty(&name, true), &mut text).expect("written to memory");
            let text = String::from_utf8(text).expect("UTF-8");
            let mut width = None;
            for line in text.split('\n') {
                assert!(!line.contains('\r'), "{line:?}");
                let first = line.chars().next();
                let expected = "#*|-N1 ";
                assert!(first.is_none_or(|c| expected.contains(c)), "{line:?}");
                if first != Some('|') {
                    width = None;
                    continue;
                }
                let bars = line.matches('|').count() - line.matches("\\|").count();
                assert_eq!(*width.get_or_insert(bars), bars, "{line:?} of {name:?}");
            }
        }
    }
}
