//! Steady state, with the kernel's own counters as witnesses.

use clap::Parser;
use profiler_common::phase::STEADY;

use crate::{
    WorkloadError,
    cli::WorkloadArgs,
    plan::Plan,
    session::{Ended, Phases, run},
    summary::IoSummary,
    sys::{affinity::CpuMask, process::monotonic_ns},
    target::Target,
    testing::{Counter, alone},
    verify::Tracefs,
};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: WorkloadArgs,
}

/// Counts exactly while steady state lasts. Stopping the system call counter
/// is itself the one system call that it sees.
struct Witness {
    faults: Counter,
    calls: Option<Counter>,
}

impl Witness {
    fn new() -> std::io::Result<Self> {
        let calls = Tracefs::open()
            .and_then(|tracefs| tracefs.event_id("raw_syscalls/sys_enter"))
            .and_then(Counter::tracepoint);
        if let Err(error) = &calls {
            eprintln!("system calls are not counted here: {error}");
        }
        Ok(Self {
            faults: Counter::user_page_faults()?,
            calls: calls.ok(),
        })
    }

    fn system_calls(&self) -> Option<u64> {
        self.calls.as_ref().map(|calls| calls.value() - 1)
    }
}

impl Phases for Witness {
    fn enter(&self, phase: u32) {
        if phase == STEADY {
            self.faults.start();
            self.calls.iter().for_each(Counter::start);
        } else {
            self.calls.iter().for_each(Counter::stop);
            self.faults.stop();
        }
    }
}

/// Runs without polling, or says why that cannot be done here.
fn witnessed(options: &str) -> Option<(IoSummary, Witness)> {
    let words = std::iter::once("workload").chain(options.split_whitespace());
    let allowed = CpuMask::of_this_thread().unwrap().cpus();
    let plan = Plan::new(&Line::parse_from(words).args, &allowed).unwrap();
    let witness = match Witness::new() {
        Ok(witness) => witness,
        Err(error) => {
            eprintln!("skipped: no kernel counters here: {error}");
            return None;
        }
    };
    let result = Target::open(&plan.source).and_then(|target| {
        let mode = plan.mode.without_iopoll();
        run(&plan, &target, mode, &witness, monotonic_ns())
    });
    match result {
        Ok(Ended::Finished(summary)) => Some((*summary, witness)),
        Ok(Ended::CannotPoll) => panic!("polling was not asked for"),
        Err(
            error @ (WorkloadError::IoUringMissing
            | WorkloadError::IoUringForbidden
            | WorkloadError::IoUringDisabled(_)
            | WorkloadError::NoDirectory { .. }),
        ) => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_prefaulted_sqpoll_run_makes_no_system_call_and_no_page_fault() {
    let _alone = alone();
    for options in [
        "--mode sqpoll --bitmap prefault --size 1G --ios 200k",
        "--nop --bitmap prefault --size 1G --ios 200k",
    ] {
        let Some((summary, witness)) = witnessed(options) else {
            return;
        };
        assert_eq!((summary.ios, summary.errors), (200_000, 0), "{options}");
        assert_eq!(witness.faults.value(), 0, "{options}");
        let calls = witness.system_calls().unwrap_or(summary.polling.wakeups);
        assert_eq!(calls, summary.polling.wakeups, "{options}");
        assert_eq!(calls, 0, "{options}");
    }
}

#[test]
fn a_lazy_bitmap_costs_exactly_one_page_fault_per_page() {
    let _alone = alone();
    // A bitmap of 64 pages, all of which so many random blocks reach.
    let Some((summary, witness)) = witnessed("--nop --bitmap lazy --size 1G --ios 200k") else {
        return;
    };
    assert_eq!(summary.bitmap.pages, 64);
    assert_eq!(summary.bitmap.pages_touched, 64);
    assert_eq!(witness.faults.value(), 64);
}

#[test]
fn without_sqpoll_every_system_call_is_one_that_was_counted() {
    let _alone = alone();
    let options = "--mode interrupt --bitmap prefault --size 1G --ios 20k";
    let Some((summary, witness)) = witnessed(options) else {
        return;
    };
    assert_eq!((summary.ios, summary.errors), (20_000, 0));
    assert!(summary.polling.enter_calls >= 20_000 / u64::from(summary.depth));
    if let Some(calls) = witness.system_calls() {
        assert_eq!(calls, summary.polling.enter_calls);
    }
}

#[test]
fn every_block_comes_once_per_pass_and_limits_are_exact() {
    let _alone = alone();
    // 1000 blocks: two whole passes and the beginning of a third.
    let Some((summary, _)) = witnessed("--nop --size 512000 --ios 2001 --depth 7 --batch 3") else {
        return;
    };
    assert_eq!((summary.ios, summary.passes), (2001, 2));
    assert_eq!(summary.latency_ns.p999.is_some(), summary.ios >= 1000);
    assert_eq!(summary.latency_ns.p9999, None);
}
