//! One measurement from beginning to end.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::unistd::Pid;

use super::{
    affinity, describe,
    metrics::{self, Mailbox},
    observe::{self, Bench, Observed},
    window,
};
use crate::{
    collect::{
        maps,
        phases::Phases,
        snapshot::{Own, Snapshot},
        threads,
    },
    kernel::{interrupts::Interrupts, symbols::Symbols, version::Host},
    launch::{command::Command, signals::Signals},
    probe::{kernel_log, privileges, session::Session, settings::Settings},
    symbolize,
};

/// What to measure.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A command, and all that it creates.
    Command(Box<Command>),
    /// A running process, and all that it creates.
    Process(Pid),
    /// Everything on some CPUs.
    Cpus(Vec<u32>),
}

/// What to measure, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What.
    pub subject: Subject,
    /// With which probes.
    pub settings: Settings,
    /// For how long at most.
    pub duration: Option<Duration>,
}

/// Carries a plan out.
///
/// # Errors
/// [`crate::error::Error`] where the user can do something about it.
pub fn measure(plan: &Plan) -> Result<Snapshot> {
    privileges::check()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the event loop")?;
    tokio::task::LocalSet::new().block_on(&runtime, measure_async(plan))
}

async fn measure_async(plan: &Plan) -> Result<Snapshot> {
    let symbols = Symbols::read()?;
    let mut session = Session::start(&plan.settings, &symbols)?;
    if plan.settings.diagnostics {
        kernel_log::forward(session.ebpf())?;
    }
    let allowed = affinity::allowed();
    let (cpus, apart) = affinity::step_aside(&observe::busy_cpus(&plan.subject));
    let cpu_before = window::own_cpu_ns();
    let mut bench = Bench {
        signals: Signals::take_over()?,
        phases: Phases::map(session.ebpf())?,
        metrics: Mailbox::create(c"modeswitch-metrics")?,
        errors: Mailbox::create(c"modeswitch-errors")?,
        session,
        allowed,
    };
    let observed = observe::observe(&mut bench, plan).await?;
    bench.session.stop();
    let interrupts_after = Interrupts::read();
    if let Err(error) = affinity::set(&bench.allowed) {
        log::debug!("cannot go back to all CPUs: {error}");
    }
    let own = Own {
        cpus,
        apart,
        cpu_ns: window::own_cpu_ns().saturating_sub(cpu_before),
    };
    collect(plan, bench, observed, interrupts_after, own, &symbols)
}

/// Reads everything out and puts it together.
fn collect(
    plan: &Plan,
    bench: Bench,
    observed: Observed,
    interrupts_after: Interrupts,
    own: Own,
    symbols: &Symbols,
) -> Result<Snapshot> {
    let Bench {
        mut session,
        phases,
        metrics,
        errors,
        ..
    } = bench;
    let ebpf = session.ebpf();
    let rows = maps::ledger(ebpf)?;
    let stacks = if plan.settings.stacks.interval() == 0 {
        Vec::new()
    } else {
        maps::stacks(ebpf)?
    };
    Ok(Snapshot {
        overflow: maps::overflow(ebpf)?,
        losses: maps::losses(ebpf)?,
        threads: threads::all(ebpf)?,
        kernel_symbols: symbolize::kernel::names(&rows, &stacks, symbols),
        rows,
        stacks,
        programs: session.programs.clone(),
        families: session.families,
        backend_reason: session.reason.clone(),
        stack_policy: plan.settings.stacks.name().to_owned(),
        phases: phases.times(observed.ended_ns, observed.window.duration_ns),
        window: observed.window,
        target: describe::target(&plan.subject, observed.pid),
        ending: describe::ending(&observed.outcome),
        usage: observed.outcome.ended.map(|(_, usage)| usage),
        host: Host::read(),
        interrupts_before: observed.interrupts_before,
        interrupts_after,
        io: metrics::understand(&metrics.text()?),
        errors: errors.text()?,
        own,
    })
}
