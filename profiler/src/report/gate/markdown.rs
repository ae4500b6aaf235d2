//! The result of a check as Markdown.

use std::io::{self, Write};

use super::words::{bound, groups, headline, judged};
use crate::gate::{
    judged::Outcome,
    verdict::{Against, Verdict},
};

/// Writes the result.
///
/// # Errors
/// Whatever the output reports.
pub(super) fn write(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "### {}\n", escaped(&headline(verdict)))?;
    let is_baseline = verdict.against == Against::Baseline;
    let mut hidden = 0_u64;
    writeln!(out, "| result | limit | counted | allowed |")?;
    writeln!(out, "| --- | --- | ---: | ---: |")?;
    for finding in &verdict.findings {
        if is_baseline && finding.outcome == Outcome::Pass {
            hidden += 1;
            continue;
        }
        let new = if finding.is_new { " (new)" } else { "" };
        let result = match finding.outcome {
            Outcome::Pass => "pass".to_owned(),
            outcome @ (Outcome::Warning | Outcome::Inconclusive | Outcome::Breach) => {
                format!("**{}**", outcome.name())
            }
        };
        writeln!(
            out,
            "| {result} | {}{new} | {} | {} |",
            escaped(&finding.name),
            escaped(&judged(finding)),
            escaped(&bound(finding))
        )?;
    }
    if hidden != 0 {
        writeln!(out, "\n{hidden} rows are not above the baseline.")?;
    }
    for group in groups(&verdict.findings) {
        writeln!(out, "\n**{}**\n", escaped(&group.title))?;
        for line in &group.lines {
            writeln!(out, "- {}", escaped(line))?;
        }
    }
    if !verdict.notes.is_empty() {
        writeln!(out, "\n**notes**\n")?;
    }
    for note in &verdict.notes {
        writeln!(out, "- {}", escaped(note))?;
    }
    Ok(())
}

/// Text that Markdown must not take for anything else. A line stays one line.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '|' | '[' | ']' | '#' | '~' | '@' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of threads and functions stay text, whatever is in them.
    #[test]
    fn nothing_is_markup() {
        let hostile = "a|b\n<img src=x> [x](y) `c` **d** @everybody";
        let safe = escaped(hostile);
        assert_eq!(
            safe,
            "a\\|b &lt;img src=x&gt; \\[x\\](y) \\`c\\` \\*\\*d\\*\\* \\@everybody"
        );
    }
}
