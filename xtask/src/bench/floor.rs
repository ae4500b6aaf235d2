//! The floor: an empty program on the tracepoint that ours is on.

use anyhow::{Context as _, Result};
use aya::programs::RawTracePoint;
use aya::{Ebpf, EbpfLoader};

use crate::workspace;

/// The program's name in the object.
const PROGRAM: &str = "floor";
/// The tracepoint that it does nothing on.
const TRACEPOINT: &str = "sys_exit";

/// The empty program, attached until this is dropped.
pub(super) struct Floor {
    _ebpf: Ebpf,
}

/// Attaches the empty program.
pub(super) fn attach() -> Result<Floor> {
    let path = workspace::here().object();
    let mut ebpf = EbpfLoader::new()
        .load_file(&path)
        .with_context(|| format!("cannot load {}", path.display()))?;
    let program: &mut RawTracePoint = ebpf
        .program_mut(PROGRAM)
        .with_context(|| format!("{} has no program {PROGRAM}", path.display()))?
        .try_into()?;
    program.load()?;
    program.attach(TRACEPOINT)?;
    Ok(Floor { _ebpf: ebpf })
}
