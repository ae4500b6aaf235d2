//! `modeswitch experiment`.

use std::{ffi::OsString, os::unix::ffi::OsStrExt, time::Duration};

use anyhow::Result;
use clap::Args;
use workload::cli::BitmapKind;

use super::{
    options::{FamilyOptions, OutputOptions},
    output::{self, Origin},
    run::user,
    values::{CpuList, cpu_list, duration},
};
use crate::{
    error::Error,
    exit_code,
    experiment::{
        execute::{Design, Progress, execute},
        model::Experiment,
        own_metrics::{self, Source},
        plan::{self, Common, Question},
    },
    fix::model::{self as fix, Fixes},
    measure::affinity,
    probe::settings::{
        Extras, FAULT_PAGES, FaultLevel, Filter, LEDGER_ROWS, Settings, StackPolicy,
    },
    profile::merge::programs::By,
    report::units::duration_ns,
    stats::{judgement::LEVEL, rank_test::runs_needed},
    sys::shows_progress,
};

/// Numbers judged of each variant beside the first: totals of three causes,
/// throughput and two percentiles.
const JUDGED: usize = 6;
/// How long the steady state of the in-tree workload lasts.
const STEADY: Duration = Duration::from_secs(2);

const EXAMPLES: &str = "\
Examples:
  modeswitch experiment
      compare the in-tree polling workload with its memory lazy and prefaulted
  modeswitch experiment --fix prefault fio job.fio
      run any program as it is, and with its memory populated and locked
  modeswitch experiment --fix prefault --fix no-numa-balancing ./server
      try two fixes side by side; `--fix a+b` would be one variant with both
  modeswitch experiment --fix none --runs 20 ./server
      compare the command with itself, to see the machine's own noise
  modeswitch experiment --before './old -n 1' --after './new -n 1'
      compare two builds of a program
  modeswitch experiment --bitmap malloc,private-populate,shared,shared-populate
      ask the classic question: was it lazy allocation?
  modeswitch experiment -- --depth 128
      pass options to the in-tree workload

Fixes: prefault (prefault:children), no-numa-balancing, bind-numa:NODE, no-thp,
thp, pin:CPUS, env:KEY=VALUE, sysctl:NAME=VALUE, none.";

/// Change one thing and test whether its effect is real
///
/// An A/B test: runs the variants in interleaved order and compares each with the
/// first in kernel entries, throughput and tail latency. Without a command it
/// measures the in-tree polling workload, whose options follow `--`.
///
/// What a command prints on standard output is discarded; its standard error is
/// shown if it fails.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ExperimentArgs {
    /// Add a variant with this fix, applied from outside; fixes joined by `+` make
    /// one variant.
    #[arg(long, value_name = "FIX", value_parser = fix::parse, help_heading = "Variants")]
    fix: Vec<Fixes>,

    /// First of two commands to compare.
    #[arg(long, value_name = "CMD", requires = "after", conflicts_with_all = ["fix", "bitmap", "command"],
          help_heading = "Variants")]
    before: Option<String>,

    /// Second of two commands to compare.
    #[arg(
        long,
        value_name = "CMD",
        requires = "before",
        help_heading = "Variants"
    )]
    after: Option<String>,

    /// Kinds of block bitmap for the in-tree workload; the others are compared with
    /// the first. Default: lazy,prefault.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "KINDS",
        help_heading = "Variants"
    )]
    bitmap: Vec<BitmapKind>,

    /// Runs of each variant. Default: the fewest that can tell a difference from
    /// chance, 5 for two variants.
    #[arg(short, long, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N",
          help_heading = "Runs")]
    runs: Option<u32>,

    /// Warm-up runs of each variant, which are discarded.
    #[arg(short, long, visible_alias = "warmup", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100),
          value_name = "N", help_heading = "Runs")]
    warm_up: u32,

    /// Steady state of each run of the workload (default 2s), or the longest that a
    /// command is measured: then it gets SIGTERM, and SIGKILL 5 s later.
    #[arg(long, value_parser = duration, value_name = "TIME", help_heading = "Runs")]
    duration: Option<Duration>,

    /// Shell command to run before each run; not measured.
    #[arg(long, value_name = "CMD", help_heading = "Runs")]
    prepare: Option<String>,

    /// Shell command to run after each run; not measured.
    #[arg(long, value_name = "CMD", help_heading = "Runs")]
    cleanup: Option<String>,

    /// Where the command writes its own metrics: `fio:FILE`, or FILE with a JSON
    /// object. Detected automatically for fio.
    #[arg(long, value_name = "SOURCE", value_parser = source, help_heading = "Command")]
    metrics: Option<Source>,

    /// Pin the command to these CPUs (3, 0-3, 0-3,8) and modeswitch to the others.
    #[arg(short = 'C', long, value_parser = cpu_list, value_name = "LIST", help_heading = "Command")]
    cpu: Option<CpuList>,

    /// Run the command as user NAME; without NAME, as the user who called sudo.
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true,
          default_missing_value = "", help_heading = "Command")]
    user: Option<String>,

    #[command(flatten)]
    family: FamilyOptions,

    #[command(flatten)]
    result: OutputOptions<Experiment>,

    /// The command and its arguments: everything from the first word that is not an
    /// option. Or, after `--`, options of the in-tree workload: see `modeswitch
    /// workload --help`.
    #[arg(trailing_var_arg = true, value_name = "COMMAND|WORKLOAD OPTIONS")]
    command: Vec<OsString>,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the form that the command line's parser wants"
)]
fn source(text: &str) -> Result<Source, String> {
    Ok(own_metrics::source(text))
}

/// Carries the command out.
///
/// # Errors
/// [`Error`] where the user can do something about it.
pub fn run(args: ExperimentArgs) -> Result<u8> {
    args.result.check()?;
    if let Some(CpuList(cpus)) = &args.cpu {
        affinity::check(cpus)?;
    }
    let question = question(&args)?;
    let common = Common {
        cpus: args.cpu.map(|CpuList(cpus)| cpus),
        user: args.user.as_deref().map(user).transpose()?,
        metrics: args.metrics,
    };
    let variants = plan::variants(&question, &common)?;
    plan::check_names(&variants)?;
    let least = runs_needed(JUDGED * (variants.len() - 1), LEVEL);
    let is_in_tree = matches!(question, Question::InTree { .. });
    let design = Design {
        question: plan::words(&question),
        runs: args.runs.unwrap_or(u32::try_from(least)?),
        variants,
        warm_up: args.warm_up,
        limit: args.duration.filter(|_| !is_in_tree),
        prepare: args.prepare,
        cleanup: args.cleanup,
        settings: Settings {
            backend: args.family.backend,
            stacks: StackPolicy::Off,
            filter: Filter::Threads,
            faults: FaultLevel::Kind,
            fault_pages: FAULT_PAGES,
            io_uring: false,
            extras: Extras::default(),
            ledger_rows: LEDGER_ROWS,
            diagnostics: log::log_enabled!(log::Level::Debug),
        },
    };
    let experiment = execute(&design, show_progress)?;
    args.result
        .deliver(&experiment, By::default(), Origin::Measured)?;
    Ok(exit_code::SUCCESS)
}

/// What is asked by the options.
fn question(args: &ExperimentArgs) -> Result<Question, Error> {
    if let (Some(before), Some(after)) = (&args.before, &args.after) {
        return Ok(Question::Two {
            before: before.clone(),
            after: after.clone(),
        });
    }
    let first = args.command.first();
    let is_command = first.is_some_and(|word| !word.as_bytes().starts_with(b"-"));
    if is_command {
        if !args.bitmap.is_empty() {
            return Err(Error::Usage(
                "`--bitmap` applies to the in-tree workload: omit the command, or `--bitmap`"
                    .to_owned(),
            ));
        }
        return Ok(Question::Fix {
            command: args.command.clone(),
            fixes: args.fix.clone(),
        });
    }
    let steady = args.duration.unwrap_or(STEADY);
    let mut arguments = vec![
        OsString::from("--duration"),
        OsString::from(format!("{}ms", steady.as_millis().max(1))),
    ];
    arguments.extend(args.command.iter().cloned());
    Ok(Question::InTree {
        bitmaps: match (&args.bitmap[..], &args.fix[..]) {
            ([], []) => vec![BitmapKind::Lazy, BitmapKind::Prefault],
            ([], _) => vec![BitmapKind::Lazy],
            (kinds, _) => kinds.to_vec(),
        },
        fixes: args.fix.clone(),
        arguments,
    })
}

/// Says on a terminal which run is next. Once a run, before it: drawing while
/// it runs would disturb it.
fn show_progress(progress: Progress<'_>) {
    if !shows_progress() {
        return;
    }
    let left = progress.left.map_or_else(String::new, |left| {
        let ns = u64::try_from(left.as_nanos()).unwrap_or(u64::MAX);
        format!(", about {} left", duration_ns(ns))
    });
    let warm_up = if progress.is_warm_up {
        " (to warm up)"
    } else {
        ""
    };
    output::say(&format!(
        "run {} of {}: {}{warm_up}{left}",
        progress.run, progress.of, progress.variant
    ));
}
