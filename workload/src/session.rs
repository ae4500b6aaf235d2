//! One run with one ring: set-up, steady state, teardown.

use std::io;

use profiler_common::phase::{STEADY, TEARDOWN};

use crate::{
    bitmap::BlockMap,
    cli::BitmapKind,
    clock::Clock,
    device::Device,
    engine::{Engine, Limit, Load},
    error::WorkloadError,
    findings::Findings,
    latency::Latencies,
    plan::{Plan, RingMode},
    ring::{Ring, RingPlan, SQ_IDLE_MS},
    sq_thread,
    summary::IoSummary,
    sys::{
        affinity::Pinned,
        huge_pages,
        memory::{Backing, Fill, LockedMemory, Mapping, NoNumaHints, touch_stack},
        process::monotonic_ns,
    },
    target::Target,
};

/// Blocks from which the first reads come: a map of its own keeps the real one
/// untouched.
const WARM_UP_BLOCKS: u64 = 4096;

/// Reads that warm up the ring, the kernel's paths and our own code.
const WARM_UP_IOS: u64 = 1024;

/// Is told where steady state begins and ends. Nothing but the load comes
/// between.
pub(crate) trait Phases {
    fn enter(&self, phase: u32);
}

/// How a run ended.
pub(crate) enum Ended {
    Finished(Box<IoSummary>),
    /// The first completion said that this target cannot be polled.
    CannotPoll,
}

/// Runs the load with one ring mode. `started_ns` is when set-up began.
pub(crate) fn run(
    plan: &Plan,
    target: &Target,
    mode: RingMode,
    phases: &dyn Phases,
    started_ns: u64,
) -> Result<Ended, WorkloadError> {
    let blocks = target.blocks(plan.block_size)?;
    let _pinned = Pinned::to(plan.placement.user)
        .map_err(WorkloadError::system("cannot bind the thread to its CPU"))?;
    let _no_hints = (!plan.numa_hints).then(NoNumaHints::begin).flatten();
    let memory = Mapping::anonymous(plan.depth as usize * plan.block_size as usize, Fill::Now)
        .map_err(WorkloadError::system("cannot map the I/O memory"))?;
    // Made after the memory that the kernel writes to, and so gone before it.
    let mut ring = prepare_ring(plan, mode, target, &memory)?;
    let ring_fd = ring.fd();
    let (clock, clock_note) = Clock::calibrate();
    let load = Load {
        memory: target.file.is_some().then_some(&memory),
        block_size: plan.block_size,
        depth: plan.depth,
        batch: plan.batch,
        sqpoll: mode.sqpoll,
        seed: plan.seed,
    };
    let mut engine = Engine::new(&mut ring.io, load, clock, Latencies::new()?);
    let mut warm_up_map = block_map(blocks.min(WARM_UP_BLOCKS), Fill::Now.into())?.0;
    let backing = backing(plan.bitmap);
    let prefaulted = if backing.is_populated() {
        Some(block_map(blocks, backing)?)
    } else {
        None
    };
    touch_stack();
    let locked = LockedMemory::lock();
    // The lazy map comes after the lock, which would populate it.
    let (mut map, populate_ns) = match prefaulted {
        Some(ready) => ready,
        None => block_map(blocks, backing)?,
    };

    let huge_note = no_huge_pages(plan.bitmap, &map);

    match warm_up(&mut engine, &mut warm_up_map, plan.depth)? {
        None => {}
        Some(libc::EOPNOTSUPP) if mode.iopoll => return Ok(Ended::CannotPoll),
        Some(errno) => {
            return Err(WorkloadError::FirstRead {
                target: target.name.clone(),
                source: io::Error::from_raw_os_error(errno),
            });
        }
    }
    // By now it has run, and has its name.
    let sq_thread = mode.sqpoll.then(|| sq_thread::of_ring(ring_fd)).flatten();
    let limit = limit(plan, clock);
    let device = target.device.as_ref();
    let irqs_before = device.and_then(Device::interrupts);

    let setup_ns = monotonic_ns() - started_ns;
    phases.enter(STEADY);
    let ended = engine.run(&mut map, limit);
    phases.enter(TEARDOWN);

    let irqs_after = device.and_then(Device::interrupts);
    let findings = Findings {
        plan,
        target,
        mode,
        flags: &ring.flags,
        sq_thread,
        clock,
        tally: ended.map_err(WorkloadError::system("io_uring_enter failed"))?,
        latency_ns: engine.latencies().percentiles(),
        map: &map,
        populate_ns,
        setup_ns,
        device_irqs: irqs_after
            .zip(irqs_before)
            .map(|(after, before)| after.saturating_sub(before)),
        notes: (ring.notes.iter().cloned())
            .chain(clock_note)
            .chain(huge_note)
            .collect(),
        lock_refused: locked.err(),
    };
    Ok(Ended::Finished(Box::new(findings.summary())))
}

/// Says so if a bitmap was to have huge pages and has none.
fn no_huge_pages(kind: BitmapKind, map: &BlockMap) -> Option<String> {
    let has_none = kind == BitmapKind::Huge && map.huge_bytes() == Some(0);
    has_none.then(|| {
        format!(
            "the bitmap was given no huge pages, and has ordinary ones: {}; one of less than \
             4 MiB (16 GiB of 512-byte blocks) may have no room for any",
            huge_pages::setting()
        )
    })
}

/// Where a kind of bitmap has its memory from.
pub(crate) const fn backing(kind: BitmapKind) -> Backing {
    match kind {
        BitmapKind::Lazy => Backing::Private(Fill::OnTouch),
        BitmapKind::Prefault => Backing::Private(Fill::Now),
        BitmapKind::Malloc => Backing::Malloc,
        BitmapKind::PrivatePopulate => Backing::PrivatePopulate,
        BitmapKind::Shared => Backing::Shared,
        BitmapKind::SharedPopulate => Backing::SharedPopulate,
        BitmapKind::Huge => Backing::Huge,
    }
}

fn prepare_ring(
    plan: &Plan,
    mode: RingMode,
    target: &Target,
    memory: &Mapping,
) -> Result<Ring, WorkloadError> {
    let ring = Ring::build(&RingPlan {
        mode,
        depth: plan.depth,
        sq_cpu: plan.placement.sq,
        sq_idle_ms: SQ_IDLE_MS,
    })?;
    if let Some(file) = &target.file {
        ring.register_file(file)?;
        // SAFETY: the caller drops the ring before the memory, and nothing
        // makes a reference to the memory's contents.
        unsafe { ring.register_buffer(memory) }?;
    }
    Ok(ring)
}

/// A map, and the nanoseconds that making it took.
fn block_map(blocks: u64, backing: Backing) -> Result<(BlockMap, u64), WorkloadError> {
    let began = monotonic_ns();
    let map =
        BlockMap::new(blocks, backing).map_err(WorkloadError::system("cannot map the bitmap"))?;
    Ok((map, monotonic_ns() - began))
}

/// The first reads, by the same code as the later ones. Gives the errno with
/// which they failed, if they did.
fn warm_up(
    engine: &mut Engine<'_>,
    map: &mut BlockMap,
    depth: u32,
) -> Result<Option<i32>, WorkloadError> {
    let limit = Limit {
        ios: WARM_UP_IOS.max(u64::from(depth) * 4),
        ticks: u64::MAX,
    };
    let tally = engine
        .run(map, limit)
        .map_err(WorkloadError::system("io_uring_enter failed"))?;
    engine.clear_latencies();
    // A short read has no errno of its own.
    Ok(tally
        .first_error
        .map(|result| if result < 0 { -result } else { libc::EIO }))
}

fn limit(plan: &Plan, clock: Clock) -> Limit {
    Limit {
        ios: plan.ios.unwrap_or(u64::MAX),
        ticks: plan.duration.map_or(u64::MAX, |duration| {
            clock.ticks_in(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
        }),
    }
}
