//! One measurement from beginning to end.

use anyhow::{Context, Result};

use super::{
    affinity, describe,
    metrics::{self, Mailbox},
    observe::{self, Instruments, Observed},
    plan::Plan,
    window,
};
use crate::{
    classify::entries::Entries,
    collect::{
        allocations::Allocations,
        counts::Counts,
        faults,
        interruption::Interruptions,
        kernel_symbols,
        memory::MemoryWatch,
        phases::Phases,
        snapshot::{Machine, ProfilerRun, Run, Snapshot},
        threads,
        timeline::Recorder,
    },
    error::Error,
    kernel::{block, symbols::Symbols, version},
    launch::signals::Signals,
    probe::{kernel_log::KernelLog, session::Session},
    symbolize::{measurement::Measurement, places::Kept, user},
    sys::{self, privileges},
};

/// Carries a plan out.
///
/// # Errors
/// [`crate::error::Error`] where the user can do something about it.
pub fn measure(plan: &Plan) -> Result<Measurement> {
    privileges::check()?;
    sys::raise_open_files();
    let cpu_before = window::own_cpu_ns();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the event loop")?;
    let measured = runtime.block_on(measure_async(plan));
    let mut measurement =
        measured.map_err(|error| Error::of_open_files(&error).map_or(error, Into::into))?;
    measurement.profiler_cpu_ns += window::own_cpu_ns().saturating_sub(cpu_before);
    Ok(measurement)
}

async fn measure_async(plan: &Plan) -> Result<Measurement> {
    let symbols = Symbols::read()?;
    let mut session = Session::start(&plan.settings, &symbols)?;
    let kernel_log = KernelLog::open(session.ebpf(), plan.settings.diagnostics)?;
    let allowed = affinity::allowed();
    let (cpus, is_apart) = affinity::step_aside(&observe::busy_cpus(&plan.subject));
    let cpu_before = window::own_cpu_ns();
    let mut instruments = Instruments {
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
    let observed = observe::observe(&mut instruments, plan).await?;
    instruments.session.stop();
    instruments.kernel_log.pass_on();
    if let Err(error) = affinity::set(&instruments.allowed) {
        log::debug!("cannot go back to all CPUs: {error}");
    }
    let profiler = ProfilerRun {
        cpus,
        is_apart,
        cpu_ns: window::own_cpu_ns().saturating_sub(cpu_before),
    };
    collect(plan, instruments, observed, profiler, &symbols)
}

/// Reads everything out, and finds causes and names for it.
fn collect(
    plan: &Plan,
    instruments: Instruments,
    observed: Observed,
    profiler: ProfilerRun,
    symbols: &Symbols,
) -> Result<Measurement> {
    let Instruments {
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
    } = instruments;
    let closed = observed.closed;
    let (allocations, stacks) = allocations.finish();
    let faults = faults::record(
        &mut session,
        plan.settings.faults,
        closed.fault_counts,
        closed.numa_hints,
    )?;
    let threads = threads::all(session.ebpf())?;
    let (mappings, files, jit) = mappings
        .map(|mappings| mappings.finish(&threads))
        .unwrap_or_default();
    let counts = Counts::read(session.ebpf(), &plan.settings)?;
    let interruptions = Interruptions::read(&mut session, plan.settings.extras)?;
    let snapshot = Snapshot {
        run: Run {
            target: describe::target(&plan.subject, observed.pid),
            window: closed.window,
            ending: describe::ending(&observed.outcome),
            usage: observed.outcome.ended.map(|(_, usage)| usage),
            errors: errors.text()?,
            memory: memory.most(),
            prefault: observed.prefault.map(describe::prefault),
            stack_policy: plan.settings.stacks,
            profiler,
        },
        machine: Machine {
            host: version::host(),
            interrupts_before: observed.interrupts_before,
            interrupts_after: closed.interrupts,
            poll_queues: block::poll_queues(),
        },
        kernel_symbols: kernel_symbols::of(&counts, &interruptions, symbols),
        phases: phases.record(closed.ended_ns, closed.window.duration_ns, &counts.rows),
        probes: session.probes.clone(),
        counts,
        threads,
        mappings,
        allocations,
        faults,
        interruptions,
        timeline: timeline.map(Recorder::finish),
    };
    let io = metrics::understand(&metrics.text()?);
    let entries = Entries::of(&snapshot);
    let kept = Kept { files, jit, stacks };
    // The command was a child, too, but that is over.
    let helpers_before = window::children_cpu_ns();
    let names = user::names(&snapshot, &entries, &kept, &mut || {
        signals.is_asked_to_end()
    });
    let mut measurement = Measurement::new(snapshot, entries, names);
    measurement.io = io;
    measurement.profiler_cpu_ns = window::children_cpu_ns().saturating_sub(helpers_before);
    Ok(measurement)
}
