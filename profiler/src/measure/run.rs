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
        allocations::Allocations,
        disturbance::{self, DisturbanceRow},
        faults,
        interruption::{self, PurposeRow, SenderRow},
        maps,
        memory::MemoryWatch,
        numa_hints::{self, NumaHints},
        phases::Phases,
        snapshot::{Own, Snapshot},
        threads,
        timeline::Recorder,
        user_code::CodeTable,
    },
    error::Error,
    kernel::{block, symbols::Symbols, version::Host},
    launch::signals::Signals,
    probe::{kernel_log::KernelLog, privileges, session::Session, settings::Extras},
    symbolize::{self, user::Kept},
    sys,
};

/// Carries a plan out.
///
/// # Errors
/// [`crate::error::Error`] where the user can do something about it.
pub fn measure(plan: &Plan) -> Result<Snapshot> {
    privileges::check()?;
    sys::raise_open_files();
    let cpu_before = window::own_cpu_ns();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the event loop")?;
    let measured = runtime.block_on(measure_async(plan));
    let mut snapshot =
        measured.map_err(|error| Error::of_open_files(&error).map_or(error, Into::into))?;
    snapshot.own.all_cpu_ns += window::own_cpu_ns().saturating_sub(cpu_before);
    Ok(snapshot)
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
        metrics: Mailbox::create(workload::metrics::FILE_NAME)?,
        errors: Mailbox::create(c"modeswitch-errors")?,
        allocations: Allocations::open(session.ebpf())?,
        session,
        kernel_log,
        mappings: None,
        allowed,
        memory: MemoryWatch::default(),
        timeline: None,
    };
    let observed = observe::observe(&mut bench, plan).await?;
    bench.session.stop();
    bench.kernel_log.pass_on();
    if let Err(error) = affinity::set(&bench.allowed) {
        log::debug!("cannot go back to all CPUs: {error}");
    }
    let own = Own {
        cpu: <[u32; 1]>::try_from(cpus.clone()).ok().map(|[cpu]| cpu),
        entries: None,
        cpus,
        apart,
        cpu_ns: window::own_cpu_ns().saturating_sub(cpu_before),
        all_cpu_ns: 0,
    };
    collect(plan, bench, observed, own, &symbols)
}

/// NUMA-hint faults of the machine, and whose they were.
fn numa_hints(session: &mut Session, machine: Option<u64>) -> Result<Option<NumaHints>> {
    let Some(machine) = machine else {
        return Ok(None);
    };
    let seen = if session.sees_numa_hints() {
        Some(numa_hints::seen(session.ebpf())?)
    } else {
        None
    };
    Ok(Some(NumaHints { machine, seen }))
}

/// What is known of interrupts beside their number.
struct Interruptions {
    purposes: Vec<PurposeRow>,
    /// Nothing where it was not asked, or cannot be seen.
    senders: Option<Vec<SenderRow>>,
    /// Nothing where it was not asked.
    disturbances: Option<Vec<DisturbanceRow>>,
}

fn interruptions(session: &mut Session, extras: Extras) -> Result<Interruptions> {
    let shows_senders = extras.senders && session.shows_senders();
    let ebpf = session.ebpf();
    Ok(Interruptions {
        purposes: interruption::purposes(ebpf)?,
        senders: shows_senders
            .then(|| interruption::senders(ebpf))
            .transpose()?,
        disturbances: extras
            .disturbance
            .then(|| disturbance::rows(ebpf))
            .transpose()?,
    })
}

/// Reads everything out and puts it together.
fn collect(
    plan: &Plan,
    bench: Bench,
    observed: Observed,
    own: Own,
    symbols: &Symbols,
) -> Result<Snapshot> {
    let Bench {
        mut session,
        signals,
        phases,
        metrics,
        errors,
        allocations,
        mappings,
        memory,
        timeline,
        ..
    } = bench;
    let (allocations, stack_copies, allocations_not_kept) = allocations.finish();
    let unavailable = session.unavailable.clone();
    let ebpf = session.ebpf();
    let mut faults = faults::record(
        ebpf,
        plan.settings.faults,
        observed.closed.fault_counts,
        unavailable,
    )?;
    faults.numa_hints = numa_hints(&mut session, observed.closed.numa_hints)?;
    let ebpf = session.ebpf();
    let threads = threads::all(ebpf)?;
    let (mappings, files, jit) = mappings
        .map(|mappings| mappings.finish(&threads))
        .unwrap_or_default();
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
    let interruptions = interruptions(&mut session, plan.settings.extras)?;
    let ebpf = session.ebpf();
    let kernel_symbols = symbolize::kernel::names(&rows, &stacks, symbols)
        .into_iter()
        .chain(symbolize::kernel::functions(
            &interruptions.purposes,
            interruptions.senders.as_deref().unwrap_or_default(),
            symbols,
        ))
        .collect();
    let closed = observed.closed;
    let phase_times = phases.times(closed.ended_ns, closed.window.duration_ns, &rows);
    let mut snapshot = Snapshot {
        faults,
        submissions,
        poll_queues: block::poll_queues(),
        purposes: interruptions.purposes,
        senders: interruptions.senders,
        disturbances: interruptions.disturbances,
        overflow: maps::overflow(ebpf)?,
        losses: maps::losses(ebpf)?,
        threads,
        mappings,
        allocations,
        allocation_stacks: Vec::new(),
        allocations_not_kept,
        code: CodeTable::default(),
        kernel_symbols,
        rows,
        stacks,
        programs: session.programs.clone(),
        families: session.families,
        backend_reason: session.reason.clone(),
        stack_policy: plan.settings.stacks,
        phases: phase_times,
        window: closed.window,
        target: describe::target(&plan.subject, observed.pid),
        ending: describe::ending(&observed.outcome),
        usage: observed.outcome.ended.map(|(_, usage)| usage),
        host: Host::read(),
        interrupts_before: observed.interrupts_before,
        interrupts_after: closed.interrupts,
        io: metrics::understand(&metrics.text()?),
        errors: errors.text()?,
        own,
        memory: memory.most(),
        prefault: observed.prefault.map(describe::prefault),
        phase_spans: phases.spans(closed.ended_ns),
        timeline: timeline.map(Recorder::finish),
    };
    let kept = Kept {
        files,
        jit,
        stacks: stack_copies,
    };
    // The command was a child, too, but that is over.
    let helpers_before = window::children_cpu_ns();
    symbolize::user::name_all(&mut snapshot, &kept, &mut || signals.is_asked_to_end());
    snapshot.own.all_cpu_ns = window::children_cpu_ns().saturating_sub(helpers_before);
    Ok(snapshot)
}
