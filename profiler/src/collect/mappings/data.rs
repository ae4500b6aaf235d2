//! Mappings as plain data.

use std::collections::BTreeMap;

use crate::collect::row::{UNKNOWN_FRAME, before};
use serde::{Deserialize, Serialize};

/// `PROT_EXEC`: code may run there.
const EXECUTABLE: u32 = 4;
/// No process has memory of its own from here on: with five levels of page tables.
const USER_END: u64 = 1 << 56;

/// A stretch of a process's memory over a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// First address.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
    /// Where in the file it begins, in bytes.
    pub offset: u64,
    /// The file as the process's own mount namespace calls it; `[heap]`,
    /// `[vdso]` and so on; or nothing for plain memory.
    pub path: String,
    /// The file system's device number, major part.
    pub major: u32,
    /// Minor part.
    pub minor: u32,
    /// The file on it, or 0 where there is no file.
    pub inode: u64,
    /// `PROT_*` bits.
    pub protection: u32,
    /// Whether writes are seen by others.
    pub shared: bool,
    /// When it was made, by `CLOCK_MONOTONIC`.
    pub from_ns: u64,
    /// When it was replaced, or null. The kernel does not tell when memory is
    /// unmapped: a mapping counts until another one takes its place.
    pub until_ns: Option<u64>,
    /// Whether it came from the parent by a fork.
    pub inherited: bool,
}

impl Mapping {
    /// Whether code may run there.
    #[must_use]
    pub const fn is_executable(&self) -> bool {
        self.protection & EXECUTABLE != 0
    }

    /// Whether a file lies behind it.
    #[must_use]
    pub const fn is_file(&self) -> bool {
        self.inode != 0
    }

    /// Whether an address lies in it.
    #[must_use]
    pub const fn contains(&self, address: u64) -> bool {
        self.start <= address && address < self.end
    }

    /// Where in the file an address of this mapping lies.
    #[must_use]
    pub const fn file_offset(&self, address: u64) -> u64 {
        address.wrapping_sub(self.start).wrapping_add(self.offset)
    }

    /// Whether the same lies at an address of both: the same byte of one file, or
    /// memory of the same name.
    fn is_same_at(&self, other: &Self, address: u64) -> bool {
        let identity = |of: &Self| (of.inode, of.major, of.minor);
        self.path == other.path
            && identity(self) == identity(other)
            && (!self.is_file() || self.file_offset(address) == other.file_offset(address))
    }

    /// What identifies the file.
    #[must_use]
    pub fn file(&self) -> FileId {
        FileId {
            path: self.path.clone(),
            major: self.major,
            minor: self.minor,
            inode: self.inode,
        }
    }

    /// Whether it was there at a moment.
    #[must_use]
    pub fn existed_at(&self, time_ns: u64) -> bool {
        self.from_ns <= time_ns && self.until_ns.is_none_or(|until| time_ns < until)
    }
}

/// What identifies a mapped file: two files can bear one path at different times.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId {
    /// See [`Mapping::path`].
    pub path: String,
    /// See [`Mapping::major`].
    pub major: u32,
    /// See [`Mapping::minor`].
    pub minor: u32,
    /// See [`Mapping::inode`].
    pub inode: u64,
}

/// One process's mappings over its life.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessMappings {
    /// The process.
    pub tgid: u32,
    /// By the time at which they were made.
    pub mappings: Vec<Mapping>,
}

/// What an address in a process stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Nothing is known to have been mapped there.
    Nothing,
    /// This, at every time that comes into question.
    One(&'a Mapping),
    /// These, one after the other, and the time is not known.
    Several(Vec<&'a Mapping>),
}

/// All processes' mappings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mappings {
    /// By process.
    pub processes: Vec<ProcessMappings>,
    /// Records that the kernel had no room for.
    pub lost: u64,
    /// Mappings that we had no room for.
    pub not_kept: u64,
    /// Files whose executable mappings were seen but which were not kept open.
    pub files_not_kept: u64,
    /// Why the kernel's records could not be had, if they could not.
    pub unavailable: Option<String>,
}

impl Mappings {
    /// A way to look addresses up.
    #[must_use]
    pub fn index(&self) -> MappingIndex<'_> {
        let processes = self.processes.iter();
        let processes = processes.map(|ProcessMappings { tgid, mappings }| {
            let tree = |fits: fn(&Mapping) -> bool| {
                Intervals::of(mappings.iter().enumerate().filter_map(|(index, mapping)| {
                    fits(mapping).then_some((mapping.start, mapping.end, index))
                }))
            };
            let all = tree(|_| true);
            let code = tree(Mapping::is_executable);
            let mut files = mappings.iter().filter(|mapping| mapping.is_file());
            let index = ProcessIndex {
                mappings,
                all,
                code,
                knows_code: files.any(Mapping::is_executable),
            };
            (*tgid, index)
        });
        MappingIndex {
            mappings: self,
            processes: processes.collect(),
        }
    }
}

/// One process's mappings, to be found by address.
#[derive(Debug)]
struct ProcessIndex<'a> {
    mappings: &'a [Mapping],
    all: Intervals,
    code: Intervals,
    /// Whether code from a file is among it: what the kernel puts into every process
    /// says nothing of the rest.
    knows_code: bool,
}

/// All processes' mappings, to be found by address: programs map memory by the
/// hundred thousand, and every frame of every stack is looked up.
#[derive(Debug)]
pub struct MappingIndex<'a> {
    /// What is indexed.
    pub mappings: &'a Mappings,
    processes: BTreeMap<u32, ProcessIndex<'a>>,
}

impl<'a> MappingIndex<'a> {
    /// What lay at an address of a process: at a time, or ever.
    #[must_use]
    pub fn find(&self, tgid: u32, address: u64, time_ns: Option<u64>) -> Found<'a> {
        self.processes.get(&tgid).map_or(Found::Nothing, |process| {
            process.find(&process.all, address, time_ns)
        })
    }

    /// As [`find`](Self::find), among mappings in which code may run.
    #[must_use]
    pub fn find_code(&self, tgid: u32, address: u64, time_ns: Option<u64>) -> Found<'a> {
        self.processes.get(&tgid).map_or(Found::Nothing, |process| {
            process.find(&process.code, address, time_ns)
        })
    }

    /// Whether a caller can be at an address: walks by frame pointers follow whatever
    /// the code keeps in that register. Where nothing is known of the process's own
    /// code, all but what no process can have.
    #[must_use]
    pub fn may_be_code(&self, tgid: u32, address: u64, time_ns: Option<u64>) -> bool {
        let process = self.processes.get(&tgid);
        address < USER_END
            && (process.is_none_or(|process| !process.knows_code)
                || self.find_code(tgid, address, time_ns) != Found::Nothing)
    }

    /// Of the addresses to return to in a walk up a stack, those before the first that
    /// cannot be one. The innermost is where the thread was.
    #[must_use]
    pub fn real_frames<'f>(&self, tgid: u32, frames: &'f [u64]) -> &'f [u64] {
        let invented =
            |&frame: &u64| frame != UNKNOWN_FRAME && !self.may_be_code(tgid, before(frame), None);
        let callers = frames.get(1..).unwrap_or_default();
        let end = callers.iter().position(invented);
        &frames[..end.map_or(frames.len(), |end| end + 1)]
    }

    /// The moments at which a process's executable mappings changed, in order.
    #[must_use]
    pub fn code_changes(&self, tgid: u32) -> Vec<u64> {
        let process = self.processes.get(&tgid);
        let mappings = process.map_or(&[][..], |process| process.mappings);
        let code = mappings.iter().filter(|mapping| mapping.is_executable());
        let mut moments: Vec<u64> = code
            .flat_map(|mapping| std::iter::once(mapping.from_ns).chain(mapping.until_ns))
            .collect();
        moments.sort_unstable();
        moments.dedup();
        moments
    }
}

impl<'a> ProcessIndex<'a> {
    fn find(&self, among: &Intervals, address: u64, time_ns: Option<u64>) -> Found<'a> {
        let mut found: Vec<&Mapping> = Vec::new();
        for index in among.at(address) {
            let mapping = &self.mappings[index];
            if time_ns.is_some_and(|time_ns| !mapping.existed_at(time_ns)) {
                continue;
            }
            match found
                .iter_mut()
                .find(|other| other.is_same_at(mapping, address))
            {
                // Plain memory has no identity that could differ: the last stands for all.
                Some(other) if !mapping.is_file() => *other = mapping,
                Some(_) => {}
                None => found.push(mapping),
            }
        }
        match &found[..] {
            [] => Found::Nothing,
            [one] => Found::One(one),
            _ => Found::Several(found),
        }
    }
}

/// Intervals that may overlap, to be found by a point in them: a balanced tree laid
/// out in a sorted list, whose every node knows how far its part reaches.
#[derive(Debug, Default)]
pub struct Intervals(Vec<Interval>);

#[derive(Debug)]
struct Interval {
    start: u64,
    end: u64,
    /// The largest end in the part of the tree below.
    reach: u64,
    value: usize,
}

impl Intervals {
    /// Of beginnings, ends behind them, and what to find.
    #[must_use]
    pub fn of(intervals: impl Iterator<Item = (u64, u64, usize)>) -> Self {
        let mut sorted: Vec<Interval> = intervals
            .map(|(start, end, value)| Interval {
                start,
                end,
                reach: end,
                value,
            })
            .collect();
        sorted.sort_by_key(|interval| interval.start);
        Self::extend(&mut sorted);
        Self(sorted)
    }

    fn extend(part: &mut [Interval]) -> u64 {
        if part.is_empty() {
            return 0;
        }
        let (below, rest) = part.split_at_mut(part.len() / 2);
        let (node, above) = rest.split_at_mut(1);
        let reach = Self::extend(below).max(Self::extend(above));
        node[0].reach = node[0].end.max(reach);
        node[0].reach
    }

    /// What was found at a point, in ascending order.
    #[must_use]
    pub fn at(&self, point: u64) -> Vec<usize> {
        let mut found = Vec::new();
        Self::search(&self.0, point, &mut found);
        found.sort_unstable();
        found
    }

    fn search(part: &[Interval], point: u64, found: &mut Vec<usize>) {
        let middle = part.len() / 2;
        let Some(node) = part.get(middle).filter(|node| point < node.reach) else {
            return;
        };
        Self::search(&part[..middle], point, found);
        if node.start <= point {
            if point < node.end {
                found.push(node.value);
            }
            Self::search(&part[middle + 1..], point, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nested, equal, empty and touching intervals are found by every point in them,
    /// and by no other.
    #[test]
    fn intervals_are_found_by_their_points() {
        let all = [
            (5, 9),
            (0, 40),
            (5, 9),
            (9, 12),
            (7, 7),
            (38, 39),
            (10, 11),
            (3, 20),
        ];
        let tree = Intervals::of(all.iter().enumerate().map(|(n, &(s, e))| (s, e, n)));
        for point in 0..45 {
            let expected: Vec<usize> = (0..all.len())
                .filter(|&n| all[n].0 <= point && point < all[n].1)
                .collect();
            assert_eq!(tree.at(point), expected, "at {point}");
        }
        assert!(Intervals::default().at(0).is_empty());
    }
}
