//! `modeswitch run`.

use std::{
    ffi::OsString,
    io::{self, Write},
};

use anyhow::Result;
use clap::{Arg, ArgAction, Args};

use super::{
    options::{OutputOptions, ProbeOptions},
    output::{Origin, Shown},
    values::{CpuList, cpu_list},
};
use crate::{
    collect::snapshot::Interruption,
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
    report::{export, format::Format, style::Look},
};

/// Where `--user` without a name looks.
const INVOKING: &str = "";

/// Worked examples, shown under the help.
const EXAMPLES: &str = "\
Examples:
  sudo modeswitch run ./server --port 80
      every entry from the first instruction on; Ctrl-C ends it as usual
  sudo modeswitch run --cpu 3 --duration 10s --save poller.json ./poller
      on CPU 3, for ten seconds, and the profile kept
  sudo modeswitch run --senders --disturbance --cpu 3 ./poller
      also who sends it interrupts, and what else its CPU does
  sudo modeswitch run --io-uring fio job.fio
      also whether polling is really polling
  sudo modeswitch run --format json ./job | jq .ledger.total
      one JSON document; what the command prints goes to standard error";

/// Runs a command and counts every entry into the kernel that it and all its
/// children make, from its first instruction to its end.
///
/// The command keeps standard input, output and error. Where a document goes to
/// standard output (every format but `table` and `wide`), what the command writes
/// there goes to standard error.
///
/// The exit status is the command's, or 128 and the signal that ended it. It is 0
/// where --duration ended it, and one of modeswitch's own (see README.md) where
/// modeswitch could not measure or report: then a message on standard error begins
/// with `modeswitch:`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, arg = accepted_before())]
pub struct RunArgs {
    #[command(flatten)]
    probes: ProbeOptions,

    #[command(flatten)]
    result: OutputOptions,

    /// Confine the command to these CPUs (3, 0-3, 0-3,8) and modeswitch to the others.
    #[arg(short = 'C', long, value_parser = cpu_list, value_name = "LIST", help_heading = "Command")]
    cpu: Option<CpuList>,

    /// Run the command as this user; without a name, as the one who called sudo.
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true,
          default_missing_value = INVOKING, help_heading = "Command")]
    user: Option<String>,

    /// Exit with 0 when the measurement succeeded, even if the command failed.
    #[arg(long, help_heading = "Command")]
    no_propagate_exit: bool,

    /// The command and its arguments: everything from the first word that is no
    /// option. `--` may stand before it.
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
    args.result.check::<Profile>()?;
    let mut command = Command::find(args.command)?;
    command.output = (args.result.to).command_output(args.result.format.unwrap_or_default());
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
    let profile = build::profile(&measure(&plan)?);
    args.result.deliver(&profile, Origin::Measured)?;
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

impl Shown for Profile {
    const WHAT: &'static str = "a profile";
    const FORMATS: &'static [Format] = export::OF_PROFILES;

    fn render(&self, format: Format, look: Look, out: &mut dyn Write) -> io::Result<()> {
        export::profile(self, format, look, out)
    }
}
