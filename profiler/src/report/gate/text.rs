//! The result of a check as text.

use std::io::{self, Write};

use super::words::{bound, groups, headline, judged};
use crate::{
    gate::{
        judged::Outcome,
        verdict::{Against, Finding, Verdict},
    },
    report::{
        style::{ALARM, FAINT, Look, STRONG},
        table,
        units::{amount, duration_ns},
    },
};

/// Writes the result.
///
/// # Errors
/// Whatever the output reports.
pub(super) fn write(verdict: &Verdict, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let style = match verdict.outcome {
        Outcome::Breach | Outcome::Inconclusive => ALARM,
        Outcome::Pass | Outcome::Warning => STRONG,
    };
    writeln!(out, "{style}{}{style:#}\n", headline(verdict))?;
    let is_baseline = verdict.against == Against::Baseline;
    let shown = |finding: &&Finding| !is_baseline || finding.outcome != Outcome::Pass;
    let findings: Vec<&Finding> = verdict.findings.iter().filter(shown).collect();
    let columns = if is_baseline {
        ["result", "row", "counted", "allowed", "baseline"]
            .map(str::to_owned)
            .to_vec()
    } else {
        ["result", "limit", "counted", "allowed"]
            .map(str::to_owned)
            .to_vec()
    };
    let rows = findings.iter().map(|finding| row(finding, is_baseline));
    if !findings.is_empty() {
        write!(out, "{}", table::render(&columns, rows, 2, look))?;
    }
    let hidden = verdict.findings.len() - findings.len();
    if hidden != 0 {
        writeln!(
            out,
            "{FAINT}{hidden} rows are not above the baseline{FAINT:#}"
        )?;
    }
    for group in groups(&verdict.findings) {
        writeln!(out, "\n{STRONG}{}{STRONG:#}", group.title)?;
        for line in group.lines {
            writeln!(out, "  {line}")?;
        }
    }
    writeln!(out)?;
    for (side, runs) in [("", &verdict.runs), ("baseline ", &verdict.baseline)] {
        for run in runs {
            writeln!(
                out,
                "{FAINT}{side}{}: {} entries in {}, {} on {}{FAINT:#}",
                run.name,
                crate::report::units::count(run.total),
                duration_ns(run.duration_ns),
                run.backend.name,
                run.kernel
            )?;
        }
    }
    for note in &verdict.notes {
        writeln!(out, "{FAINT}note: {note}{FAINT:#}")?;
    }
    Ok(())
}

fn row(finding: &Finding, is_baseline: bool) -> Vec<String> {
    let new = if finding.is_new { " (new)" } else { "" };
    let mut cells = vec![
        finding.outcome.name().to_owned(),
        format!("{}{new}", finding.name),
        judged(finding),
        bound(finding),
    ];
    if is_baseline {
        cells.push(range(&finding.baseline));
    }
    cells
}

/// The smallest and the largest of several runs.
fn range(values: &[Option<f64>]) -> String {
    let known = || values.iter().flatten().copied();
    let least = known().fold(f64::INFINITY, f64::min);
    let most = known().fold(f64::NEG_INFINITY, f64::max);
    if least > most {
        "-".to_owned()
    } else if least < most {
        format!("{} to {}", amount(least), amount(most))
    } else {
        amount(most)
    }
}
