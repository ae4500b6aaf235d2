//! Mappings as plain data.

use serde::{Deserialize, Serialize};

/// `PROT_EXEC`: code may run there.
const EXECUTABLE: u32 = 4;

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
    /// What lay at an address of a process: at a time, or ever.
    #[must_use]
    pub fn find(&self, tgid: u32, address: u64, time_ns: Option<u64>) -> Found<'_> {
        self.find_among(tgid, address, time_ns, |_| true)
    }

    /// As [`find`](Self::find), among mappings in which code may run.
    #[must_use]
    pub fn find_code(&self, tgid: u32, address: u64, time_ns: Option<u64>) -> Found<'_> {
        self.find_among(tgid, address, time_ns, Mapping::is_executable)
    }

    fn find_among(
        &self,
        tgid: u32,
        address: u64,
        time_ns: Option<u64>,
        fits: impl Fn(&Mapping) -> bool,
    ) -> Found<'_> {
        let index = self
            .processes
            .binary_search_by_key(&tgid, |process| process.tgid);
        let Some(process) = index.ok().and_then(|index| self.processes.get(index)) else {
            return Found::Nothing;
        };
        let mut found: Vec<&Mapping> = Vec::new();
        for mapping in &process.mappings {
            let in_time = time_ns.is_none_or(|time_ns| mapping.existed_at(time_ns));
            if !mapping.contains(address) || !in_time || !fits(mapping) {
                continue;
            }
            // The same byte of the same file is the same code.
            let same = |other: &&Mapping| {
                other.file() == mapping.file()
                    && other.file_offset(address) == mapping.file_offset(address)
            };
            if mapping.is_file() && found.iter().any(same) {
                continue;
            }
            found.push(mapping);
        }
        match &found[..] {
            [] => Found::Nothing,
            [one] => Found::One(one),
            // Plain memory has no identity that could differ.
            several
                if several
                    .iter()
                    .all(|m| !m.is_file() && m.path == several[0].path) =>
            {
                Found::One(several[several.len() - 1])
            }
            _ => Found::Several(found),
        }
    }
}
