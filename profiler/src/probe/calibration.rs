//! Finding out how page tables are walked on this machine.
//!
//! The kernel has all memory mapped at one address, which it tells nobody and
//! chooses anew at each boot. We fill a page of our own with a number nobody
//! else has, learn from `/proc/self/pagemap` where in memory it is, and let a
//! program look for that number under every address at which the map may begin.
//! Nothing is believed that does not find two pages of ours in the page table.

use anyhow::{Context, Result, bail, ensure};
use aya::{Btf, Ebpf, maps::Array};
use profiler_common::{
    names::{map, program},
    paging::{CANDIDATE_BYTES, CANDIDATES, Calibration, Paging, entry, step},
};

use super::{
    attach_point::AttachPoint,
    catalog::{Probe, Role},
    links,
};
use crate::kernel::memory::{KnownPage, address_bits, end_of_memory};

/// Where the direct map begins at the lowest, by levels of the page table.
const LOWEST: [(u64, u64); 2] = [(4, 0xffff_8880_0000_0000), (5, 0xff11_0000_0000_0000)];

/// Finds it out and tells the page-fault program.
///
/// # Errors
/// Why it cannot be found out. Faults are counted all the same.
pub(super) fn calibrate(ebpf: &mut Ebpf, btf: &Btf) -> Result<()> {
    let pages = [KnownPage::new()?, KnownPage::new()?];
    let address_mask = (1 << address_bits()?) - 0x1000;
    let end = end_of_memory()?;
    let probe = Probe {
        program: program::CALIBRATE,
        at: AttachPoint::Tracepoint("sys_enter"),
        role: Role::Calibration,
        required: false,
    };
    // Detached when this is over.
    let _link = links::attach(ebpf, btf, &probe)?;
    for (levels, lowest) in LOWEST {
        let Some(direct_map) = search(ebpf, &pages[0], end, lowest)? else {
            continue;
        };
        let paging = Paging {
            direct_map,
            address_mask,
            levels,
        };
        tell(ebpf, paging)?;
        if pages.iter().all(|page| finds(ebpf, page, address_mask)) {
            return Ok(());
        }
    }
    tell(ebpf, Paging::default())?;
    bail!("the kernel's map of all memory was not found");
}

/// Looks for the page upwards from the lowest address that is possible: what lies
/// below the map is empty, while above it are devices that must not be read.
fn search(ebpf: &mut Ebpf, page: &KnownPage, end: u64, lowest: u64) -> Result<Option<u64>> {
    let task = ask(
        ebpf,
        Calibration {
            step: step::TASK,
            ..Calibration::default()
        },
    )?;
    let task = task - task % CANDIDATE_BYTES;
    let reach = end.next_multiple_of(CANDIDATE_BYTES);
    let mut first = task.saturating_sub(reach).max(lowest);
    while first <= task {
        let question = Calibration {
            step: step::SEARCH,
            first,
            physical: page.physical,
            magic: page.magic,
            ..Calibration::default()
        };
        let found = ask(ebpf, question)?;
        if found != 0 {
            return Ok(Some(found));
        }
        first += CANDIDATES * CANDIDATE_BYTES;
    }
    Ok(None)
}

/// Whether a walk finds one of our own pages where it is.
fn finds(ebpf: &mut Ebpf, page: &KnownPage, address_mask: u64) -> bool {
    let question = Calibration {
        step: step::WALK,
        address: page.address(),
        ..Calibration::default()
    };
    let wanted = page.physical & !0xfff;
    ask(ebpf, question)
        .is_ok_and(|found| found & entry::PRESENT != 0 && found & address_mask & !0xfff == wanted)
}

/// Asks the program, which answers in our next system call.
fn ask(ebpf: &mut Ebpf, question: Calibration) -> Result<u64> {
    let table = ebpf
        .map_mut(map::CALIBRATION)
        .context("no calibration map")?;
    let mut table = Array::<_, Calibration>::try_from(table)?;
    table.set(0, question, 0)?;
    let _any_call = nix::unistd::getppid();
    let answered = table.get(&0, 0)?;
    ensure!(answered.step == step::DONE, "the program did not answer");
    Ok(answered.answer)
}

/// Tells the programs how to walk, or that they cannot.
fn tell(ebpf: &mut Ebpf, paging: Paging) -> Result<()> {
    let table = ebpf.map_mut(map::PAGING).context("no paging map")?;
    Array::<_, Paging>::try_from(table)?.set(0, paging, 0)?;
    Ok(())
}
