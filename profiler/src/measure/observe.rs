//! Opening the window, waiting, and closing it.

use std::os::fd::{AsFd, AsRawFd, RawFd};

use anyhow::{Context, Result};
use aya::Ebpf;
use nix::unistd::Pid;
use profiler_common::{phase, thread::state};
use tokio::time::Instant;

use super::{
    metrics::{self, Mailbox},
    plan::{Plan, Subject},
    window::WindowClock,
};
use crate::{
    collect::{
        allocations::Allocations,
        mappings::tracker::{self, Tracker},
        memory::MemoryWatch,
        numa_hints::machine_count,
        phases::Phases,
        snapshot::Window,
        threads,
        timeline::Recorder,
    },
    error::Error,
    kernel::interrupts::Interrupts,
    launch::{
        command::Command,
        gate::HeldCommand,
        inject::{
            counting::Counting,
            tracer::{Report, Tracer},
        },
        signals::Signals,
        supervise::{self, Outcome, Watched},
    },
    probe::{kernel_log::KernelLog, session::Session, settings::FaultLevel},
    sys::{
        fault_counters::{FaultCounters, FaultCounts},
        privileges,
    },
};

/// Everything that a measurement has in its hands while it runs.
pub(super) struct Instruments {
    pub(super) session: Session,
    pub(super) kernel_log: KernelLog,
    pub(super) allocations: Allocations,
    /// The target's mappings, once there is a target.
    pub(super) mappings: Option<Tracker>,
    pub(super) signals: Signals,
    pub(super) phases: Phases,
    pub(super) metrics: Mailbox,
    /// Where a command's standard error is kept, if it is.
    pub(super) errors: Mailbox,
    /// The CPUs that we may use, whichever we have stepped aside to.
    pub(super) allowed: Vec<u32>,
    /// What memory the command has held.
    pub(super) memory: MemoryWatch,
    /// The counts over time, once there is a window.
    pub(super) timeline: Option<Recorder>,
}

/// What came of it.
pub(super) struct Observed {
    pub(super) pid: Option<Pid>,
    pub(super) outcome: Outcome,
    pub(super) interrupts_before: Interrupts,
    pub(super) closed: Closed,
    /// What became of locking the command's memory, if that was asked for.
    pub(super) prefault: Option<Report>,
}

/// What was read as the window closed.
pub(super) struct Closed {
    pub(super) window: Window,
    /// When that was, by `CLOCK_MONOTONIC`.
    pub(super) ended_ns: u64,
    pub(super) interrupts: Interrupts,
    /// What the kernel has counted of the command's page faults.
    pub(super) fault_counts: Option<FaultCounts>,
    /// NUMA-hint faults that the machine has counted meanwhile, where pages are
    /// balanced.
    pub(super) numa_hints: Option<u64>,
}

/// An open window.
struct Opened {
    clock: WindowClock,
    counters: Option<FaultCounters>,
    hints_before: Option<u64>,
    closed: Option<Closed>,
}

impl Opened {
    /// Closes the window, once, and reads all that is compared with its counts.
    fn close(&mut self, session: &mut Session, phases: &mut Phases) -> Result<()> {
        if self.closed.is_some() {
            return Ok(());
        }
        session.close_window()?;
        let (window, ended_ns) = self.clock.stop();
        phases.close();
        let counters = self.counters.as_mut();
        self.closed = Some(Closed {
            window,
            ended_ns,
            fault_counts: counters.and_then(|counters| counters.read().ok()),
            numa_hints: (self.hints_before).and_then(|before| machine_count()?.checked_sub(before)),
            interrupts: Interrupts::read(),
        });
        Ok(())
    }
}

/// Opens the window for the plan's subject, waits for its end, and closes it.
///
/// # Errors
/// [`Error`] where the user can do something about it.
pub(super) async fn observe(instruments: &mut Instruments, plan: &Plan) -> Result<Observed> {
    let held = match &plan.subject {
        Subject::Command(command) => Some(hold(instruments, command)?),
        Subject::Process(pid) => {
            follow(instruments, *pid)?;
            None
        }
        Subject::Cpus(_) => None,
    };
    let counters = held
        .as_ref()
        .and_then(|held| fault_counters(held.pid, plan));
    instruments.mappings = Some(Tracker::start(match (&held, &plan.subject) {
        (Some(held), Subject::Command(command)) => tracker::Followed::Held(held.pid, &command.path),
        (_, Subject::Process(pid)) => tracker::Followed::Running(*pid),
        _ => tracker::Followed::Everybody,
    }));
    let interrupts_before = Interrupts::read();
    let hints_before = if plan.settings.wants_numa_hints() {
        machine_count()
    } else {
        None
    };
    instruments.session.open_window()?;
    let clock = WindowClock::start();
    instruments.phases.begin(clock.started_ns());
    let interval = plan.settings.extras.timeline;
    instruments.timeline = interval.map(|interval| Recorder::begin(interval, clock.started_ns()));
    let mut opened = Opened {
        clock,
        counters,
        hints_before,
        closed: None,
    };
    let mut tracer = None;
    let (pid, outcome) = match (held, &plan.subject) {
        (Some(held), _) => {
            let pid;
            (pid, tracer) = held.release(
                &mut Followed(instruments.session.ebpf()),
                &mut instruments.signals,
            )?;
            instruments.memory.follow(pid);
            if let Some(mappings) = &mut instruments.mappings {
                mappings.executed(pid);
            }
            let (mut watch, signals) = instruments.watch(&mut opened);
            let outcome =
                supervise::command(pid, &mut tracer, plan.duration, signals, &mut watch).await?;
            (Some(pid), outcome)
        }
        (None, subject) => {
            let pid = match subject {
                Subject::Process(pid) => Some(*pid),
                Subject::Command(_) | Subject::Cpus(_) => None,
            };
            let (mut watch, signals) = instruments.watch(&mut opened);
            let outcome =
                supervise::attached(plan.duration, signals, &mut watch, pid.is_some()).await?;
            (pid, outcome)
        }
    };
    opened.close(&mut instruments.session, &mut instruments.phases)?;
    if let Some(tracer) = &mut tracer {
        tracer.release();
    }
    Ok(Observed {
        pid,
        outcome,
        interrupts_before,
        closed: opened.closed.context("the window is still open")?,
        prefault: tracer
            .filter(Tracer::locks)
            .map(|tracer| tracer.report.clone()),
    })
}

/// The kernel's own counters of a command's page faults, if faults are looked
/// into at all: they cost something whenever the command is switched to.
fn fault_counters(pid: Pid, plan: &Plan) -> Option<FaultCounters> {
    if plan.settings.faults == FaultLevel::Count {
        return None;
    }
    FaultCounters::open(pid)
        .inspect_err(|error| log::debug!("no counters of page faults: {error}"))
        .ok()
}

/// Creates the command's process, which waits at the gate, and follows it.
fn hold(instruments: &mut Instruments, command: &Command) -> Result<HeldCommand> {
    let files = [
        instruments.phases.fd,
        instruments.metrics.as_fd().as_raw_fd(),
    ];
    let command = equipped(command, &instruments.allowed, files);
    let held = HeldCommand::create(&command, &files, instruments.errors.as_fd())?;
    let tid = held.pid.as_raw().unsigned_abs();
    threads::follow(instruments.session.ebpf(), tid, tid, state::UNTIL_EXEC)?;
    Ok(held)
}

/// Follows a process that already runs.
fn follow(instruments: &mut Instruments, pid: Pid) -> Result<()> {
    privileges::check_may_watch(pid)?;
    threads::follow_process(instruments.session.ebpf(), pid).map_err(|error| {
        Error::Usage(format!(
            "cannot attach to process {pid}: {error:#}: is it still running?"
        ))
        .into()
    })
}

/// The command with what it needs to find our files, confined as asked. A
/// command that was given no CPUs gets those that we had, not those that we
/// have stepped aside to.
fn equipped(command: &Command, allowed: &[u32], files: [RawFd; 2]) -> Command {
    let mut command = command.clone();
    let names = [phase::FD_VARIABLE, metrics::FD_VARIABLE];
    for (name, fd) in names.into_iter().zip(files) {
        let value = fd.to_string().into();
        command.environment.push((name.into(), value));
    }
    if let Some(user) = &command.user {
        command.environment.extend(user.environment());
    }
    command.cpus = Some(command.cpus.unwrap_or_else(|| allowed.to_vec()));
    command
}

/// The CPUs that the profiler should keep off.
pub(super) fn busy_cpus(subject: &Subject) -> Vec<u32> {
    match subject {
        Subject::Command(command) => command.cpus.clone().unwrap_or_default(),
        Subject::Process(_) => Vec::new(),
        Subject::Cpus(cpus) => cpus.clone(),
    }
}

impl Instruments {
    /// What the supervisor works with.
    fn watch<'a>(&'a mut self, opened: &'a mut Opened) -> (Watch<'a>, &'a mut Signals) {
        let watch = Watch {
            session: &mut self.session,
            phases: &mut self.phases,
            kernel_log: &mut self.kernel_log,
            allocations: &mut self.allocations,
            mappings: self.mappings.as_mut(),
            memory: &mut self.memory,
            timeline: &mut self.timeline,
            errors: &self.errors,
            opened,
        };
        (watch, &mut self.signals)
    }
}

/// What the supervisor may look at while it waits.
struct Watch<'a> {
    session: &'a mut Session,
    phases: &'a mut Phases,
    kernel_log: &'a mut KernelLog,
    allocations: &'a mut Allocations,
    mappings: Option<&'a mut Tracker>,
    memory: &'a mut MemoryWatch,
    timeline: &'a mut Option<Recorder>,
    errors: &'a Mailbox,
    opened: &'a mut Opened,
}

impl Counting for Watch<'_> {
    fn suspend(&mut self, tid: u32) {
        Followed(self.session.ebpf()).suspend(tid);
    }

    fn resume(&mut self, tid: u32, was_born: bool) {
        Followed(self.session.ebpf()).resume(tid, was_born);
    }

    fn ending(&mut self, tid: u32, unlocked_bytes: Option<u64>) {
        self.memory.ending(tid, unlocked_bytes);
    }
}

/// The thread table, as the one that counts.
struct Followed<'a>(&'a mut Ebpf);

impl Counting for Followed<'_> {
    fn suspend(&mut self, tid: u32) {
        if let Err(error) = threads::suspend(self.0, tid) {
            log::warn!("the system call made for thread {tid} is in the counts: {error:#}");
        }
    }

    fn resume(&mut self, tid: u32, was_born: bool) {
        if let Err(error) = threads::resume(self.0, tid, was_born) {
            log::debug!("thread {tid} is not counted any more: {error:#}");
        }
    }
}

impl Watched for Watch<'_> {
    fn alive(&mut self) -> Vec<u32> {
        threads::alive(self.session.ebpf())
    }

    fn close(&mut self) -> Result<()> {
        if let Some(recorder) = self.timeline {
            recorder.give_up();
        }
        self.opened.close(self.session, self.phases)
    }

    fn reading_due(&self) -> Option<Instant> {
        let recorder = self.timeline.as_ref()?;
        Some(recorder.due().into())
    }

    fn read_counts(&mut self) {
        let Some(recorder) = self.timeline else {
            return;
        };
        self.phases.sample();
        if let Err(error) = recorder.read(self.session.ebpf()) {
            log::warn!("the timeline ends here: {error:#}");
            recorder.give_up();
        }
    }

    fn look(&mut self) {
        self.phases.sample();
        self.kernel_log.pass_on();
        self.errors.trim();
        self.allocations.drain();
        let is_memory_due = self.opened.closed.is_none() && self.memory.is_due();
        if self.mappings.is_some() || is_memory_due {
            let threads = threads::alive(self.session.ebpf());
            if let Some(mappings) = &mut self.mappings {
                mappings.look(&threads);
            }
            if is_memory_due {
                self.memory.look(&threads);
            }
        }
    }
}
