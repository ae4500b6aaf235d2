//! What the programs are told before they are loaded, and how much room they get.

use std::path::Path;

use anyhow::Result;
use aya::Btf;
use profiler_common::{
    config::{ProbeConfig, filter},
    fault_config::FaultConfig,
    names::map,
};

use super::settings::{FaultLevel, Filter, Settings};
use crate::{
    gap::{Gap, Unavailable},
    kernel::{
        self, fault_layout,
        layout::{Layout, VMLINUX_BTF},
        symbols::Symbols,
        version::{self, X32_BIT},
    },
};

/// Threads whose page fault may turn out to be major: as many as can be followed.
const PENDING_FAULTS: u32 = 32_768;

/// The constants of this measurement.
pub(super) fn config(
    settings: &Settings,
    symbols: &Symbols,
    unavailable: &mut Vec<Unavailable>,
) -> Result<ProbeConfig> {
    let btf = kernel::btf::Btf::read(Path::new(VMLINUX_BTF))?;
    let layout = Layout::of(&btf)?;
    let mut fault = FaultConfig::COUNT_ONLY;
    if settings.faults != FaultLevel::Count {
        match fault_layout::of(&btf) {
            Ok(found) => fault = found,
            Err(error) => unavailable.push(Unavailable::new(
                Gap::FaultKindAndMapping,
                format!("{error:#}"),
            )),
        }
        fault.level = settings.faults.code();
    }
    Ok(ProbeConfig {
        entry_text: symbols.entry_text(kernel::memory::cpu_has("fred")?)?,
        fault,
        task_stack_offset: layout.task_stack,
        stack_to_regs_offset: layout.stack_to_regs,
        task_pid_offset: layout.task_pid,
        task_tgid_offset: layout.task_tgid,
        task_flags_offset: layout.task_flags,
        task_comm_offset: layout.task_comm,
        task_state_offset: layout.task_state,
        task_status_offset: layout.task_status,
        irqaction_next_offset: layout.irqaction_next,
        filter: match settings.filter {
            Filter::Threads => filter::THREADS,
            Filter::Cpus(_) => filter::CPUS,
        },
        stack_interval: settings.stacks.interval(),
        own_tgid: std::process::id(),
        stack_kinds: settings.stacks.kinds(),
        worker_flags: layout.worker_flags,
        x32_bit: if version::has_x32() { X32_BIT } else { 0 },
        has_substitutes: u32::from(version::preempts_tracepoints()),
    })
}

/// Room for what is kept of page faults.
pub(super) fn maps_of_faults(settings: &Settings) -> [(&'static str, u32); 4] {
    let (pages, mappings) = match settings.faults {
        FaultLevel::Count => (1, 1),
        FaultLevel::Kind => (1, settings.fault_mappings()),
        FaultLevel::Pages => (settings.fault_pages, settings.fault_mappings()),
    };
    let pending = if settings.faults == FaultLevel::Count {
        1
    } else {
        PENDING_FAULTS
    };
    [
        (map::PAGES, pages),
        (map::UNPAGED, if pages == 1 { 1 } else { mappings }),
        (map::MAPPINGS, mappings),
        (map::PENDING_FAULTS, pending),
    ]
}

/// Whether the kernel has `bpf_task_pt_regs`, which tells where a thread's
/// registers are without knowing the layout of its stack.
pub(super) fn has_kernel_helper(btf: &Btf) -> bool {
    use aya_obj::btf::BtfKind;
    btf.id_by_type_name_kind("bpf_task_pt_regs", BtfKind::Func)
        .is_ok()
}
