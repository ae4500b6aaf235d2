//! The program on the kernel's own event for major faults, on every CPU.

use anyhow::{Context, Result, anyhow};
use aya::{
    Ebpf,
    programs::{
        PerfEvent,
        perf_event::{PerfEventConfig, PerfEventScope, SamplePolicy, SoftwareEvent},
    },
};
use profiler_common::names::program;

use super::links::{self, Link};

/// Loads the program and attaches it to each CPU.
///
/// # Errors
/// If this kernel does not take it.
pub(super) fn attach(ebpf: &mut Ebpf) -> Result<Vec<Link>> {
    let cpus = aya::util::online_cpus()
        .map_err(|(what, error)| anyhow!("{what}: {error}"))
        .context("cannot list the CPUs")?;
    let found = links::find(ebpf, program::MAJOR_FAULT)?;
    let program: &mut PerfEvent = found.try_into()?;
    program
        .load()
        .context("this kernel does not take a program on major faults")?;
    cpus.into_iter()
        .map(|cpu| {
            let link = program
                .attach(
                    PerfEventConfig::Software(SoftwareEvent::PageFaultsMaj),
                    PerfEventScope::AllProcessesOneCpu { cpu },
                    SamplePolicy::Period(1),
                    false,
                )
                .with_context(|| format!("this kernel does not watch major faults on CPU {cpu}"))?;
            Ok(Link::PerfEvent(program.take_link(link)?))
        })
        .collect()
}
