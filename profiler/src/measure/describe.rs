//! What was measured and how it ended, as the snapshot says it.

use nix::unistd::Pid;

use super::plan::Subject;
use crate::{
    document::run::{Ending, Interruption, Prefaulted, Target},
    launch::inject::tracer::Report,
    launch::supervise::{Outcome, Reason},
    sys::Ended,
};

/// The target.
pub(super) fn target(subject: &Subject, pid: Option<Pid>) -> Target {
    let pid = pid.map(|pid| pid.as_raw().unsigned_abs());
    match subject {
        Subject::Command(command) => Target {
            command: command
                .arguments
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
            pid,
            cpus: command.cpus.clone(),
            user: command.user.as_ref().map(|user| user.name.clone()),
        },
        Subject::Process(_) => Target {
            pid,
            ..Target::default()
        },
        Subject::Cpus(cpus) => Target {
            cpus: Some(cpus.clone()),
            ..Target::default()
        },
    }
}

/// The ending.
pub(super) fn ending(outcome: &Outcome) -> Ending {
    let (code, signal) = match outcome.ended {
        Some((Ended::Exited(code), _)) => (Some(code), None),
        Some((Ended::Killed(signal), _)) => (None, Some(signal)),
        None => (None, None),
    };
    Ending {
        code,
        signal,
        interrupted_by: match outcome.reason {
            Reason::TargetEnded => None,
            Reason::Duration => Some(Interruption::Duration.into()),
            Reason::Signal(signal) => Some(Interruption::Signal(signal).into()),
        },
        left_running: outcome.left_running,
    }
}

/// What became of locking the command's memory.
pub(super) fn prefault(report: Report) -> Prefaulted {
    Prefaulted {
        locked: report.locked,
        changed: report.changed.into_iter().collect(),
        refused: report.refused,
        refused_children: report.refused_children,
        out_of_memory: report.out_of_memory,
    }
}
