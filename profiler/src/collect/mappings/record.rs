//! The kernel's perf records. Pure: bytes in, events out.

use super::{data::Mapping, timeline::Event};

/// `PERF_RECORD_*` numbers, `include/uapi/linux/perf_event.h`.
mod kind {
    pub(super) const LOST: u32 = 2;
    pub(super) const COMM: u32 = 3;
    pub(super) const FORK: u32 = 7;
    pub(super) const MMAP2: u32 = 10;
}

/// `PERF_RECORD_MISC_COMM_EXEC`.
const COMM_EXEC: u16 = 1 << 13;
/// `PERF_RECORD_MISC_MMAP_BUILD_ID`: a build id stands where the inode does.
const HAS_BUILD_ID: u16 = 1 << 14;
/// `MAP_SHARED`.
const SHARED: u32 = 1;
/// Header of every record: type, misc, size.
pub(super) const HEADER: usize = 8;
/// Behind every record: its time, as `sample_type` asks for.
const TRAILER: usize = 8;

/// A record that means something here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// Something happened.
    Event { time_ns: u64, event: Event },
    /// The kernel had no room for so many records.
    Lost(u64),
}

/// The size that a record's header tells, if it can be one.
pub(super) fn size(header: &[u8]) -> Option<usize> {
    let size = usize::from(u16(header, 6)?);
    (size >= HEADER).then_some(size)
}

/// Reads one record, its header included. Nothing if it is of no interest or
/// shorter than it should be.
pub(super) fn parse(bytes: &[u8]) -> Option<Record> {
    let misc = u16(bytes, 4)?;
    let time_ns = u64(bytes, bytes.len().checked_sub(TRAILER)?)?;
    let body = bytes.get(HEADER..bytes.len() - TRAILER)?;
    let event = match u32(bytes, 0)? {
        kind::LOST => return Some(Record::Lost(u64(body, 8)?)),
        kind::COMM if misc & COMM_EXEC != 0 => Event::Executed {
            tgid: u32(body, 0)?,
        },
        kind::FORK => {
            let (child, parent) = (u32(body, 0)?, u32(body, 4)?);
            // A new thread has its process's number on both sides.
            if child == parent {
                return None;
            }
            Event::Forked { parent, child }
        }
        kind::MMAP2 => mapped(body, misc)?,
        _ => return None,
    };
    Some(Record::Event { time_ns, event })
}

/// `pid, tid, addr, len, pgoff, maj, min, ino, ino_generation, prot, flags, filename`.
fn mapped(body: &[u8], misc: u16) -> Option<Event> {
    let start = u64(body, 8)?;
    let name = body.get(64..)?;
    let length = name
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(name.len());
    let path = String::from_utf8_lossy(&name[..length]).into_owned();
    let has_inode = misc & HAS_BUILD_ID == 0;
    let file = |offset| {
        if has_inode {
            u32(body, offset)
        } else {
            Some(0)
        }
    };
    Some(Event::Mapped {
        tgid: u32(body, 0)?,
        mapping: Mapping {
            start,
            end: start.checked_add(u64(body, 16)?)?,
            offset: u64(body, 24)?,
            path: plain_path(path),
            major: file(32)?,
            minor: file(36)?,
            inode: if has_inode { u64(body, 40)? } else { 0 },
            protection: u32(body, 56)?,
            shared: u32(body, 60)? & SHARED != 0,
            from_ns: 0,
            until_ns: None,
            inherited: false,
        },
    })
}

/// What the kernel writes where there is no file, or no longer one.
pub(super) fn plain_path(path: String) -> String {
    if path == "//anon" {
        return String::new();
    }
    match path.strip_suffix(" (deleted)") {
        Some(path) => path.to_owned(),
        None => path,
    }
}

fn u16(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_ne_bytes(bytes.try_into().ok()?))
}

fn u32(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

fn u64(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_ne_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record as the kernel writes it.
    fn record(kind: u32, misc: u16, body: &[u8], time_ns: u64) -> Vec<u8> {
        let size = u16::try_from(HEADER + body.len() + TRAILER).expect("short");
        let mut bytes = kind.to_ne_bytes().to_vec();
        bytes.extend(misc.to_ne_bytes());
        bytes.extend(size.to_ne_bytes());
        bytes.extend(body);
        bytes.extend(time_ns.to_ne_bytes());
        bytes
    }

    fn mmap2(name: &str) -> Vec<u8> {
        let mut body = Vec::new();
        for word in [42u32, 43] {
            body.extend(word.to_ne_bytes());
        }
        for word in [0x1000u64, 0x2000, 0x3000] {
            body.extend(word.to_ne_bytes());
        }
        for word in [8u32, 1] {
            body.extend(word.to_ne_bytes());
        }
        for word in [99u64, 0] {
            body.extend(word.to_ne_bytes());
        }
        for word in [5u32, 2] {
            body.extend(word.to_ne_bytes());
        }
        body.extend(name.as_bytes());
        body.resize(body.len().next_multiple_of(8) + 8, 0);
        record(kind::MMAP2, 2, &body, 77)
    }

    /// Every field is where the kernel puts it.
    #[test]
    fn mappings_are_read() {
        let Some(Record::Event {
            time_ns: 77,
            event: Event::Mapped { tgid: 42, mapping },
        }) = parse(&mmap2("/usr/lib/libx.so (deleted)"))
        else {
            panic!("no mapping");
        };
        assert_eq!(mapping.path, "/usr/lib/libx.so");
        assert_eq!((mapping.start, mapping.end), (0x1000, 0x3000));
        assert_eq!((mapping.offset, mapping.inode), (0x3000, 99));
        assert_eq!((mapping.major, mapping.minor), (8, 1));
        assert!(mapping.is_executable() && !mapping.shared);
    }

    /// Only a fork with a new process and only a name change by exec count.
    #[test]
    fn threads_and_renames_are_passed_over() {
        let words = |words: [u32; 4]| -> Vec<u8> {
            let mut body: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
            body.extend([0; 8]);
            body
        };
        assert_eq!(parse(&record(kind::FORK, 0, &words([5, 5, 6, 5]), 1)), None);
        let forked = parse(&record(kind::FORK, 0, &words([6, 5, 6, 5]), 1));
        let event = Event::Forked {
            parent: 5,
            child: 6,
        };
        assert_eq!(forked, Some(Record::Event { time_ns: 1, event }));
        assert_eq!(parse(&record(kind::COMM, 0, &words([5, 5, 0, 0]), 1)), None);
        let executed = parse(&record(kind::COMM, COMM_EXEC, &words([5, 5, 0, 0]), 1));
        let event = Event::Executed { tgid: 5 };
        assert_eq!(executed, Some(Record::Event { time_ns: 1, event }));
    }

    /// No cut of any record makes it panic, and a length that overflows is refused.
    #[test]
    fn cut_records_are_refused() {
        let whole = mmap2("/bin/x");
        for length in 0..whole.len() {
            let _ = parse(&whole[..length]);
        }
        assert_eq!(size(&[0; 8]), None);
        let mut huge = whole;
        huge[HEADER + 16..HEADER + 24].copy_from_slice(&u64::MAX.to_ne_bytes());
        assert_eq!(parse(&huge), None);
    }
}
