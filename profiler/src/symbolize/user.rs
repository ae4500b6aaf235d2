//! Names for the target's own code.

use std::{
    cell::RefCell,
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use profiler_common::cause::CauseKind;

use super::{
    elf,
    image::Image,
    isolated::{self, Effort},
    places::{Place, Places},
    unwind::{self, Chain, Code},
};
use crate::{
    classify::entry,
    collect::{
        allocations::{AllocationStack, RawStack},
        mappings::{
            JitMaps, KeptFiles,
            data::{FileId, Found, Mappings},
        },
        snapshot::Snapshot,
        user_code::{Located, UserCode, before, lookup_address},
    },
};

/// Addresses of the ledger that are looked up, the most frequent first.
const MOST_IN_LEDGER: usize = 4_096;
/// Addresses of call chains that are looked up.
const MOST_IN_STACKS: usize = 16_384;

/// What has been kept of the target's files.
pub struct Kept {
    /// Its programs and libraries.
    pub files: KeptFiles,
    /// The names of code that it made itself.
    pub jit: JitMaps,
    /// Stacks of calls that made memory.
    pub stacks: Vec<RawStack>,
}

/// Looks up the code behind the counts, the stacks and the allocations.
pub fn name_all(snapshot: &mut Snapshot, kept: &Kept) {
    let chains = chains(&snapshot.mappings, kept);
    let mut places = Places::default();
    let mut located = BTreeMap::new();
    let mut left_out = 0;
    for (rank, (tgid, address)) in by_weight(snapshot).into_iter().enumerate() {
        if rank >= MOST_IN_LEDGER {
            left_out += 1;
        } else {
            let place = Place::of(&snapshot.mappings, tgid, address, None);
            located.insert((tgid, address), places.index(place));
        }
    }
    for (tgid, address) in in_stacks(snapshot) {
        let place = Place::of(&snapshot.mappings, tgid, address, None);
        located
            .entry((tgid, address))
            .or_insert_with(|| places.index(place));
    }
    let unwound = kept.stacks.iter().zip(chains);
    snapshot.allocation_stacks = unwound
        .map(|(raw, chain)| AllocationStack {
            frames: chain
                .addresses
                .iter()
                .map(|&address| {
                    let time_ns = Some(raw.time_ns);
                    places.index(Place::of(&snapshot.mappings, raw.tgid, address, time_ns))
                })
                .collect(),
            truncated: chain.truncated,
        })
        .collect();
    snapshot.code.codes = places.look_up(kept);
    snapshot.code.left_out = left_out;
    snapshot.code.located = located
        .into_iter()
        .map(|((tgid, address), code)| Located {
            tgid,
            address,
            code,
        })
        .collect();
}

/// Processes by thread and incarnation.
fn processes(snapshot: &Snapshot) -> BTreeMap<(u32, u32), u32> {
    let threads = snapshot.threads.iter();
    threads
        .map(|thread| ((thread.tid, thread.born), thread.tgid))
        .collect()
}

/// The addresses of the ledger to look up, the most frequent first.
fn by_weight(snapshot: &Snapshot) -> Vec<(u32, u64)> {
    let processes = processes(snapshot);
    let mut weights: BTreeMap<(u32, u64), u64> = BTreeMap::new();
    for row in snapshot.rows.iter().filter(|row| row.user_ip != 0) {
        let kind = entry::cause(row, snapshot).kind();
        let tgid = processes.get(&(row.tid, row.born)).copied();
        let key = (tgid.unwrap_or(row.tid), lookup_address(kind, row.user_ip));
        *weights.entry(key).or_default() += row.count;
    }
    let mut addresses: Vec<_> = weights.into_iter().collect();
    addresses.sort_by_key(|&(_, weight)| Reverse(weight));
    addresses.into_iter().map(|(key, _)| key).collect()
}

/// The addresses of the user stacks.
fn in_stacks(snapshot: &Snapshot) -> BTreeSet<(u32, u64)> {
    let processes = processes(snapshot);
    let mut addresses = BTreeSet::new();
    for stack in &snapshot.stacks {
        let row = &stack.row;
        let tgid = processes.get(&(row.tid, row.born)).copied();
        let tgid = tgid.unwrap_or(row.tid);
        let kind = entry::cause(row, snapshot).kind();
        for (depth, &frame) in stack.user.iter().enumerate() {
            let is_exact = depth == 0 && kind == CauseKind::PageFault;
            addresses.insert((tgid, if is_exact { frame } else { before(frame) }));
        }
        if addresses.len() >= MOST_IN_STACKS {
            break;
        }
    }
    addresses
}

/// The call chains of the stack copies.
fn chains(mappings: &Mappings, kept: &Kept) -> Vec<Chain> {
    let images = Images {
        mappings,
        files: &kept.files,
        open: RefCell::default(),
    };
    let unwind = |raw: &RawStack, effort: Effort| {
        if effort == Effort::Careful {
            return just_innermost(raw, "its unwind tables are damaged");
        }
        let mut code = Process {
            images: &images,
            tgid: raw.tgid,
            time_ns: raw.time_ns,
        };
        unwind::chain(&raw.regs, &raw.words, &mut code)
    };
    let chains = isolated::map(&kept.stacks, &[], unwind);
    let with_reasons = kept.stacks.iter().zip(chains);
    with_reasons
        .map(|(raw, chain)| chain.unwrap_or_else(|reason| just_innermost(raw, &reason)))
        .collect()
}

fn just_innermost(raw: &RawStack, reason: &str) -> Chain {
    Chain {
        addresses: vec![before(raw.regs.ip)],
        truncated: Some(reason.to_owned()),
    }
}

/// Programs and libraries opened for unwinding.
struct Images<'a> {
    mappings: &'a Mappings,
    files: &'a KeptFiles,
    open: RefCell<BTreeMap<FileId, Option<Rc<Image>>>>,
}

/// A process at a moment.
struct Process<'a> {
    images: &'a Images<'a>,
    tgid: u32,
    time_ns: u64,
}

impl Code for Process<'_> {
    fn with_image<T>(
        &mut self,
        address: u64,
        with: impl FnOnce(&Image, u64) -> Option<T>,
    ) -> Option<T> {
        let Images {
            mappings,
            files,
            open,
        } = self.images;
        let Found::One(mapping) = mappings.find_code(self.tgid, address, Some(self.time_ns)) else {
            return None;
        };
        let id = mapping.file();
        let image = open
            .borrow_mut()
            .entry(id.clone())
            .or_insert_with(|| {
                let file = files.get(&id).ok()?;
                Image::open(file).ok().map(Rc::new)
            })
            .clone()?;
        let meant = image.address(mapping.file_offset(address))?;
        with(&image, address.wrapping_sub(meant))
    }
}

/// What is known of code that could not be looked up.
pub(super) fn nameless(module: Option<&str>, offset: Option<u64>, reason: &str) -> UserCode {
    UserCode {
        module: module.map(elf::clean),
        module_address: offset,
        frames: Vec::new(),
        reason: Some(elf::clean(reason)),
    }
}
