//! Attaching one program, and keeping its link.

use anyhow::{Context, Result, bail};
use aya::{
    Btf, Ebpf,
    programs::{
        BtfTracePoint, FEntry, KProbe, Program, RawTracePoint, TracePoint, fentry::FEntryLink,
        kprobe::KProbeLink, perf_event::PerfEventLink, raw_trace_point::RawTracePointLink,
        tp_btf::BtfTracePointLink, trace_point::TracePointLink,
    },
};

use aya_obj::btf::BtfKind;

use super::{attach_point::AttachPoint, catalog::Probe};

/// A program that is attached. It is detached when this is dropped.
#[expect(dead_code, reason = "held for what dropping it does")]
pub(crate) enum Link {
    Tracepoint(BtfTracePointLink),
    PerfTracepoint(TracePointLink),
    RawTracepoint(RawTracePointLink),
    Fentry(FEntryLink),
    Kprobe(KProbeLink),
    PerfEvent(PerfEventLink),
}

/// Loads and attaches one program.
///
/// # Errors
/// If this kernel cannot take the program or has no such place. The error tells
/// which of the two it was.
pub(crate) fn attach(ebpf: &mut Ebpf, btf: &Btf, probe: &Probe) -> Result<Link> {
    let program = find(ebpf, probe.program)?;
    check_there(btf, probe.at)?;
    match probe.at {
        AttachPoint::Tracepoint(name) => {
            let program: &mut BtfTracePoint = program.try_into()?;
            program
                .load(name, btf)
                .with_context(|| format!("this kernel does not take a program on {name}"))?;
            let link = program.attach()?;
            Ok(Link::Tracepoint(program.take_link(link)?))
        }
        AttachPoint::PerfTracepoint(group, name) => {
            let program: &mut TracePoint = program.try_into()?;
            program
                .load()
                .with_context(|| format!("this kernel does not take a program on {name}"))?;
            let link = program
                .attach(group, name)
                .with_context(|| format!("this kernel does not open the event {group}:{name}"))?;
            Ok(Link::PerfTracepoint(program.take_link(link)?))
        }
        AttachPoint::RawTracepoint(name) => {
            let program: &mut RawTracePoint = program.try_into()?;
            program
                .load()
                .with_context(|| format!("this kernel does not take a program on {name}"))?;
            let link = program.attach(name)?;
            Ok(Link::RawTracepoint(program.take_link(link)?))
        }
        AttachPoint::Fentry(function) => {
            let program: &mut FEntry = program.try_into()?;
            program
                .load(function, btf)
                .with_context(|| format!("this kernel does not take fentry on {function}"))?;
            let link = program
                .attach()
                .with_context(|| format!("this kernel does not attach fentry to {function}"))?;
            Ok(Link::Fentry(program.take_link(link)?))
        }
        AttachPoint::Kprobe(function) => {
            let program: &mut KProbe = program.try_into()?;
            program
                .load()
                .with_context(|| format!("this kernel does not take a kprobe on {function}"))?;
            let link = program
                .attach(function, 0)
                .with_context(|| format!("this kernel does not attach a kprobe to {function}"))?;
            Ok(Link::Kprobe(program.take_link(link)?))
        }
    }
}

/// The kernel has no place for a program.
#[derive(Debug, thiserror::Error)]
#[error("this kernel has no {kind} {name}")]
pub(super) struct Absent {
    kind: &'static str,
    name: String,
}

/// Checks that this kernel has the place at all: its own words for that are
/// hard to understand.
fn check_there(btf: &Btf, at: AttachPoint) -> Result<(), Absent> {
    let is_there = |name: &str, kind| btf.id_by_type_name_kind(name, kind).is_ok();
    match at {
        AttachPoint::Tracepoint(name)
        | AttachPoint::PerfTracepoint(_, name)
        | AttachPoint::RawTracepoint(name) => {
            if !is_there(&format!("btf_trace_{name}"), BtfKind::Typedef) {
                return Err(Absent {
                    kind: "tracepoint",
                    name: name.to_owned(),
                });
            }
        }
        AttachPoint::Fentry(function) => {
            if !is_there(function, BtfKind::Func) {
                return Err(Absent {
                    kind: "function",
                    name: function.to_owned(),
                });
            }
        }
        // Its own symbol table decides.
        AttachPoint::Kprobe(_) => {}
    }
    Ok(())
}

/// A program of the object.
pub(crate) fn find<'a>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut Program> {
    match ebpf.program_mut(name) {
        Some(program) => Ok(program),
        None => bail!("the eBPF object has no program named {name}"),
    }
}
