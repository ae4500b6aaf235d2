//! Calls that made memory.

use std::collections::{
    BTreeMap, HashMap,
    hash_map::{DefaultHasher, Entry},
};
use std::hash::{Hash, Hasher};

use anyhow::{Context, Result};
use aya::{
    Ebpf,
    maps::{MapData, RingBuf},
};
use profiler_common::{
    allocation::{AllocationRecord, UserRegs, number},
    names::map,
};
use serde::{Deserialize, Serialize};

/// Calls kept.
const MOST: usize = 65_536;
/// Words of a stack that are kept once, however many stacks have them.
const PIECE: usize = 32;
/// Different pieces kept: 32 MiB while the measurement lasts.
const MOST_PIECES: usize = 131_072;
/// Records taken at one look.
const BATCH: usize = 16_384;

/// The system call that made memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryCall {
    /// `mmap`.
    #[default]
    Mmap,
    /// `brk`, which moves the end of the heap.
    Brk,
    /// `mremap`.
    Mremap,
    /// `shmat`.
    Shmat,
}

impl MemoryCall {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mmap => "mmap",
            Self::Brk => "brk",
            Self::Mremap => "mremap",
            Self::Shmat => "shmat",
        }
    }
}

/// Memory that one call made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// When, by `CLOCK_MONOTONIC`.
    pub time_ns: u64,
    /// The process.
    pub tgid: u32,
    /// The thread.
    pub tid: u32,
    /// By which call.
    pub call: MemoryCall,
    /// First address.
    pub address: u64,
    /// Its size. 0 where the call does not tell (`shmat`).
    pub bytes: u64,
    /// `PROT_*` bits, for `mmap`.
    pub protection: Option<u32>,
    /// `MAP_*` bits, for `mmap`.
    pub flags: Option<u32>,
    /// The file, for an `mmap` that is not anonymous.
    pub fd: Option<i32>,
    /// Index into the copies of stacks, or null if it was not kept. The copies are
    /// not saved; what they were unwound to is.
    pub stack_copy: Option<usize>,
}

/// All that was kept of such calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllocationCalls {
    /// The calls.
    pub calls: Vec<Allocation>,
    /// Calls that there was no room for.
    pub not_kept: u64,
}

/// A thread's registers and part of its stack, as they were.
pub struct RawStack {
    /// The process.
    pub tgid: u32,
    /// When it was first seen.
    pub time_ns: u64,
    /// The registers.
    pub regs: UserRegs,
    /// Words of memory from the stack pointer on.
    length: usize,
    pieces: Vec<u32>,
}

/// Stack copies, each once. Not saved: a stack holds whatever the program was
/// working on.
#[derive(Default)]
pub struct RawStacks {
    /// Each with its registers.
    pub stacks: Vec<RawStack>,
    /// Calls from one place differ in a few words of their stacks: in a loop's
    /// counter, say.
    pieces: Vec<[u64; PIECE]>,
    known_stacks: HashMap<u64, usize>,
    known_pieces: HashMap<u64, u32>,
}

impl RawStacks {
    /// Keeps a stack, unless it is kept already, if there is room: its number.
    pub fn keep(
        &mut self,
        (tgid, time_ns): (u32, u64),
        regs: &UserRegs,
        words: &[u64],
    ) -> Option<usize> {
        let pieces = words.chunks(PIECE).map(|words| self.piece(words));
        let pieces: Vec<u32> = pieces.collect::<Option<_>>()?;
        // What the system call and its caller have overwritten is no one's frame.
        let UserRegs { ip, sp, bp, bx, .. } = *regs;
        let UserRegs {
            r12, r13, r14, r15, ..
        } = *regs;
        let key = (
            tgid,
            [ip, sp, bp, bx, r12, r13, r14, r15],
            words.len(),
            &pieces,
        );
        let next = self.stacks.len();
        let index = *self.known_stacks.entry(hash(&key)).or_insert(next);
        if index == next {
            self.stacks.push(RawStack {
                tgid,
                time_ns,
                regs: *regs,
                length: words.len(),
                pieces,
            });
        }
        Some(index)
    }

    fn piece(&mut self, words: &[u64]) -> Option<u32> {
        let mut piece = [0; PIECE];
        piece.get_mut(..words.len())?.copy_from_slice(words);
        let next = self.pieces.len();
        let number = u32::try_from(next).ok().filter(|_| next < MOST_PIECES);
        match self.known_pieces.entry(hash(&piece)) {
            Entry::Occupied(known) => Some(*known.get()),
            Entry::Vacant(place) => {
                self.pieces.push(piece);
                Some(*place.insert(number?))
            }
        }
    }

    /// The memory of a stack.
    #[must_use]
    pub fn words(&self, stack: &RawStack) -> Vec<u64> {
        let pieces = stack.pieces.iter();
        let mut words: Vec<u64> = pieces
            .filter_map(|&piece| self.pieces.get(usize::try_from(piece).ok()?))
            .flatten()
            .copied()
            .collect();
        words.truncate(stack.length);
        words
    }
}

fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Calls taken down so far.
pub struct Allocations {
    ring: RingBuf<MapData>,
    calls: Vec<Allocation>,
    stacks: RawStacks,
    /// The end of each process's heap.
    breaks: BTreeMap<u32, u64>,
    not_kept: u64,
}

impl Allocations {
    /// Begins.
    ///
    /// # Errors
    /// If there is no such ring buffer.
    pub fn open(ebpf: &mut Ebpf) -> Result<Self> {
        let ring = ebpf.take_map(map::ALLOCATIONS);
        Ok(Self {
            ring: RingBuf::try_from(ring.context("no ring buffer of allocations")?)?,
            calls: Vec::new(),
            stacks: RawStacks::default(),
            breaks: BTreeMap::new(),
            not_kept: 0,
        })
    }

    /// Takes what has come since the last time.
    pub fn drain(&mut self) {
        for _ in 0..BATCH {
            let Some(item) = self.ring.next() else {
                return;
            };
            if item.len() < size_of::<AllocationRecord>() {
                continue;
            }
            // SAFETY: long enough, and any bytes are a valid record of integers.
            let record = unsafe { item.as_ptr().cast::<AllocationRecord>().read_unaligned() };
            drop(item);
            self.add(&record);
        }
    }

    fn add(&mut self, record: &AllocationRecord) {
        let Some(mut call) = understand(record, &mut self.breaks) else {
            return;
        };
        if self.calls.len() >= MOST {
            self.not_kept += 1;
            return;
        }
        let length = usize::try_from(record.stack_bytes).unwrap_or(0) / 8;
        call.stack_copy = record.stack.get(..length).and_then(|words| {
            let whose = (record.tgid, record.time_ns);
            self.stacks.keep(whose, &record.regs, words)
        });
        self.calls.push(call);
    }

    /// All calls, and copies of their stacks.
    #[must_use]
    pub fn finish(mut self) -> (AllocationCalls, RawStacks) {
        self.drain();
        let calls = AllocationCalls {
            calls: self.calls,
            not_kept: self.not_kept,
        };
        (calls, self.stacks)
    }
}

/// What a call made; nothing if it made none.
fn understand(record: &AllocationRecord, breaks: &mut BTreeMap<u32, u64>) -> Option<Allocation> {
    let regs = &record.regs;
    let mut made = Allocation {
        time_ns: record.time_ns,
        tgid: record.tgid,
        tid: record.tid,
        address: regs.ax,
        ..Allocation::default()
    };
    match record.number {
        number::MMAP => {
            made.bytes = regs.si;
            made.protection = Some(low(regs.dx));
            made.flags = Some(low(regs.r10));
            let fd = low(regs.r8).cast_signed();
            made.fd = (fd >= 0).then_some(fd);
        }
        number::MREMAP => {
            made.call = MemoryCall::Mremap;
            made.bytes = regs.dx;
        }
        number::SHMAT => made.call = MemoryCall::Shmat,
        number::BRK => {
            made.call = MemoryCall::Brk;
            let before = breaks.insert(record.tgid, regs.ax);
            // Asking for nothing asks where the end is: after an exec, at another place.
            let before = before.filter(|_| regs.di != 0)?;
            made.address = before;
            made.bytes = regs.ax.checked_sub(before).filter(|&bytes| bytes != 0)?;
        }
        _ => return None,
    }
    Some(made)
}

/// The half of a register that an `int` argument lies in.
const fn low(register: u64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the upper half is undefined"
    )]
    let low = register as u32;
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use profiler_common::allocation::STACK_WORDS;

    fn record(number: u32, result: u64, first: u64) -> AllocationRecord {
        AllocationRecord {
            time_ns: 1,
            tgid: 5,
            tid: 6,
            number,
            stack_bytes: 0,
            regs: UserRegs {
                ax: result,
                di: first,
                si: 4096,
                ..UserRegs::default()
            },
            stack: [0; STACK_WORDS],
        }
    }

    /// The heap grows by what its end moves; asking where it is, shrinking and a
    /// new program's other heap are no growth.
    #[test]
    fn brk_grows_from_where_it_was() {
        let mut breaks = BTreeMap::new();
        let mut brk = |result, asked| {
            let made = understand(&record(number::BRK, result, asked), &mut breaks)?;
            Some((made.address, made.bytes))
        };
        assert_eq!(brk(0x1000, 0), None);
        assert_eq!(brk(0x5000, 0x5000), Some((0x1000, 0x4000)));
        assert_eq!(brk(0x3000, 0x3000), None);
        assert_eq!(brk(0x4000, 0x4000), Some((0x3000, 0x1000)));
        assert_eq!(brk(0x9_0000, 0), None);
        assert_eq!(brk(0x9_1000, 0x9_1000), Some((0x9_0000, 0x1000)));
    }

    /// An anonymous mapping has no file, whatever the register's upper half holds.
    #[test]
    fn mmap_of_memory_has_no_file() {
        let mut call = record(number::MMAP, 0x7000, 0);
        call.regs.r8 = 0xffff_ffff;
        let made = understand(&call, &mut BTreeMap::new()).expect("memory");
        assert_eq!((made.address, made.bytes, made.fd), (0x7000, 4096, None));
    }

    /// Stacks that differ in a word share the rest, and each comes back as it was; the
    /// same again is no other one.
    #[test]
    fn stacks_come_back_as_they_were() {
        let mut stacks = RawStacks::default();
        let stack = |counter: u64| {
            let words: Vec<u64> = (0..200)
                .map(|at| if at == 70 { counter } else { at })
                .collect();
            let regs = UserRegs {
                bx: counter,
                ..UserRegs::default()
            };
            (regs, words)
        };
        for round in 0..2 {
            for counter in 0..10_000 {
                let (regs, words) = stack(counter);
                let kept = stacks.keep((5, round), &regs, &words).expect("room");
                assert_eq!(kept as u64, counter);
            }
        }
        let last = stacks.stacks.last().expect("kept");
        assert_eq!((last.time_ns, stacks.words(last)), (0, stack(9_999).1));
        assert!(stacks.pieces.len() <= 10_000 + 7, "{}", stacks.pieces.len());
    }
}
