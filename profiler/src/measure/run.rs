//! One measurement from beginning to end.

use anyhow::{Context, Result};

use super::{
    affinity, describe,
    metrics::{self, Mailbox},
    observe::{self, Bench, Observed},
    plan::Plan,
    window,
};
use crate::{
    collect::{
        maps,
        memory::MemoryWatch,
        phases::Phases,
        snapshot::{Own, Snapshot},
        threads,
    },
    kernel::{interrupts::Interrupts, symbols::Symbols, version::Host},
    launch::signals::Signals,
    probe::{kernel_log::KernelLog, privileges, session::Session},
    symbolize,
};

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
    runtime.block_on(measure_async(plan))
}

async fn measure_async(plan: &Plan) -> Result<Snapshot> {
    let symbols = Symbols::read()?;
    let mut session = Session::start(&plan.settings, &symbols)?;
    let kernel_log = KernelLog::open(session.ebpf(), plan.settings.diagnostics)?;
    let allowed = affinity::allowed();
    let (cpus, apart) = affinity::step_aside(&observe::busy_cpus(&plan.subject));
    let cpu_before = window::own_cpu_ns();
    let mut bench = Bench {
        signals: Signals::take_over()?,
        phases: Phases::map(session.ebpf())?,
        metrics: Mailbox::create(c"modeswitch-metrics")?,
        errors: Mailbox::create(c"modeswitch-errors")?,
        session,
        kernel_log,
        allowed,
        memory: MemoryWatch::default(),
    };
    let observed = observe::observe(&mut bench, plan).await?;
    bench.session.stop();
    bench.kernel_log.pass_on();
    let interrupts_after = Interrupts::read();
    if let Err(error) = affinity::set(&bench.allowed) {
        log::debug!("cannot go back to all CPUs: {error}");
    }
    let own = Own {
        cpu: <[u32; 1]>::try_from(cpus.clone()).ok().map(|[cpu]| cpu),
        entries: None,
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
        memory,
        ..
    } = bench;
    let ebpf = session.ebpf();
    let rows = maps::ledger(ebpf)?;
    let stacks = if plan.settings.stacks.interval() == 0 {
        Vec::new()
    } else {
        maps::stacks(ebpf)?
    };
    let submissions = if plan.settings.io_uring {
        Some(maps::submissions(ebpf)?)
    } else {
        None
    };
    Ok(Snapshot {
        submissions,
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
        memory: memory.most(),
        prefault: observed.prefault.map(describe::prefault),
    })
}
