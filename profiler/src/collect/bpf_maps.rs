//! Reading the programs' maps.

use anyhow::{Context, Result};
use aya::{
    Ebpf, Pod,
    maps::{HashMap, MapData, PerCpuArray, StackTraceMap},
};
use profiler_common::{key::WITHOUT_INNERMOST, names::map};

use super::row::UNKNOWN_FRAME;

/// Finds the frames of a stack by its id: none for the id of no stack.
pub(super) fn frames_of(ebpf: &Ebpf) -> Result<impl Fn(i32) -> Vec<u64>> {
    let traces: StackTraceMap<&MapData> = find(ebpf, map::STACKS)?.try_into()?;
    Ok(move |id: i32| -> Vec<u64> {
        let is_short = id > 0 && id & WITHOUT_INNERMOST != 0;
        let Ok(plain) = u32::try_from(id & !WITHOUT_INNERMOST) else {
            return Vec::new();
        };
        let Ok(trace) = traces.get(&plain, 0) else {
            return Vec::new();
        };
        let innermost = is_short.then_some(UNKNOWN_FRAME);
        let stored = trace.frames().iter().map(|frame| frame.ip);
        innermost.into_iter().chain(stored).collect()
    })
}

/// A name as the kernel stores it.
pub(super) fn text(bytes: &[u8; 16]) -> String {
    let length = bytes
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

/// Every row of a hash map.
pub(super) fn hash<K: Pod, V: Pod>(ebpf: &Ebpf, name: &str) -> Result<Vec<(K, V)>> {
    let table: HashMap<&MapData, K, V> = find(ebpf, name)?.try_into()?;
    table
        .iter()
        .collect::<Result<_, _>>()
        .with_context(|| format!("cannot read the map {name}"))
}

/// Each element of a per-CPU array, summed over the CPUs.
pub(super) fn per_cpu_totals(ebpf: &Ebpf, name: &str) -> Result<Vec<u64>> {
    let array: PerCpuArray<&MapData, u64> = find(ebpf, name)?.try_into()?;
    array
        .iter()
        .map(|values| Ok(values?.iter().sum()))
        .collect()
}

/// A map of the object.
pub(super) fn find<'a>(ebpf: &'a Ebpf, name: &str) -> Result<&'a aya::maps::Map> {
    ebpf.map(name)
        .with_context(|| format!("the eBPF object has no map named {name}"))
}
