//! Names for the target's own code.

use std::{
    cell::RefCell,
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use profiler_common::cause::CauseKind;

use super::{
    image::Image,
    isolated::{self, Effort, Wait},
    names::{AllocationStack, CodeTable, Located, Names},
    places::{Kept, Place, Places},
    unwind::{Chain, Chains, Code, StackCopy, Unwound},
};
use crate::{
    classify::entries::{Entries, Entry},
    collect::{
        allocations::RawStack,
        mappings::{
            KeptFiles,
            data::{FileId, Found, MappingIndex},
        },
        row::{before, lookup_address},
        snapshot::Snapshot,
    },
};

/// Instructions of the ledger that are looked up, the most frequent first.
const MOST_IN_LEDGER: usize = 4_096;
/// Addresses of call chains that are looked up.
const MOST_IN_STACKS: usize = 16_384;

/// An address in a process.
type InProcess = (u32, u64);

/// Looks up the code behind the counts, the stacks and the allocations. What could
/// not be looked up, since `enough` said so, has that as its reason.
pub fn names(
    snapshot: &Snapshot,
    entries: &Entries,
    kept: &Kept,
    enough: &mut dyn FnMut() -> bool,
) -> Names {
    let mut wait = Wait::new(enough);
    let mappings = snapshot.mappings.index();
    let (chains, chain_of) = chains(&mappings, kept, &mut wait);
    let mut places = Places::default();
    let mut located = BTreeMap::new();
    let (in_ledger, left_out) = in_ledger(snapshot, entries, &mappings);
    for (key, place) in in_ledger {
        located.insert(key, places.index(place));
    }
    for (tgid, address) in in_stacks(snapshot, entries, &mappings) {
        let place = Place::of(&mappings, tgid, address, None);
        located
            .entry((tgid, address))
            .or_insert_with(|| places.index(place));
    }
    // Copies with other words, and processes with other addresses, have the same code.
    let mut stacks: BTreeMap<(Vec<usize>, Option<String>), usize> = BTreeMap::new();
    let mut stack_of: Vec<Option<usize>> = vec![None; chains.len()];
    for (raw, &chain) in kept.stacks.stacks.iter().zip(&chain_of) {
        if stack_of[chain].is_none() {
            let time_ns = Some(raw.time_ns);
            let place = |&address| Place::of(&mappings, raw.tgid, address, time_ns);
            let Chain {
                addresses,
                truncated,
            } = &chains[chain];
            let frames = addresses.iter().map(|address| places.index(place(address)));
            let next = stacks.len();
            let stack = (frames.collect(), truncated.clone());
            stack_of[chain] = Some(*stacks.entry(stack).or_insert(next));
        }
    }
    let mut in_order: Vec<_> = stacks.into_iter().collect();
    in_order.sort_by_key(|&(_, number)| number);
    let located = located.into_iter();
    Names {
        code: CodeTable {
            codes: places.look_up(kept, &mut wait),
            interrupted: wait.is_over(),
            left_out,
            located: located
                .map(|((tgid, address), code)| Located {
                    tgid,
                    address,
                    code,
                })
                .collect(),
        },
        allocation_stacks: in_order
            .into_iter()
            .map(|((frames, truncated), _)| AllocationStack { frames, truncated })
            .collect(),
        stack_of_copy: (chain_of.iter())
            .map(|&chain| *stack_of.get(chain)?)
            .collect(),
    }
}

/// Processes by thread and incarnation.
fn processes(snapshot: &Snapshot) -> BTreeMap<(u32, u32), u32> {
    let threads = snapshot.threads.iter();
    threads
        .map(|thread| ((thread.tid, thread.generation), thread.tgid))
        .collect()
}

/// The addresses of the ledger to look up, with where each lies, and how many
/// instructions are left out. What processes share, and what one executes again and
/// again, is one instruction at many addresses.
fn in_ledger(
    snapshot: &Snapshot,
    entries: &Entries,
    mappings: &MappingIndex<'_>,
) -> (Vec<(InProcess, Place)>, u64) {
    let processes = processes(snapshot);
    let mut weights: BTreeMap<InProcess, u64> = BTreeMap::new();
    let ledger = entries.ledger(snapshot);
    for Entry { row, cause } in ledger.filter(|entry| entry.row.user_ip != 0) {
        let tgid = processes.get(&(row.tid, row.generation)).copied();
        let address = lookup_address(cause.kind(), row.user_ip);
        let key = (tgid.unwrap_or(row.tid), address);
        *weights.entry(key).or_default() += row.count;
    }
    let mut instructions: BTreeMap<Place, (u64, Vec<InProcess>)> = BTreeMap::new();
    for ((tgid, address), weight) in weights {
        let place = Place::of(mappings, tgid, address, None);
        let (sum, addresses) = instructions.entry(place).or_default();
        *sum += weight;
        addresses.push((tgid, address));
    }
    let mut instructions: Vec<_> = instructions.into_iter().collect();
    instructions.sort_by_key(|(_, (weight, _))| Reverse(*weight));
    let left_out = instructions.len().saturating_sub(MOST_IN_LEDGER);
    instructions.truncate(MOST_IN_LEDGER);
    let addresses = instructions
        .into_iter()
        .flat_map(|(place, (_, addresses))| {
            let each = addresses.into_iter();
            each.map(move |address| (address, place.clone()))
        });
    (addresses.collect(), left_out as u64)
}

/// The addresses of the user stacks.
fn in_stacks(
    snapshot: &Snapshot,
    entries: &Entries,
    mappings: &MappingIndex<'_>,
) -> BTreeSet<(u32, u64)> {
    let processes = processes(snapshot);
    let mut addresses = BTreeSet::new();
    for (Entry { row, cause }, stack) in entries.stacks(snapshot) {
        let tgid = processes.get(&(row.tid, row.generation)).copied();
        let tgid = tgid.unwrap_or(row.tid);
        let kind = cause.kind();
        for (depth, &frame) in mappings.real_frames(tgid, &stack.user).iter().enumerate() {
            let is_exact = depth == 0 && kind == CauseKind::PageFault;
            addresses.insert((tgid, if is_exact { frame } else { before(frame) }));
        }
        if addresses.len() >= MOST_IN_STACKS {
            break;
        }
    }
    addresses
}

/// The call chains of the stack copies: those that differ, and for each copy which.
fn chains(
    mappings: &MappingIndex<'_>,
    kept: &Kept,
    wait: &mut Wait<'_>,
) -> (Vec<Chain>, Vec<usize>) {
    let copies = &kept.stacks.stacks;
    let processes: BTreeSet<u32> = copies.iter().map(|raw| raw.tgid).collect();
    let changes: BTreeMap<u32, Vec<u64>> = processes
        .into_iter()
        .map(|tgid| (tgid, mappings.code_changes(tgid)))
        .collect();
    let images = Images {
        mappings,
        files: &kept.files,
        open: RefCell::default(),
    };
    let found = RefCell::new(Chains::default());
    let unwind = |&number: &usize, effort: Effort| {
        let raw = &copies[number];
        if effort == Effort::Careful {
            return Unwound::New(just_innermost(raw, "its unwind tables are damaged"));
        }
        let mut code = Process {
            images: &images,
            tgid: raw.tgid,
            time_ns: raw.time_ns,
        };
        let changed = changes.get(&raw.tgid);
        let changed = changed.map_or(0, |all| all.partition_point(|&at| at <= raw.time_ns));
        let copy = StackCopy {
            regs: &raw.regs,
            words: &kept.stacks.words(raw),
        };
        let mut found = found.borrow_mut();
        found.unwind(number, (raw.tgid, changed), copy, &mut code)
    };
    let numbers: Vec<usize> = (0..copies.len()).collect();
    wait.begin("following stacks", "stacks");
    let answers = isolated::map(&numbers, &[], wait, unwind);
    let (mut chains, mut chain_of) = (Vec::new(), Vec::new());
    for (raw, answer) in copies.iter().zip(answers) {
        let chain = match answer {
            Ok(Unwound::New(chain)) => chain,
            Ok(Unwound::As(other)) => {
                chain_of.push(chain_of.get(other).copied().unwrap_or_default());
                continue;
            }
            Err(reason) => just_innermost(raw, &reason),
        };
        chain_of.push(chains.len());
        chains.push(chain);
    }
    (chains, chain_of)
}

fn just_innermost(raw: &RawStack, reason: &str) -> Chain {
    Chain {
        addresses: vec![before(raw.regs.ip)],
        truncated: Some(reason.to_owned()),
    }
}

/// Programs and libraries opened for unwinding.
struct Images<'a> {
    mappings: &'a MappingIndex<'a>,
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
    fn is_code(&mut self, address: u64) -> bool {
        let mappings = self.images.mappings;
        mappings.may_be_code(self.tgid, address, Some(self.time_ns))
    }

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
