//! Which code is the site of an allocation.

use super::*;
use crate::collect::{
    mappings::data::{Mapping, Mappings, ProcessMappings},
    threads::Thread,
};

fn code(module: &str, functions: &[(&str, u32)]) -> UserCode {
    let frames = functions.iter().map(|&(function, line)| UserFrame {
        function: function.to_owned(),
        file: (line != 0).then(|| "/src/axmap.c".to_owned()),
        line: (line != 0).then_some(line),
    });
    UserCode {
        module: Some(module.to_owned()),
        module_address: Some(0x123),
        frames: frames.collect(),
        ..UserCode::default()
    }
}

fn made(tgid: u32, time_ns: u64, address: u64, bytes: u64, stack: usize) -> Allocation {
    Allocation {
        time_ns,
        tgid,
        address,
        bytes,
        stack_copy: Some(stack),
        ..Allocation::default()
    }
}

#[track_caller]
fn assert_site(codes: &[UserCode], expected: &str) {
    let codes: Vec<&UserCode> = codes.iter().collect();
    assert_eq!(site_words(&codes, "mmap"), expected);
}

/// The C library, Rust's and C++'s own allocators stand aside, also where they
/// are linked into the program or inlined into the caller.
#[test]
fn allocators_are_not_the_site() {
    let libc = code("/lib/libc.so.6", &[("sysmalloc", 0)]);
    let malloc = code("/lib/libc.so.6", &[("__libc_malloc", 0)]);
    let user = code("/bin/fio", &[("axmap_new", 126), ("setup", 9)]);
    let expected = "axmap_new at axmap.c:126 (via malloc)";
    assert_site(&[libc.clone(), malloc.clone(), user.clone()], expected);
    let own = code("/bin/fio", &[("_int_malloc", 0)]);
    let own_malloc = code("/bin/fio", &[("malloc", 0)]);
    assert_site(&[own, own_malloc, user.clone()], expected);
    let vec = code(
        "/bin/fio",
        &[
            ("alloc::raw_vec::RawVec<T>::with_capacity", 3),
            ("axmap_new", 126),
        ],
    );
    assert_site(
        &[malloc.clone(), vec],
        "axmap_new at axmap.c:126 (via alloc::raw_vec::RawVec<T>::with_capacity)",
    );
    let element = code(
        "/bin/fio",
        &[("<u8 as alloc::vec::FromElem>::from_elem", 3)],
    );
    assert_site(
        &[element, user.clone()],
        "axmap_new at axmap.c:126 (via <u8 as alloc::vec::FromElem>::from_elem)",
    );
    let operator = code("/lib/libstdc++.so.6", &[("operator new(unsigned long)", 0)]);
    assert_site(
        &[malloc, operator, user],
        "axmap_new at axmap.c:126 (via operator new(unsigned long))",
    );
}

/// Where nothing is named, the place in its module stands; where there is only
/// the C library, its function; where there is nothing, the call.
#[test]
fn unknown_sites_are_said() {
    let libc = code("/lib/libc.so.6", &[("mmap", 0)]);
    let stripped = code("/bin/fio", &[]);
    assert_site(&[libc.clone(), stripped], "fio+0x123 (via mmap)");
    assert_site(&[libc], "mmap");
    assert_site(&[], "unknown (via mmap)");
}

/// The last call that made memory at an address counts, and what a child has
/// inherited was made by its parent: not what came later, nor another program's.
#[test]
fn last_call_and_parents() {
    let mut measurement = Measurement::default();
    measurement.names.stack_of_copy = vec![Some(0), Some(1)];
    measurement.names.code.codes = vec![
        code("/bin/a", &[("first", 1)]),
        code("/bin/a", &[("second", 2)]),
    ];
    let stack = |frame| AllocationStack {
        frames: vec![frame],
        truncated: None,
    };
    measurement.names.allocation_stacks = vec![stack(0), stack(1)];
    measurement.snapshot.allocations.calls = vec![
        made(1, 10, 0x1000, 0x4000, 0),
        made(1, 30, 0x2000, 0x1000, 1),
    ];
    let at = |measurement: &Measurement, tgid, address, time| {
        Makers::of(measurement)
            .find(tgid, address, time)
            .map(|site| site.words)
    };
    let first = Some("first at axmap.c:1 (via mmap)".to_owned());
    let second = Some("second at axmap.c:2 (via mmap)".to_owned());
    assert_eq!(at(&measurement, 1, 0x2500, None), second);
    assert_eq!(at(&measurement, 1, 0x2500, Some(20)), first);
    assert_eq!(at(&measurement, 1, 0x3000, None), first);
    assert_eq!(at(&measurement, 1, 0x5000, None), None);
    let thread = |tid, parent_tid, started_ns| Thread {
        tid,
        tgid: tid,
        parent_tid,
        started_ns,
        ..Thread::default()
    };
    measurement.snapshot.threads = vec![thread(1, 0, 1), thread(2, 1, 20)];
    let mapping = |inherited| Mapping {
        start: 0x1000,
        end: 0x5000,
        from_ns: 20,
        inherited,
        ..Mapping::default()
    };
    let processes = |inherited| Mappings {
        processes: vec![ProcessMappings {
            tgid: 2,
            mappings: vec![mapping(inherited)],
        }],
        ..Mappings::default()
    };
    measurement.snapshot.mappings = processes(true);
    assert_eq!(at(&measurement, 2, 0x2500, None), first);
    measurement.snapshot.mappings = processes(false);
    assert_eq!(at(&measurement, 2, 0x2500, None), None);
}
