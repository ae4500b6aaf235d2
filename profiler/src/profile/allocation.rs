//! Which code made a piece of memory. Pure.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{
    code::{base_name, words},
    model::AllocationRow,
};
use crate::{
    collect::{
        allocations::Allocation,
        mappings::data::{Found, Intervals, MappingIndex},
        snapshot::Snapshot,
    },
    symbolize::{
        measurement::Measurement,
        names::{AllocationStack, Names, UserCode, UserFrame},
    },
};

/// Allocation sites kept in a profile.
const MOST_SITES: usize = 256;
/// Generations of processes that memory is looked for in.
const MOST_GENERATIONS: usize = 64;

/// Libraries that stand between the code that wants memory and the kernel.
const ALLOCATOR_MODULES: [&str; 9] = [
    "libc.so",
    "libc-2",
    "libc.musl",
    "libpthread",
    "ld-linux",
    "ld-musl",
    "libjemalloc",
    "libtcmalloc",
    "libmimalloc",
];
/// Functions of the same kind, where they are linked into the program itself.
const ALLOCATOR_FUNCTIONS: [&str; 29] = [
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "memalign",
    "posix_memalign",
    "aligned_alloc",
    "valloc",
    "pvalloc",
    "sysmalloc",
    "sysmalloc_mmap",
    "int_malloc",
    "int_realloc",
    "int_memalign",
    "tcache_init",
    "new_heap",
    "grow_heap",
    "arena_get2",
    "default_morecore",
    "glibc_morecore",
    "mmap",
    "mmap64",
    "mremap",
    "brk",
    "sbrk",
    "shmat",
    "expand_heap",
    "alloc_group",
    "alloc_slot",
];
/// What the names of the languages' own allocators begin with.
const ALLOCATOR_PREFIXES: [&str; 15] = [
    "_dl_",
    "__rust_",
    "__rustc",
    "__rdl_",
    "alloc::",
    "<alloc::",
    "core::",
    "<core::",
    "std::",
    "<std::",
    "hashbrown::",
    "<hashbrown::",
    "__gnu_cxx::",
    "operator new",
    "void* std::",
];

/// The code that made a piece of memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// For people: `axmap_new at axmap.c:126 (via malloc)`.
    pub words: String,
    /// The whole call chain, innermost first.
    pub stack: Vec<String>,
    /// Why the chain ends early, or null if it does not.
    pub truncated: Option<String>,
    /// The size of what was made.
    pub bytes: u64,
    /// When, by `CLOCK_MONOTONIC`.
    pub time_ns: u64,
    /// The system call.
    pub call: &'static str,
}

/// Who made which memory, to be found by address.
pub struct Makers<'a> {
    measurement: &'a Measurement,
    /// What was mapped.
    pub mappings: MappingIndex<'a>,
    calls: BTreeMap<u32, Calls<'a>>,
}

/// Calls of one process that made memory.
#[derive(Default)]
struct Calls<'a> {
    ranges: Intervals,
    /// By range, as time went on: programs make and give back the same again and again.
    made: Vec<Vec<&'a Allocation>>,
}

impl<'a> Makers<'a> {
    /// Those of a measurement.
    #[must_use]
    pub fn of(measurement: &'a Measurement) -> Self {
        let snapshot = &measurement.snapshot;
        let mut by_range: BTreeMap<u32, BTreeMap<(u64, u64), Vec<&Allocation>>> = BTreeMap::new();
        for made in &snapshot.allocations.calls {
            // `shmat` does not tell its size.
            let bytes = made.bytes.max(1).checked_next_multiple_of(4096);
            let end = made.address.saturating_add(bytes.unwrap_or(u64::MAX));
            let of_process = by_range.entry(made.tgid).or_default();
            of_process
                .entry((made.address, end))
                .or_default()
                .push(made);
        }
        let calls = by_range.into_iter().map(|(tgid, by_range)| {
            let ranges = by_range.keys().enumerate();
            let ranges = Intervals::of(ranges.map(|(n, &(start, end))| (start, end, n)));
            let mut made: Vec<Vec<&Allocation>> = by_range.into_values().collect();
            for calls in &mut made {
                calls.sort_by_key(|made| made.time_ns);
            }
            (tgid, Calls { ranges, made })
        });
        Self {
            measurement,
            mappings: snapshot.mappings.index(),
            calls: calls.collect(),
        }
    }

    /// The code that made the memory at an address of a process: the last call that
    /// made any there, up to a time if one is given. A child's memory may have been
    /// made by its parent.
    #[must_use]
    pub fn find(&self, tgid: u32, address: u64, time_ns: Option<u64>) -> Option<Site> {
        let (mut tgid, mut until) = (tgid, time_ns.unwrap_or(u64::MAX));
        for _ in 0..MOST_GENERATIONS {
            if let Some(made) = self
                .calls
                .get(&tgid)
                .and_then(|calls| calls.last(address, until))
            {
                return Some(site(&self.measurement.names, made));
            }
            let Found::One(mapping) = self.mappings.find(tgid, address, time_ns) else {
                return None;
            };
            if !mapping.inherited {
                return None;
            }
            until = until.min(mapping.from_ns);
            tgid = parent_of(&self.measurement.snapshot, tgid)?;
        }
        None
    }
}

impl<'a> Calls<'a> {
    /// The last call up to a time that made memory at an address.
    fn last(&self, address: u64, until: u64) -> Option<&'a Allocation> {
        let ranges = self.ranges.at(address).into_iter();
        let last = ranges.filter_map(|range| {
            let made = &self.made[range];
            let later = made.partition_point(|made| made.time_ns <= until);
            made.get(later.checked_sub(1)?).copied()
        });
        last.max_by_key(|made| made.time_ns)
    }
}

/// The process that made a process.
fn parent_of(snapshot: &Snapshot, tgid: u32) -> Option<u32> {
    let threads = &snapshot.threads;
    let first = threads.iter().find(|thread| thread.tid == tgid)?;
    let parents = threads
        .iter()
        .filter(|thread| thread.tid == first.parent_tid && thread.started_ns <= first.started_ns);
    let parent = parents.max_by_key(|thread| thread.started_ns)?;
    (parent.tgid != tgid).then_some(parent.tgid)
}

fn site(names: &Names, made: &Allocation) -> Site {
    let nothing = AllocationStack {
        frames: Vec::new(),
        truncated: Some("the stack was not kept: there were too many".to_owned()),
    };
    let stack = names
        .allocation_stack(made.stack_copy)
        .and_then(|index| names.allocation_stacks.get(index))
        .unwrap_or(&nothing);
    let codes: Vec<&UserCode> = stack
        .frames
        .iter()
        .filter_map(|&index| names.code.codes.get(index))
        .collect();
    Site {
        words: site_words(&codes, made.call.name()),
        stack: codes.iter().flat_map(|code| words(code, 0)).collect(),
        truncated: stack.truncated.clone(),
        bytes: made.bytes,
        time_ns: made.time_ns,
        call: made.call.name(),
    }
}

/// The innermost function that is no allocator, and which one it called.
fn site_words(codes: &[&UserCode], call: &str) -> String {
    // Inlined functions count as frames.
    let mut via = call.to_owned();
    for code in codes {
        let module = code.module.as_deref().map_or("", base_name);
        let is_library = ALLOCATOR_MODULES
            .iter()
            .any(|name| module.starts_with(name));
        if code.frames.is_empty() && !is_library {
            return format!("{} (via {via})", words(code, 0).join(""));
        }
        for frame in &code.frames {
            let plain = plain_name(&frame.function);
            if !is_library && !is_allocator(&frame.function, plain) {
                return format!("{} (via {via})", frame_words(frame));
            }
            plain.clone_into(&mut via);
        }
    }
    // The loader's own, or a stack that could not be followed further.
    let frames = codes.iter().flat_map(|code| &code.frames);
    let mut inner =
        frames.filter(|frame| !ALLOCATOR_FUNCTIONS.contains(&plain_name(&frame.function)));
    match (inner.next(), codes.first()) {
        (Some(frame), _) => format!("{} (via {call})", frame_words(frame)),
        (None, Some(code)) => words(code, 0).swap_remove(0),
        (None, None) => format!("unknown (via {call})"),
    }
}

fn frame_words(frame: &UserFrame) -> String {
    match (&frame.file, frame.line) {
        (Some(file), Some(line)) => {
            format!("{} at {}:{line}", frame.function, base_name(file))
        }
        _ => frame.function.clone(),
    }
}

/// A C library's function by the name that programs call it by.
fn plain_name(function: &str) -> &str {
    // The compiler marks copies of a function that it has specialised.
    let marks = [".constprop.", ".part.", ".isra.", ".cold"];
    let end = marks.iter().filter_map(|mark| function.find(mark)).min();
    let whole = &function[..end.unwrap_or(function.len())];
    let plain = whole.strip_prefix("__libc_").unwrap_or(whole);
    let plain = plain.trim_start_matches('_');
    // The same function: whichever of its names the file's table has first.
    let plain = if plain == "mmap64" { "mmap" } else { plain };
    let plain = plain.strip_suffix("_impl").unwrap_or(plain);
    if plain.is_empty() { function } else { plain }
}

fn is_allocator(function: &str, plain: &str) -> bool {
    // Rust: a trait of the standard library, for whichever type.
    let of_library = [" as alloc::", " as core::", " as std::"];
    ALLOCATOR_FUNCTIONS.contains(&plain)
        || (function.starts_with('<') && of_library.iter().any(|name| function.contains(name)))
        || ALLOCATOR_PREFIXES
            .iter()
            .any(|prefix| function.starts_with(prefix))
}

/// Where memory was made, the most first.
#[must_use]
pub fn sites(measurement: &Measurement) -> Vec<AllocationRow> {
    let Measurement {
        snapshot, names, ..
    } = measurement;
    let mut sites: BTreeMap<(u32, Option<usize>, &str), AllocationRow> = BTreeMap::new();
    for made in &snapshot.allocations.calls {
        let row = sites
            .entry((
                made.tgid,
                names.allocation_stack(made.stack_copy),
                made.call.name(),
            ))
            .or_insert_with(|| {
                let site = site(names, made);
                AllocationRow {
                    tgid: made.tgid,
                    call: made.call.name().to_owned(),
                    allocated_at: site.words,
                    stack: site.stack,
                    truncated: site.truncated,
                    ..AllocationRow::default()
                }
            });
        row.calls += 1;
        row.bytes += made.bytes;
    }
    let mut rows: Vec<AllocationRow> = sites.into_values().collect();
    rows.sort_by_key(|row| Reverse(row.bytes));
    rows.truncate(MOST_SITES);
    rows
}

#[cfg(test)]
#[path = "allocation_tests.rs"]
mod tests;
