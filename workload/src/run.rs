//! The table of contents: options to plan, plan to sessions, result to output.

use std::io::{self, Write};

use crate::{
    cli::{Command, Format, WorkloadArgs},
    error::WorkloadError,
    metrics,
    phase::{PhaseMarker, SETUP},
    plan::Plan,
    session::{self, Ended, Phases},
    summary::{IoSummary, write_text},
    sys::{
        affinity::CpuMask,
        process::{StopOnSignal, monotonic_ns},
    },
    target::Target,
    verify,
};

/// How a run that did not fail has ended.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once a run, and nothing is gained by a box"
)]
pub enum Outcome {
    /// The load ran to its end, or to Ctrl-C.
    Finished(IoSummary),
    /// `verify` went through its claims.
    Verified {
        /// No claim was found to be false.
        all_shown: bool,
    },
}

/// Runs what the command line asks for and writes its result to `out`.
///
/// What could not be had and was done without is said on stderr at once, one
/// sentence each, and again in the summary. Phases are marked and the summary
/// is handed over where a profiler asks for it.
///
/// # Errors
///
/// [`WorkloadError::is_usage`] tells whether the options are at fault; any
/// other says what this machine or the device could not do, and what would.
pub fn run(args: &WorkloadArgs, out: &mut dyn Write) -> Result<Outcome, WorkloadError> {
    match &args.command {
        Some(Command::Verify(options)) => {
            let all_shown = verify::run(options.format, out)?;
            Ok(Outcome::Verified { all_shown })
        }
        None => {
            let summary = generate(args)?;
            if let Err(error) = metrics::hand_over(&summary) {
                tell(&format!("the summary could not be handed over: {error}"));
            }
            written(write(&summary, args.format, out))?;
            Ok(Outcome::Finished(summary))
        }
    }
}

fn generate(args: &WorkloadArgs) -> Result<IoSummary, WorkloadError> {
    let phases = Marked(PhaseMarker::from_env());
    phases.enter(SETUP);
    let started_ns = monotonic_ns();
    let allowed = CpuMask::of_this_thread()
        .map_err(WorkloadError::system("cannot tell which CPUs are allowed"))?;
    let plan = Plan::new(args, &allowed.cpus())?;
    let target = Target::open(&plan.source)?;
    let _signals = StopOnSignal::begin().map_err(WorkloadError::system("cannot handle signals"))?;
    attempt(&plan, &target, &phases, started_ns)
}

/// Runs a session as planned, or without polling where polling is not to be
/// had and was not demanded.
fn attempt(
    plan: &Plan,
    target: &Target,
    phases: &dyn Phases,
    started_ns: u64,
) -> Result<IoSummary, WorkloadError> {
    let foreseen = plan.mode.iopoll.then(|| target.unpollable()).flatten();
    // Whoever demands it may poll for what is answered at once.
    let foreseen = foreseen.filter(|_| !plan.polling_demanded || target.device.is_some());
    let reason = match foreseen {
        Some(reason) => reason,
        None => match session::run(plan, target, plan.mode, phases, started_ns) {
            Ok(Ended::Finished(summary)) => return Ok(told(*summary)),
            Ok(Ended::CannotPoll) => {
                "the first completion said that this cannot be polled (EOPNOTSUPP)".to_owned()
            }
            Err(WorkloadError::RingRefused { source, .. })
                if plan.mode.iopoll && !plan.polling_demanded =>
            {
                format!("the kernel refuses a polled ring ({source})")
            }
            Err(error) => return Err(error),
        },
    };
    if plan.polling_demanded {
        return Err(WorkloadError::NotPollable {
            target: target.name.clone(),
            reason,
        });
    }
    let mode = plan.mode.without_iopoll();
    let note = format!("IOPOLL is off: {reason}");
    match session::run(plan, target, mode, phases, started_ns)? {
        Ended::Finished(mut summary) => {
            summary.notes.insert(0, note);
            Ok(told(*summary))
        }
        Ended::CannotPoll => Err(WorkloadError::Internal(
            "a ring without IOPOLL was refused as one with it".to_owned(),
        )),
    }
}

fn told(summary: IoSummary) -> IoSummary {
    for note in &summary.notes {
        tell(note);
    }
    summary
}

/// One sentence for people. If stderr is gone, nobody is there to be told.
fn tell(sentence: &str) {
    let _nobody_there = writeln!(io::stderr(), "workload: {sentence}");
}

/// A reader that has seen enough is no failure.
pub(crate) fn written(result: io::Result<()>) -> Result<(), WorkloadError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(WorkloadError::Output(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn write(summary: &IoSummary, format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => write_text(summary, out)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, summary)?;
            writeln!(out)?;
        }
    }
    out.flush()
}

/// The phases as the profiler sees them.
struct Marked(Option<PhaseMarker>);

impl Phases for Marked {
    fn enter(&self, phase: u32) {
        if let Some(marker) = &self.0 {
            marker.enter(phase);
        }
    }
}
