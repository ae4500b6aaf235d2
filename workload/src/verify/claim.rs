//! Claims and what became of them.

use std::io::{self, Write};

use serde::Serialize;

use crate::cli::Format;

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Yes,
    No,
    CannotBeShownHere,
}

impl Verdict {
    fn words(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::CannotBeShownHere => "cannot be shown here",
        }
    }
}

/// One claim, with the evidence for its verdict or the reason for having none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Claim {
    #[serde(rename = "claim")]
    pub(super) text: String,
    pub(super) verdict: Verdict,
    pub(super) evidence: String,
}

impl Claim {
    /// A claim that was looked into.
    pub(super) fn found(text: impl Into<String>, holds: bool, evidence: String) -> Self {
        Self {
            text: text.into(),
            verdict: if holds { Verdict::Yes } else { Verdict::No },
            evidence,
        }
    }

    /// A claim into which nobody can look here.
    pub(super) fn unknown(text: impl Into<String>, reason: String) -> Self {
        Self {
            text: text.into(),
            verdict: Verdict::CannotBeShownHere,
            evidence: reason,
        }
    }
}

/// Whether no claim was found to be false.
pub(super) fn none_is_false(claims: &[Claim]) -> bool {
    claims.iter().all(|claim| claim.verdict != Verdict::No)
}

/// Writes the claims for people, or as one JSON document.
pub(super) fn write(claims: &[Claim], format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => {
            for claim in claims {
                writeln!(out, "{}: {}", claim.text, claim.verdict.words())?;
                writeln!(out, "    {}", claim.evidence)?;
            }
        }
        Format::Json => {
            #[derive(Serialize)]
            struct Document<'a> {
                all_shown: bool,
                claims: &'a [Claim],
            }
            let document = Document {
                all_shown: none_is_false(claims),
                claims,
            };
            serde_json::to_writer_pretty(&mut *out, &document)?;
            writeln!(out)?;
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_no_counts_against_the_whole() {
        let yes = Claim::found("a", true, String::new());
        let unknown = Claim::unknown("b", "needs root".to_owned());
        let no = Claim::found("c", false, String::new());
        assert!(none_is_false(&[yes.clone(), unknown.clone()]));
        assert!(!none_is_false(&[yes, unknown, no]));
    }
}
