//! The one line that says it all.

use super::units::{count, duration_ns, rate, share};
use crate::{
    collect::snapshot::Interruption,
    profile::{
        exactness::LEDGER_FULL,
        model::{PhaseTime, Profile},
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
    match ledger.by_cause.first() {
        Some(first) => format!(
            "{text}; {} {} ({}){full}",
            share(first.count, ledger.total),
            words(&first.cause),
            first.detail
        ),
        None => text + full,
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

/// Phases whose length nobody knows, and why.
#[must_use]
pub fn untimed(profile: &Profile) -> Vec<String> {
    let untimed = |phase: &PhaseTime| {
        let reason = phase.untimed.filter(|_| phase.duration_ns.is_none())?;
        Some(format!(
            "`{}` lasted an unknown time, since {}",
            phase.name,
            reason.why()
        ))
    };
    let phases = profile.window.phases.iter();
    phases.filter_map(untimed).collect()
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
