//! `modeswitch run`.

use std::ffi::OsString;

use anyhow::Result;
use clap::{Arg, ArgAction, Args};

use super::{
    options::{OutputOptions, ProbeOptions, RowOptions},
    output::Origin,
    snapshot::SnapshotOptions,
    values::{CpuList, cpu_list},
};
use crate::{
    document::run::Interruption,
    error::Error,
    exit_code,
    launch::{command::Command, user::User},
    measure::{
        affinity,
        plan::{Plan, Subject},
        run::measure,
    },
    probe::settings::Filter,
    profile::{build, model::Profile},
};

/// Where `--user` without a name looks.
const INVOKING: &str = "";

/// Worked examples, shown under the help.
const EXAMPLES: &str = "\
Examples:
  modeswitch run ./server --port 80
      count from the first instruction on, until the server ends or Ctrl-C
  modeswitch run --cpu 3 --duration 10s --save poller.json ./poller
      pin the command to CPU 3, stop after ten seconds, save the profile
  modeswitch run --senders --disturbance --cpu 3 ./poller
      also show who sends it interrupts and what else its CPU does
  modeswitch run --io-uring fio job.fio
      also show whether the kernel's polling thread submits the I/O
  modeswitch run --format json ./job | jq .ledger.total
      print one JSON document; the command's own output goes to stderr";

/// Run a command and count its kernel entries
///
/// Counts every entry that the command and all its children make, from the first
/// instruction to the last.
///
/// The command keeps standard input, output and error. Where a document goes to
/// standard output (every format but `table` and `wide`), the command's standard
/// output goes to standard error instead, so that the two never mix.
///
/// modeswitch exits with the command's status, or 128 plus the signal that ended
/// it; with 0 where --duration ended it. If modeswitch itself fails, its own status
/// wins, and a message on standard error begins with `modeswitch:`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, arg = accepted_before())]
pub struct RunArgs {
    #[command(flatten)]
    probes: ProbeOptions,

    #[command(flatten)]
    result: OutputOptions<Profile>,

    #[command(flatten)]
    snapshot: SnapshotOptions,

    #[command(flatten)]
    rows: RowOptions,

    /// Pin the command to these CPUs (3, 0-3, 0-3,8) and modeswitch to the others.
    #[arg(short = 'C', long, value_parser = cpu_list, value_name = "LIST", help_heading = "Command")]
    cpu: Option<CpuList>,

    /// Run the command as user NAME; without NAME, as the user who called sudo.
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true,
          default_missing_value = INVOKING, help_heading = "Command")]
    user: Option<String>,

    /// Exit with 0 when the measurement succeeded, even if the command failed.
    #[arg(long, help_heading = "Command")]
    no_propagate_exit: bool,

    /// The command and its arguments: everything from the first word that is not an
    /// option. It may follow `--`.
    #[arg(trailing_var_arg = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// The option for what is the default now.
fn accepted_before() -> Arg {
    Arg::new("propagate_exit")
        .long("propagate-exit")
        .action(ArgAction::SetTrue)
        .conflicts_with("no_propagate_exit")
        .hide(true)
}

/// Carries the command out.
///
/// # Errors
/// [`Error`] where the user can do something about it.
pub fn run(args: RunArgs) -> Result<u8> {
    args.result.check()?;
    args.snapshot.check(&args.result.to)?;
    let mut command = Command::find(args.command)?;
    let output = (args.result.to).command_output(args.result.format.unwrap_or_default());
    command.output = args.snapshot.command_output(output);
    if let Some(CpuList(cpus)) = args.cpu {
        affinity::check(&cpus)?;
        command.cpus = Some(cpus);
    }
    command.user = args.user.as_deref().map(user).transpose()?;
    let plan = Plan {
        subject: Subject::Command(Box::new(command)),
        settings: args.probes.settings(Filter::Threads),
        duration: args.probes.duration,
    };
    let measurement = measure(&plan)?;
    let kept = args.snapshot.keep(&measurement);
    let profile = build::profile(&measurement);
    args.result
        .deliver(&profile, args.rows.by, Origin::Measured)?;
    kept?;
    Ok(if args.no_propagate_exit {
        exit_code::SUCCESS
    } else {
        status_of(&profile)
    })
}

pub(super) fn user(name: &str) -> Result<User, Error> {
    if name == INVOKING {
        User::invoking()
    } else {
        User::find(name)
    }
}

/// The command's own status as a shell would give it. A command that --duration
/// ended has not failed.
fn status_of(profile: &Profile) -> u8 {
    let mut interrupted = profile.exit.interrupted_by.iter();
    if interrupted.any(|by| *by == Interruption::Duration) {
        return exit_code::SUCCESS;
    }
    let code = profile.exit.code.and_then(|code| u8::try_from(code).ok());
    let signal = profile
        .exit
        .signal
        .and_then(|signal| u8::try_from(signal).ok());
    match (code, signal) {
        (Some(code), _) => code,
        (None, Some(signal)) => exit_code::SIGNAL_BASE.saturating_add(signal),
        (None, None) => exit_code::SUCCESS,
    }
}
