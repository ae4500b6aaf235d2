//! The timeline's rules.

use super::*;
use crate::collect::mappings::data::{Found, Mappings};

fn file(start: u64, end: u64, offset: u64, inode: u64) -> Mapping {
    Mapping {
        start,
        end,
        offset,
        path: format!("/bin/{inode}"),
        inode,
        protection: 5,
        ..Mapping::default()
    }
}

fn mapped(time_ns: u64, tgid: u32, mapping: Mapping) -> Timed {
    Timed {
        time_ns,
        event: Event::Mapped { tgid, mapping },
    }
}

fn mappings(events: Vec<Timed>) -> Mappings {
    let (processes, not_kept) = Timeline::of(events).finish();
    Mappings {
        processes,
        not_kept,
        ..Mappings::default()
    }
}

#[track_caller]
fn inode_and_offset(mappings: &Mappings, tgid: u32, at: u64, time: Option<u64>) -> (u64, u64) {
    let found = mappings.index().find_code(tgid, at, time);
    let Found::One(mapping) = found else {
        panic!("{at:#x}: {found:?}");
    };
    (mapping.inode, mapping.file_offset(at))
}

/// A mapping in the midst of another leaves both ends of it, with the right
/// offsets into its file; and the middle is remembered for the time before.
#[test]
fn overlap_splits() {
    let all = mappings(vec![
        mapped(10, 1, file(0x1000, 0x9000, 0, 7)),
        mapped(20, 1, file(0x3000, 0x5000, 0x100, 8)),
    ]);
    assert_eq!(inode_and_offset(&all, 1, 0x1010, None), (7, 0x10));
    assert_eq!(inode_and_offset(&all, 1, 0x5010, None), (7, 0x4010));
    assert_eq!(inode_and_offset(&all, 1, 0x3010, Some(25)), (8, 0x110));
    assert_eq!(inode_and_offset(&all, 1, 0x3010, Some(15)), (7, 0x2010));
    assert!(
        matches!(all.index().find_code(1, 0x3010, None), Found::Several(both) if both.len() == 2)
    );
}

/// A new program begins with nothing; the old one's addresses stay known, and
/// where both had code an address is ambiguous.
#[test]
fn exec_resets() {
    let exec = Timed {
        time_ns: 30,
        event: Event::Executed { tgid: 1 },
    };
    let all = mappings(vec![
        mapped(40, 1, file(0x1000, 0x2000, 0, 8)),
        exec,
        mapped(10, 1, file(0x1000, 0x3000, 0, 7)),
    ]);
    assert_eq!(inode_and_offset(&all, 1, 0x2800, None), (7, 0x1800));
    assert_eq!(all.index().find_code(1, 0x2800, Some(35)), Found::Nothing);
    assert!(matches!(
        all.index().find_code(1, 0x1800, None),
        Found::Several(_)
    ));
    assert_eq!(inode_and_offset(&all, 1, 0x1800, Some(45)), (8, 0x800));
}

/// A child has what its parent had when it was made, and nothing that came later.
#[test]
fn fork_inherits() {
    let fork = Timed {
        time_ns: 20,
        event: Event::Forked {
            parent: 1,
            child: 2,
        },
    };
    let all = mappings(vec![
        mapped(10, 1, file(0x1000, 0x2000, 0, 7)),
        fork,
        mapped(30, 1, file(0x8000, 0x9000, 0, 8)),
    ]);
    assert_eq!(inode_and_offset(&all, 2, 0x1800, None), (7, 0x800));
    assert_eq!(all.index().find_code(2, 0x8800, None), Found::Nothing);
    assert_eq!(inode_and_offset(&all, 1, 0x8800, None), (8, 0x800));
}

/// Changing the protection of a part does not make its code ambiguous.
#[test]
fn one_file_is_one_answer() {
    let mut data = file(0x1000, 0x4000, 0, 7);
    data.protection = 1;
    let all = mappings(vec![
        mapped(10, 1, data),
        mapped(20, 1, file(0x2000, 0x3000, 0x1000, 7)),
        mapped(30, 1, file(0x2000, 0x2800, 0x1000, 7)),
    ]);
    assert_eq!(inode_and_offset(&all, 1, 0x2010, None), (7, 0x1010));
    assert_eq!(all.index().find_code(1, 0x1010, None), Found::Nothing);
}

/// Memory that is mapped at the same place again and again is one mapping; what a
/// child maps itself is not what it inherited.
#[test]
fn the_same_again_is_one() {
    let fork = Timed {
        time_ns: 5_000,
        event: Event::Forked {
            parent: 1,
            child: 2,
        },
    };
    let again = (0..1_000).map(|time| mapped(time, 1, file(0x1000, 0x9000, 0, 7)));
    let own = mapped(6_000, 2, file(0x1000, 0x9000, 0, 7));
    let all = mappings(again.chain([fork, own]).collect());
    let of = |index: usize| {
        let mappings = all.processes[index].mappings.iter();
        mappings
            .map(|mapping| (mapping.from_ns, mapping.inherited))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(0), [(0, false)]);
    assert_eq!(of(1), [(5_000, true), (6_000, false)]);
}
