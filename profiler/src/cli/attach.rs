//! `modeswitch attach` and `modeswitch cpu`.

use anyhow::Result;
use clap::Args;
use nix::unistd::Pid;

use super::{
    options::{OutputOptions, ProbeOptions, RowOptions},
    output::Origin,
    snapshot::SnapshotOptions,
    values::{CpuList, cpu_list},
};
use crate::{
    error::Error,
    exit_code,
    measure::{
        affinity,
        plan::{Plan, Subject},
        run::measure,
    },
    probe::settings::Filter,
    profile::{build, merge::programs::By, model::Profile},
};

/// Worked examples of `attach`, shown under its help.
const ATTACH_EXAMPLES: &str = "\
Examples:
  modeswitch attach --duration 10s 4711
      measure process 4711 and its threads for ten seconds
  modeswitch attach --stacks user --save now.json -p $(pidof server)
      measure until Ctrl-C, with call chains, and save the profile";

/// Worked examples of `cpu`, shown under its help.
const CPU_EXAMPLES: &str = "\
Examples:
  modeswitch cpu --duration 10s 3
      show who enters the kernel on CPU 3, and why
  modeswitch cpu --disturbance --senders 2-5,8
      show what disturbs isolated CPUs and who sends them interrupts";

/// Count the kernel entries of a running process
///
/// Counts every entry that the process and everything it creates from now on make,
/// until Ctrl-C, the end of the process, or the end of --duration. The process
/// itself keeps running.
#[derive(Args, Debug)]
#[command(after_help = ATTACH_EXAMPLES)]
pub struct AttachArgs {
    #[command(flatten)]
    probes: ProbeOptions,

    #[command(flatten)]
    result: OutputOptions<Profile>,

    #[command(flatten)]
    snapshot: SnapshotOptions,

    #[command(flatten)]
    rows: RowOptions,

    /// The process.
    #[arg(value_name = "PID", value_parser = clap::value_parser!(i32).range(1..),
          required_unless_present = "process")]
    pid: Option<i32>,

    /// The process, as `perf` takes it.
    #[arg(short = 'p', long = "pid", value_name = "PID", conflicts_with = "pid",
          value_parser = clap::value_parser!(i32).range(1..))]
    process: Option<i32>,
}

/// Count the kernel entries of everything that runs on some CPUs
///
/// Counts every entry that user code on these CPUs makes, whoever it belongs to,
/// until Ctrl-C or the end of --duration.
#[derive(Args, Debug)]
#[command(after_help = CPU_EXAMPLES)]
pub struct CpuArgs {
    #[command(flatten)]
    probes: ProbeOptions,

    #[command(flatten)]
    result: OutputOptions<Profile>,

    #[command(flatten)]
    snapshot: SnapshotOptions,

    #[command(flatten)]
    rows: RowOptions,

    /// The CPUs (3, 0-3, 0-3,8).
    #[arg(value_parser = cpu_list, value_name = "LIST", required_unless_present = "list")]
    cpus: Option<CpuList>,

    /// The CPUs, as `perf` takes them.
    #[arg(short = 'C', long = "cpu", value_parser = cpu_list, value_name = "LIST",
          conflicts_with = "cpus")]
    list: Option<CpuList>,
}

/// Carries `attach` out.
///
/// # Errors
/// [`crate::error::Error`] where the user can do something about it.
pub fn attach(args: &AttachArgs) -> Result<u8> {
    let Some(pid) = args.pid.or(args.process) else {
        return Err(
            Error::Usage("there is no process to attach to: give its PID".to_owned()).into(),
        );
    };
    let subject = Subject::Process(Pid::from_raw(pid));
    carry_out(
        subject,
        Filter::Threads,
        &args.probes,
        (&args.result, &args.snapshot, args.rows.by),
    )
}

/// Carries `cpu` out.
///
/// # Errors
/// [`crate::error::Error`] where the user can do something about it.
pub fn cpu(args: &CpuArgs) -> Result<u8> {
    let Some(CpuList(cpus)) = args.cpus.clone().or_else(|| args.list.clone()) else {
        return Err(Error::Usage("there are no CPUs to measure: give a list".to_owned()).into());
    };
    affinity::check(&cpus)?;
    let subject = Subject::Cpus(cpus.clone());
    carry_out(
        subject,
        Filter::Cpus(cpus),
        &args.probes,
        (&args.result, &args.snapshot, args.rows.by),
    )
}

fn carry_out(
    subject: Subject,
    filter: Filter,
    probes: &ProbeOptions,
    (result, snapshot, by): (&OutputOptions<Profile>, &SnapshotOptions, By),
) -> Result<u8> {
    result.check()?;
    snapshot.check(&result.to)?;
    let plan = Plan {
        subject,
        settings: probes.settings(filter),
        duration: probes.duration,
    };
    let measurement = measure(&plan)?;
    let kept = snapshot.keep(&measurement);
    result.deliver(&build::profile(&measurement), by, Origin::Measured)?;
    kept?;
    Ok(exit_code::SUCCESS)
}
