//! The options, and one kernel after the other.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use fs_err as fs;
use modeswitch_object::process;

use super::{
    cache::Cache,
    exactness, fred,
    guest::{EVIDENCE, Ending, Lab, Limits, Signals},
    kernels::{Catalog, Kernel, Wanted},
    machine::Machine,
    script::Script,
    suite::{self, Scenario, Tally},
};
use crate::{install, workspace};

/// The lab itself failed; nothing is known of the command.
const FAILED: u8 = 125;

/// An emulated guest mostly keeps one CPU busy: modeswitch starting.
const GUESTS_AT_ONCE: usize = 2;

/// Run a command, or the tests that need root, on stock kernels in QEMU.
///
/// The guest sees this machine's files; what it writes is gone afterwards, except
/// in the folder that `MODESWITCH_LAB_RESULTS` names there. The command's output and
/// exit status are the lab's own. Other statuses: 120 the guest crashed or hung,
/// 124 the time was over, 125 the lab failed, 130 interrupted.
#[derive(clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct Options {
    /// Kernel series, such as `5.10,6.12,newest`; `all` stands for those that the project promises
    /// [default: newest, or all that a scenario asks for]
    #[arg(long)]
    kernel: Option<String>,
    /// All that has to hold before a change goes in: each promised kernel with each
    /// backend, and the machines of special tests
    #[arg(long, conflicts_with_all = ["command", "backend", "test", "numa", "cpus"])]
    scenarios: bool,
    /// Only known counts, with each promised kernel and backend, so many times in a row
    #[arg(long, value_name = "TIMES", conflicts_with_all = ["command", "backend", "test", "scenarios", "numa", "cpus"])]
    known: Option<usize>,
    /// Known counts with FRED and without: in the Bochs that `MODESWITCH_BOCHS` names,
    /// configured with FRED, and in QEMU
    #[arg(long, conflicts_with_all = ["command", "backend", "test", "scenarios", "known", "numa", "cpus"])]
    fred: bool,
    /// Four CPUs in two NUMA nodes
    #[arg(long)]
    numa: bool,
    /// CPUs of the guest [default: 2, or 4 with --numa]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=64))]
    cpus: Option<u32>,
    /// Memory of the guest in MiB
    #[arg(long, default_value_t = 3072)]
    memory: u32,
    /// More arguments for the guest's kernel
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    append: String,
    /// Take the programs as they are
    #[arg(long)]
    no_build: bool,
    /// Build and run unoptimised programs, which an emulated processor takes minutes for
    #[arg(long)]
    debug: bool,
    /// Minutes that a guest may take
    #[arg(long, default_value_t = 45)]
    timeout: u64,
    /// Seconds without a sign of life after which a guest is given up
    #[arg(long, default_value_t = 120)]
    silence: u64,
    /// Emulate the processor even where KVM works
    #[arg(long)]
    emulate: bool,
    /// Show the guest's console
    #[arg(long)]
    console: bool,
    /// Ask the mirrors anew which kernels there are
    #[arg(long)]
    refresh: bool,
    /// Copy what the command leaves in `MODESWITCH_LAB_RESULTS` to a folder here
    #[arg(long, value_name = "FOLDER")]
    results: Option<PathBuf>,
    /// Backends to run the tests with, such as `auto,kprobe`; `all` stands for all
    #[arg(long, default_value = "auto", conflicts_with = "command")]
    backend: String,
    /// Only tests whose names contain this
    #[arg(long, value_name = "NAME", conflicts_with = "command")]
    test: Option<String>,
    /// What to run instead of the tests
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Options {
    /// Whether these are more than one machine with a few kernels.
    fn is_several(&self) -> bool {
        self.scenarios || self.known.is_some()
    }
}

/// Runs it all; the status is that of the first kernel on which it went wrong.
pub(crate) fn run(options: &Options) -> ExitCode {
    match try_run(options) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

/// Runs all that has to hold before a change goes in.
pub(crate) fn scenarios() -> Result<()> {
    let options = <Alone as clap::Parser>::try_parse_from(["lab", "--scenarios"])
        .context("no such options")?;
    let status = try_run(&options.options)?;
    ensure!(status == 0, "status {status}: what failed is named above");
    Ok(())
}

/// The options by themselves.
#[derive(clap::Parser)]
struct Alone {
    #[command(flatten)]
    options: Options,
}

/// What came of one boot.
struct Outcome {
    release: String,
    scenario: &'static str,
    ending: Ending,
    boots: u32,
    tallies: Vec<Tally>,
}

fn try_run(options: &Options) -> Result<u8> {
    let wanted = Wanted::list(options.kernel.as_deref().unwrap_or("newest"))?;
    install::ensure("the lab", &super::NEEDED)?;
    let machine = machine(options)?;
    let lab = lab(options)?;
    if options.fred {
        return fred(options, &lab, &wanted);
    }
    let scenarios = if options.is_several() {
        let mut scenarios = match options.known {
            Some(times) => suite::known(&machine, times)?,
            None => suite::all(&machine)?,
        };
        if options.kernel.is_some() {
            for scenario in &mut scenarios {
                scenario.kernels.retain(|kernel| wanted.contains(kernel));
            }
        }
        scenarios
    } else {
        let rounds = if options.command.is_empty() {
            suite::rounds(&options.backend)?
        } else {
            Vec::new()
        };
        vec![Scenario {
            name: "",
            kernels: wanted,
            machine,
            rounds,
        }]
    };
    let bin = bin(options);
    let binaries = if options.command.is_empty() {
        crate::test::build(options.test.as_deref(), !options.debug)?
    } else {
        if !options.no_build {
            build(options)?;
        }
        Vec::new()
    };
    let catalog = Catalog::load(&lab.cache, options.refresh)?;
    let folder = env::current_dir().context("the working directory is gone")?;
    let kept = lab.cache.run_folder()?;
    let program = suite::keep_program(kept.path())?;
    let mut boots = Vec::new();
    for scenario in &scenarios {
        let mut script = Script::new(folder.clone(), &bin);
        if options.command.is_empty() {
            suite::prepare(&program, &scenario.rounds, &binaries, &mut script)?;
        } else {
            script.commands.push(options.command.clone());
        }
        for wanted in &scenario.kernels {
            let kernel = catalog.fetch(&lab.cache, *wanted)?;
            boots.push((scenario, kernel, script.clone()));
        }
    }
    let at_once = if lab.several { GUESTS_AT_ONCE } else { 1 };
    let outcomes = side_by_side(&boots, at_once, |(scenario, kernel, script)| {
        (!lab.signals.arrived()).then(|| on_kernel(options, &lab, kernel, script, scenario))
    });
    let outcomes = outcomes.into_iter().flatten().collect::<Result<Vec<_>>>()?;
    let is_complete = tables(&outcomes);
    if outcomes.len() > 1 || options.command.is_empty() {
        summarize(&outcomes);
    }
    let statuses = outcomes.iter().map(|outcome| outcome.ending.status());
    let status = statuses.into_iter().find(|status| *status != 0);
    Ok(status.unwrap_or(u8::from(!is_complete)))
}

/// Known counts with FRED and without, on each kernel.
fn fred(options: &Options, lab: &Lab, wanted: &[Wanted]) -> Result<u8> {
    if !options.no_build {
        build(options)?;
    }
    let catalog = Catalog::load(&lab.cache, options.refresh)?;
    let mut is_right = true;
    for wanted in wanted {
        let kernel = catalog.fetch(&lab.cache, *wanted)?;
        let bin = bin(options);
        is_right &= fred::run(&lab.cache, &kernel, &bin, lab.limits, &lab.signals)?;
    }
    Ok(u8::from(!is_right))
}

/// Where the programs are that are built here.
fn bin(options: &Options) -> PathBuf {
    workspace::target_dir().join(if options.debug { "debug" } else { "release" })
}

/// Prints what each backend made of the programs of known counts. Returns
/// whether none is passed over in silence.
fn tables(outcomes: &[Outcome]) -> bool {
    let mut is_complete = true;
    for outcome in outcomes {
        if let Some(table) = exactness::table(&outcome.tallies) {
            eprintln!("\nKnown counts on {} {}", outcome.release, outcome.scenario);
            eprintln!("{}", table.text);
            is_complete &= table.missing == 0;
        }
    }
    is_complete
}

fn machine(options: &Options) -> Result<Machine> {
    let cpus = options.cpus.unwrap_or(if options.numa { 4 } else { 2 });
    ensure!(
        !options.numa || cpus.is_multiple_of(2),
        "two NUMA nodes need an even number of CPUs"
    );
    Ok(Machine {
        cpus,
        memory_mib: options.memory,
        numa: options.numa,
        append: options.append.clone(),
    })
}

fn lab(options: &Options) -> Result<Lab> {
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    Ok(Lab {
        cache: Cache::open()?,
        limits: Limits {
            total: Duration::from_mins(options.timeout),
            silence: Duration::from_secs(options.silence),
        },
        signals: Signals::hold_back()?,
        console: options.console,
        emulate: options.emulate,
        several: options.is_several() && cpus >= GUESTS_AT_ONCE,
    })
}

/// The program that the command most likely runs.
fn build(options: &Options) -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--quiet", "--package", "modeswitch"]);
    if !options.debug {
        cargo.arg("--release");
    }
    // Our standard output is the command's.
    process::run(cargo.stdout(std::io::stderr()))
}

fn on_kernel(
    options: &Options,
    lab: &Lab,
    kernel: &Kernel,
    script: &Script,
    scenario: &Scenario,
) -> Result<Outcome> {
    let (ending, boots, tallies) =
        lab.run(&scenario.machine, kernel, script, |results, console| {
            if results.join(EVIDENCE).exists() {
                keep_evidence(results, console, kernel, scenario)?;
            }
            if let Some(folder) = &options.results {
                copy(results, &folder.join(&kernel.release).join(scenario.name))?;
            }
            Ok(suite::tallies(&scenario.rounds, results))
        })?;
    Ok(Outcome {
        release: kernel.release.clone(),
        scenario: scenario.name,
        ending,
        boots,
        tallies,
    })
}

/// Keeps what failing tests have seen, and the guest's console, where a build is kept.
fn keep_evidence(
    results: &Path,
    console: &Path,
    kernel: &Kernel,
    scenario: &Scenario,
) -> Result<()> {
    let name = format!("{} {}", kernel.release, scenario.name);
    let name = name.trim().replace(' ', "-");
    let folder = workspace::target_dir().join("lab-failed").join(name);
    copy(&results.join(EVIDENCE), &folder)?;
    let to = folder.join("console.txt");
    fs::copy(console, &to)?;
    eprintln!(
        "lab: what failed has left its evidence in {}",
        folder.display()
    );
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let empty = fs::read_dir(from).map_or(0, Iterator::count) == 0;
    if empty {
        return Ok(());
    }
    process::run(Command::new("cp").arg("-rT").args([from, to]))
}

/// On standard error: standard output is the command's.
fn summarize(outcomes: &[Outcome]) {
    eprintln!();
    for outcome in outcomes {
        let place = format!("{} {}", outcome.release, outcome.scenario);
        if outcome.boots > 1 {
            eprintln!(
                "{place:36} booted {} times: the emulated processor had crashed the kernel",
                outcome.boots
            );
        }
        if outcome.tallies.is_empty() {
            eprintln!("{place:36} {}", outcome.ending);
        }
        for tally in &outcome.tallies {
            eprintln!("{place:36} {:15} {tally}", tally.backend);
        }
        let unfinished = !matches!(outcome.ending, Ending::Exited(_));
        if unfinished && !outcome.tallies.is_empty() {
            eprintln!("{place:36} {}", outcome.ending);
        }
    }
}

/// What `work` makes of each item, in the items' order, with at most so many at
/// once.
fn side_by_side<I: Sync, O: Send>(
    items: &[I],
    at_once: usize,
    work: impl Fn(&I) -> O + Sync,
) -> Vec<O> {
    let queue = Mutex::new(items.iter().enumerate());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..at_once.min(items.len()) {
            scope.spawn(|| {
                while let Some((index, item)) = next(&queue) {
                    let output = work(item);
                    lock(&done).push((index, output));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, output)| output).collect()
}

/// The lock is held for no longer than taking the item.
fn next<T>(queue: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    lock(queue).next()
}

/// What a panicking worker leaves behind is whole: it is changed in one step.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Each item once, in order, and never more at once than allowed.
    #[test]
    fn all_items_in_order_and_few_at_once() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let items: Vec<usize> = (0..50).collect();
        let doubled = side_by_side(&items, 3, |item| {
            let running = now.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(running, Ordering::SeqCst);
            thread::yield_now();
            now.fetch_sub(1, Ordering::SeqCst);
            item * 2
        });
        let expected: Vec<usize> = items.iter().map(|item| item * 2).collect();
        assert_eq!(doubled, expected);
        assert!(most.into_inner() <= 3);
    }
}
