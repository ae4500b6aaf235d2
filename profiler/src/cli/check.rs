//! `modeswitch check`.

use std::{
    ffi::OsString,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::{ArgGroup, Args};

use super::{
    document::{self, Document},
    options::{Destination, ProbeOptions},
    output::{self, Origin},
    run::user,
    values::{CpuList, cpu_list},
};
use crate::{
    document::run::Interruption,
    error::Error,
    exit_code,
    gate::{
        baseline::against_baseline,
        judge::{Named, against_budget},
        judged::Outcome,
        parse::{self, Parsed},
        update::{self, Refused},
        verdict::Verdict,
    },
    launch::command::Command,
    measure::{
        affinity,
        plan::{Plan, Subject},
        run::measure,
    },
    probe::settings::Filter,
    profile::{build, file, merge::programs::By},
    report::format::{DocumentKind, Format},
    sys::{is_quiet, shows_progress},
};

/// Runs measured if `--runs` does not say.
const RUNS: u32 = 1;
/// The same for `--update`, which needs their spread.
const RUNS_TO_UPDATE: u32 = 5;

/// Bytes of the longest budget that is read.
const LONGEST_BUDGET: u64 = 16 << 20;

/// The two ways: clap's own line would not fit into 80 columns.
const USAGE: &str = "\
modeswitch check [OPTIONS] --budget FILE [--update] -- COMMAND...
       modeswitch check [OPTIONS] --budget FILE PROFILE...
       modeswitch check [OPTIONS] PROFILE... --baseline PROFILE...
       modeswitch check [OPTIONS] --baseline PROFILE... -- COMMAND...";

const EXAMPLES: &str = "\
Examples:
  modeswitch check --budget budget.toml --update --runs 5 -- ./poller
      measure five times and write a budget: the largest counts plus a margin
  modeswitch check --budget budget.toml -- ./poller
      measure and judge in one step
  modeswitch check today.json --budget budget.toml --format markdown
      judge a saved profile, anywhere, without privileges
  modeswitch check new-1.json new-2.json --baseline old-1.json old-2.json
      judge against an earlier state; the spread of the runs is the tolerance
  modeswitch check --budget budget.toml --format github -- ./poller
      annotate the responsible lines in GitHub Actions

A budget:
  [[limit]]
  # total, syscall, page_fault, interrupt, nmi, exception, new_task or
  # unclassified
  cause = \"syscall\"
  detail = \"clock_*\"    # optional, as phase and thread are; * and ? match
  # setup, steady, teardown, unmarked, or one that `phases = [...]` lists first
  phase = \"steady\"
  thread = \"poller*\"
  per = \"second\"        # or million_ios, or run (the default)
  hard = 10             # above this: exit status 1
  soft = 2              # above this: a warning

Exit status:
  0  every limit was judged, and no hard limit is breached
  1  a hard limit is breached
  2  the budget or the command line is wrong
  4  inconclusive: entries were lost or could not be seen
docs/ci.md says more.";

/// Fail CI when counts exceed a budget or a baseline
///
/// Judges saved profiles, or measures a command and judges that. A limit passes
/// only if that is certain: where entries were lost or could not be seen, the
/// result is inconclusive. The exit status is the verdict, not the command's.
#[derive(Args, Debug)]
#[command(override_usage = USAGE, after_help = EXAMPLES, group = ArgGroup::new("by").required(true))]
pub struct CheckArgs {
    /// File with the limits, in TOML.
    #[arg(long, value_name = "FILE", group = "by", help_heading = "Judging")]
    budget: Option<PathBuf>,

    /// Saved profiles of an earlier state, several runs if possible.
    #[arg(long, value_name = "PROFILE", num_args = 1.., group = "by", help_heading = "Judging")]
    baseline: Vec<PathBuf>,

    /// Write the measured counts, plus a margin from their spread, into the limits of
    /// the budget, or create it.
    #[arg(long, requires = "budget", help_heading = "Judging")]
    update: bool,

    /// How often to run the command. Default: 1, or 5 with --update.
    #[arg(short, long, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N",
          requires = "command", help_heading = "Command")]
    runs: Option<u32>,

    #[command(flatten)]
    probes: ProbeOptions,

    /// Format of the result; a table unless given.
    #[arg(long, value_parser = DocumentKind::Check.format_parser(), value_name = "FORMAT",
          help_heading = "Result")]
    format: Option<Format>,

    #[command(flatten)]
    to: Destination,

    /// Pin the command to these CPUs (3, 0-3, 0-3,8) and modeswitch to the others.
    #[arg(short = 'C', long, value_parser = cpu_list, value_name = "LIST", help_heading = "Command")]
    cpu: Option<CpuList>,

    /// Run the command as user NAME; without NAME, as the user who called sudo.
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true,
          default_missing_value = "", help_heading = "Command")]
    user: Option<String>,

    /// Saved profiles to judge; `-` is standard input.
    #[arg(
        value_name = "PROFILE",
        conflicts_with = "command",
        required_unless_present = "command"
    )]
    profiles: Vec<PathBuf>,

    /// The command to measure and judge, with its arguments, after `--`.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Carries the command out.
///
/// # Errors
/// [`Error`] where the user can do something about it.
pub fn run(args: &CheckArgs) -> Result<u8> {
    args.to.check(args.format)?;
    // What is wrong with the input is said before anything is measured.
    let budget = args
        .budget
        .as_deref()
        .map(|path| Budget::read(path, args.update))
        .transpose()?;
    let baseline = load(&args.baseline)?;
    let runs = if args.command.is_empty() {
        load(&args.profiles)?
    } else {
        measured(args)?
    };
    let verdict = match budget {
        Some(budget) if args.update => match budget.updated(&runs)? {
            Ok(verdict) => verdict,
            Err(refused) => {
                say_refused(&refused);
                return Ok(exit_code::INCONCLUSIVE);
            }
        },
        Some(Budget { path, parsed, .. }) => {
            let parsed = parsed.unwrap_or_default();
            against_budget(&parsed, &path.display().to_string(), &runs)
        }
        None => against_baseline(&runs, &baseline),
    };
    deliver(&verdict, args)?;
    Ok(match verdict.outcome {
        Outcome::Pass | Outcome::Warning => exit_code::SUCCESS,
        Outcome::Inconclusive => exit_code::INCONCLUSIVE,
        Outcome::Breach => exit_code::BUDGET_BREACHED,
    })
}

/// A budget's file.
struct Budget<'a> {
    path: &'a Path,
    text: String,
    /// Nothing if the file is still to be made.
    parsed: Option<Parsed>,
}

impl<'a> Budget<'a> {
    fn read(path: &'a Path, may_be_new: bool) -> Result<Self, Error> {
        let shown = path.display();
        if may_be_new {
            if file::is_stdio(path) {
                return Err(Error::Usage(
                    "`--update` writes into the budget: give a file, not `-`".to_owned(),
                ));
            }
            file::check_writable(path)?;
        }
        let text = match read_budget(path) {
            Ok(text) => text,
            Err(error) if may_be_new && error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self {
                    path,
                    text: String::new(),
                    parsed: None,
                });
            }
            Err(error) => {
                return Err(Error::Usage(format!(
                    "cannot read the budget `{shown}`: {error}: check the path, or write one with \
                     `--update`"
                )));
            }
        };
        let parsed = parse::parse(&text).map_err(|wrong| {
            let (line, column) = (wrong.line, wrong.column);
            Error::Usage(format!("{shown}:{line}:{column}: {wrong}"))
        })?;
        Ok(Self {
            path,
            text,
            parsed: Some(parsed),
        })
    }

    /// Writes the runs' numbers into it, and judges the runs by the result.
    fn updated(self, runs: &[Named]) -> Result<Result<Verdict, Refused>> {
        let text = match &self.parsed {
            Some(parsed) => update::updated(&self.text, parsed, runs),
            None => update::created(runs),
        };
        let text = match text {
            Ok(text) => text,
            Err(refused) => return Ok(Err(refused)),
        };
        let parsed = parse::parse(&text).map_err(|wrong| {
            anyhow::anyhow!("the budget that was made cannot be read again: {wrong}")
        })?;
        file::save_with(self.path, |out| out.write_all(text.as_bytes()))?;
        let name = self.path.display().to_string();
        if !is_quiet() {
            let count = parsed.budget.limits.len();
            output::say(&format!("{name}: {count} limits written"));
        }
        Ok(Ok(against_budget(&parsed, &name, runs)))
    }
}

/// Its text, as far as a budget may be long: some devices never end.
fn read_budget(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = fs::File::open(file::input(path))?;
    let read = file.take(LONGEST_BUDGET + 1).read_to_string(&mut text)?;
    if read as u64 > LONGEST_BUDGET {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

fn say_refused(refused: &Refused) {
    output::say(
        "modeswitch: INCONCLUSIVE: no budget was written, because some counts are in doubt:",
    );
    for reason in &refused.reasons {
        output::say(&format!("  {reason}"));
    }
}

fn load(paths: &[PathBuf]) -> Result<Vec<Named>, Error> {
    file::check_distinct(paths)?;
    paths.iter().map(|path| load_one(path)).collect()
}

fn load_one(path: &Path) -> Result<Named, Error> {
    let found = document::load(path)?;
    let kind = found.kind().words();
    let Document::Profile(profile) = found else {
        return Err(Error::Usage(format!(
            "`{}` is {kind}, but `check` judges single runs: give files written by \
             `modeswitch run --save FILE`",
            path.display()
        )));
    };
    file::check_single(&profile, path)?;
    Ok(Named {
        name: path.display().to_string(),
        profile: *profile,
    })
}

/// Runs the command as often as asked. A run that was interrupted is the last.
fn measured(args: &CheckArgs) -> Result<Vec<Named>> {
    let mut command = Command::find(args.command.clone())?;
    if let Some(CpuList(cpus)) = &args.cpu {
        affinity::check(cpus)?;
        command.cpus = Some(cpus.clone());
    }
    command.user = args.user.as_deref().map(user).transpose()?;
    command.output = args.to.command_output(args.format.unwrap_or_default());
    let plan = Plan {
        subject: Subject::Command(Box::new(command)),
        settings: args.probes.settings(Filter::Threads),
        duration: args.probes.duration,
    };
    let default = if args.update { RUNS_TO_UPDATE } else { RUNS };
    let count = args.runs.unwrap_or(default);
    let mut runs = Vec::new();
    for number in 1..=count {
        if count > 1 && shows_progress() {
            output::say(&format!("run {number} of {count}"));
        }
        let profile = build::profile(&measure(&plan)?);
        let mut interrupted = profile.exit.interrupted_by.iter();
        let is_last = interrupted.any(|by| *by != Interruption::Duration);
        runs.push(Named {
            name: format!("run {number}"),
            profile,
        });
        if is_last {
            break;
        }
    }
    Ok(runs)
}

fn deliver(verdict: &Verdict, args: &CheckArgs) -> Result<(), Error> {
    let format = args.format.unwrap_or_default();
    let origin = if args.command.is_empty() {
        Origin::Files
    } else {
        Origin::Measured
    };
    args.to.deliver(verdict, (format, By::default()), origin)
}
