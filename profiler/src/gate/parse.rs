//! From a budget's text to the budget.

use std::ops::Range;

use profiler_common::{
    cause::CauseKind,
    phase::{SETUP, STEADY, TEARDOWN, UNMARKED, fixed_name},
};
use serde::Deserialize;
use serde_spanned::Spanned;

use super::{
    budget::{Bound, Budget, Limit, Per},
    diagnostic::Diagnostic,
    names,
};
use crate::profile::selection::{Pattern, PhaseName, Selection};

/// Bytes that the kernel keeps of a thread's name.
const COMM_BYTES: usize = 15;

/// A budget with the lines that its limits begin at, from 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The budget.
    pub budget: Budget,
    /// Where each limit is.
    pub lines: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBudget {
    #[serde(default)]
    phases: Vec<Spanned<String>>,
    #[serde(default)]
    limit: Vec<Spanned<RawLimit>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimit {
    name: Option<String>,
    cause: RawCause,
    detail: Option<Spanned<String>>,
    phase: Option<Spanned<String>>,
    thread: Option<Spanned<String>>,
    per: Option<Spanned<Per>>,
    hard: Option<Bound>,
    soft: Option<Spanned<Bound>>,
}

/// The causes by their names in documents, and all of them together.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawCause {
    Total,
    Syscall,
    PageFault,
    Interrupt,
    Nmi,
    Exception,
    NewTask,
    Unclassified,
}

impl RawCause {
    const fn kind(self) -> Option<CauseKind> {
        match self {
            Self::Total => None,
            Self::Syscall => Some(CauseKind::Syscall),
            Self::PageFault => Some(CauseKind::PageFault),
            Self::Interrupt => Some(CauseKind::Interrupt),
            Self::Nmi => Some(CauseKind::Nmi),
            Self::Exception => Some(CauseKind::Exception),
            Self::NewTask => Some(CauseKind::NewTask),
            Self::Unclassified => Some(CauseKind::Unclassified),
        }
    }
}

/// Reads a budget.
///
/// # Errors
/// What is wrong, and where.
pub fn parse(text: &str) -> Result<Parsed, Diagnostic> {
    let raw: RawBudget = toml_edit::de::from_str(text).map_err(|error| said(text, &error))?;
    if raw.limit.is_empty() {
        return Err(Diagnostic::new(
            text,
            0..0,
            "there is no limit in it, so anything would pass: write `[[limit]]`, a `cause` and \
             `hard`"
                .to_owned(),
        ));
    }
    let phases: Vec<PhaseName> = raw
        .phases
        .iter()
        .map(|name| own_phase(text, name))
        .collect::<Result<_, _>>()?;
    let lines = raw.limit.iter().map(|limit| line(text, limit.span()));
    Ok(Parsed {
        lines: lines.collect(),
        budget: Budget {
            limits: raw
                .limit
                .into_iter()
                .map(|limit| understood(text, limit, &phases))
                .collect::<Result<_, _>>()?,
            phases,
        },
    })
}

fn line(text: &str, span: Range<usize>) -> usize {
    Diagnostic::new(text, span, String::new()).line
}

/// What the parser has to say, with what may have been meant.
fn said(text: &str, error: &toml_edit::de::Error) -> Diagnostic {
    let message = error.message().trim_end().to_owned();
    let span = error.span().unwrap_or(0..0);
    // "unknown field `x`, expected one of `a`, `b`": what is known is quoted.
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let diagnostic = Diagnostic::new(text, span, message.clone());
    match (&quoted[..], message.starts_with("unknown ")) {
        ([word, known @ ..], true) => diagnostic.meant(word, known.iter().copied()),
        _ => diagnostic,
    }
}

fn wrong<T>(text: &str, part: &Spanned<T>, message: String) -> Diagnostic {
    Diagnostic::new(text, part.span(), message)
}

/// The phases that every program has.
fn fixed_phases() -> impl Iterator<Item = &'static str> {
    [UNMARKED, SETUP, STEADY, TEARDOWN]
        .into_iter()
        .filter_map(fixed_name)
}

fn own_phase(text: &str, name: &Spanned<String>) -> Result<PhaseName, Diagnostic> {
    let word = name.get_ref();
    if fixed_phases().any(|fixed| fixed == word) {
        let message = format!("`{word}` is every program's: list only phases of your own");
        return Err(wrong(text, name, message));
    }
    Ok(PhaseName(word.clone()))
}

fn understood(
    text: &str,
    raw: Spanned<RawLimit>,
    phases: &[PhaseName],
) -> Result<Limit, Diagnostic> {
    let whole = raw.span();
    let raw = raw.into_inner();
    let cause = raw.cause.kind();
    if let Some(detail) = &raw.detail {
        check_detail(text, cause, detail)?;
    }
    if let Some(phase) = &raw.phase {
        check_phase(text, phase, phases)?;
    }
    if let Some(thread) = &raw.thread {
        check_thread(text, thread)?;
    }
    if let Some(per) = &raw.per {
        check_unit(text, per, raw.phase.as_ref().map(Spanned::get_ref))?;
    }
    let soft = raw.soft.as_ref().map(|soft| *soft.get_ref());
    match (raw.hard, &raw.soft) {
        (None, None) => {
            let message = "this limit has no number: write `hard = …`, `soft = …` or both";
            return Err(Diagnostic::new(text, whole, message.to_owned()));
        }
        (Some(hard), Some(soft)) if *soft.get_ref() > hard => {
            let message = "`soft` is above `hard`, so it could never warn: exchange them";
            return Err(wrong(text, soft, message.to_owned()));
        }
        (Some(_), _) | (None, Some(_)) => {}
    }
    let pattern = |part: Spanned<String>| Pattern(part.into_inner());
    Ok(Limit {
        name: raw.name,
        selection: Selection {
            cause,
            detail: raw.detail.map(pattern),
            phase: raw.phase.map(|phase| PhaseName(phase.into_inner())),
            thread: raw.thread.map(pattern),
        },
        per: raw.per.map(Spanned::into_inner).unwrap_or_default(),
        hard: raw.hard,
        soft,
    })
}

fn check_detail(
    text: &str,
    cause: Option<CauseKind>,
    detail: &Spanned<String>,
) -> Result<(), Diagnostic> {
    let Some(kind) = cause else {
        let message = "a detail is one of a cause: write that cause instead of `total`";
        return Err(wrong(text, detail, message.to_owned()));
    };
    names::check(kind, &Pattern(detail.get_ref().clone())).map_err(|unknown| Diagnostic {
        suggestion: unknown.meant,
        ..wrong(text, detail, unknown.message)
    })
}

fn check_phase(text: &str, phase: &Spanned<String>, own: &[PhaseName]) -> Result<(), Diagnostic> {
    let word = phase.get_ref();
    let mut known: Vec<&str> = own.iter().map(|PhaseName(name)| name.as_str()).collect();
    for fixed in fixed_phases() {
        known.push(fixed);
    }
    if known.contains(&word.as_str()) {
        return Ok(());
    }
    let message = format!(
        "unknown phase `{word}`: known are {}; if it is one of the program's own, add it at the \
         top: phases = [{}]",
        known.join(", "),
        super::write::quoted(word)
    );
    Err(wrong(text, phase, message).meant(word, known))
}

fn check_thread(text: &str, thread: &Spanned<String>) -> Result<(), Diagnostic> {
    let pattern = thread.get_ref();
    let least = pattern.replace('*', "").len();
    if least <= COMM_BYTES {
        return Ok(());
    }
    let cut: String = pattern.chars().take(COMM_BYTES - 1).collect();
    let message = format!(
        "no thread has so long a name: the kernel keeps {COMM_BYTES} bytes of it; write `{cut}*`"
    );
    Err(wrong(text, thread, message))
}

fn check_unit(text: &str, per: &Spanned<Per>, phase: Option<&String>) -> Result<(), Diagnostic> {
    let steady = fixed_name(STEADY);
    let fits = phase.is_none_or(|phase| Some(phase.as_str()) == steady);
    if *per.get_ref() != Per::MillionIos || fits {
        return Ok(());
    }
    let message = "programs count their I/Os in steady state only: write `phase = \"steady\"`, or \
                   no phase";
    Err(wrong(text, per, message.to_owned()))
}
