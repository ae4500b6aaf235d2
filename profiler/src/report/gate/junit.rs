//! The result of a check as `JUnit` XML.
//!
//! A test case for each limit. A breach is a `failure`. What cannot be judged is
//! an `error`: the check did not find out, and a CI system must not count that
//! among the successes, as many do with `skipped`. A soft limit's warning is a
//! success with its text in `system-out`.

use std::io::{self, Write};

use super::words::{evidence, headline, sentence};
use crate::gate::{
    judged::Outcome,
    verdict::{Finding, Verdict},
};

/// Writes the result.
///
/// # Errors
/// Whatever the output reports.
pub(crate) fn write(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let number = |outcome| {
        let findings = verdict.findings.iter();
        findings.filter(|found| found.outcome == outcome).count()
    };
    let counts = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\"",
        verdict.findings.len(),
        number(Outcome::Breach),
        number(Outcome::Inconclusive)
    );
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"modeswitch check\" {counts}>")?;
    writeln!(out, "  <testsuite name=\"modeswitch check\" {counts}>")?;
    for finding in &verdict.findings {
        case(finding, out)?;
    }
    let mut text = headline(verdict);
    for note in &verdict.notes {
        text += "\nnote: ";
        text += note;
    }
    writeln!(out, "    <system-out>{}</system-out>", escaped(&text))?;
    writeln!(out, "  </testsuite>\n</testsuites>")
}

fn case(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let name = escaped(&finding.name);
    write!(
        out,
        "    <testcase classname=\"modeswitch.check\" name=\"{name}\""
    )?;
    let said = sentence(finding);
    let mut lines = vec![said.clone()];
    lines.extend(evidence(finding));
    let (said, text) = (escaped(&said), escaped(&lines.join("\n")));
    match finding.outcome {
        Outcome::Pass => writeln!(out, "/>"),
        Outcome::Warning => {
            writeln!(
                out,
                ">\n      <system-out>{text}</system-out>\n    </testcase>"
            )
        }
        Outcome::Breach => writeln!(
            out,
            ">\n      <failure type=\"breach\" message=\"{said}\">{text}</failure>\n    </testcase>"
        ),
        Outcome::Inconclusive => writeln!(
            out,
            ">\n      <error type=\"inconclusive\" message=\"{said}\">{text}</error>\n    </testcase>"
        ),
    }
}

/// Text as XML has it, in elements and in attributes. Characters that XML 1.0
/// has no place for, even escaped, are replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\n' | '\t' => escaped.push(letter),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            control if control < ' ' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread may call itself anything at all.
    #[test]
    fn nothing_is_markup() {
        assert_eq!(
            escaped("<a b=\"c\">&'\u{1}\u{ffff}\r]]>"),
            "&lt;a b=&quot;c&quot;&gt;&amp;&apos;\u{fffd}\u{fffd}\u{fffd}]]&gt;"
        );
    }
}
