//! Where code lies, independently of the process that ran it.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    elf,
    isolated::{self, Wait},
    names::{UserCode, UserFrame},
    perf_map::PerfMap,
    vdso,
};
use crate::collect::{
    allocations::RawStacks,
    mappings::{
        JitMaps, KeptFiles,
        data::{FileId, Found, Mapping, MappingIndex},
    },
};

/// What has been kept of the target's files.
pub struct Kept {
    /// Its programs and libraries.
    pub files: KeptFiles,
    /// The names of code that it made itself.
    pub jit: JitMaps,
    /// Stacks of calls that made memory.
    pub stacks: RawStacks,
}

/// Where an instruction lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// In a file.
    File {
        /// Which.
        id: FileId,
        /// Where in it.
        offset: u64,
    },
    /// In the vDSO, so far behind its beginning.
    Vdso(u64),
    /// In memory that the program filled itself.
    Made {
        /// The process.
        tgid: u32,
        /// The address in it.
        address: u64,
    },
    /// Not known, and why.
    Unknown(String),
}

impl Place {
    /// The place of an address in a process: at a time, or ever.
    pub(super) fn of(
        index: &MappingIndex<'_>,
        tgid: u32,
        address: u64,
        time_ns: Option<u64>,
    ) -> Self {
        let mappings = index.mappings;
        match index.find_code(tgid, address, time_ns) {
            Found::One(mapping) => Self::within(mapping, tgid, address),
            Found::Several(several) => {
                let names: Vec<&str> = several.iter().map(|mapping| name(mapping)).collect();
                Self::Unknown(format!(
                    "one after the other had code there: {}",
                    names.join(", ")
                ))
            }
            Found::Nothing if address == 0 => Self::Unknown("the frame was not kept".to_owned()),
            Found::Nothing => Self::Unknown(match &mappings.unavailable {
                Some(refusal) => {
                    format!("the process was gone before its mappings were read, and {refusal}")
                }
                None if mappings.lost + mappings.not_kept != 0 => {
                    "its mapping is among those that could not be kept".to_owned()
                }
                None => "no executable mapping is known at this address".to_owned(),
            }),
        }
    }

    fn within(mapping: &Mapping, tgid: u32, address: u64) -> Self {
        if mapping.path == vdso::NAME {
            return Self::Vdso(address - mapping.start);
        }
        // Memory with a name is a file to the kernel, and is often made code.
        let is_memory = ["/memfd:", "/dev/", "/SYSV"]
            .iter()
            .any(|prefix| mapping.path.starts_with(prefix));
        if mapping.is_file() && !is_memory {
            Self::File {
                id: mapping.file(),
                offset: mapping.file_offset(address),
            }
        } else {
            Self::Made { tgid, address }
        }
    }
}

/// What to call a mapping.
fn name(mapping: &Mapping) -> &str {
    if mapping.path.is_empty() {
        "memory"
    } else {
        &mapping.path
    }
}

/// Places, each once, and numbered.
#[derive(Default)]
pub(super) struct Places {
    numbers: BTreeMap<Place, usize>,
}

/// Places in one file.
struct Job<'a> {
    file: Result<&'a std::fs::File, &'a str>,
    module: &'a str,
    offsets: Vec<u64>,
    /// The places' numbers, in the order of the offsets.
    numbers: Vec<usize>,
}

impl Places {
    /// The number of a place.
    pub(super) fn index(&mut self, place: Place) -> usize {
        let next = self.numbers.len();
        *self.numbers.entry(place).or_insert(next)
    }

    /// What is known of each place, by its number.
    pub(super) fn look_up(&self, kept: &Kept, wait: &mut Wait<'_>) -> Vec<UserCode> {
        let mut codes = vec![UserCode::default(); self.numbers.len()];
        let vdso = vdso::file().map_err(|error| format!("{error:#}"));
        let mut jobs: BTreeMap<Option<&FileId>, Job<'_>> = BTreeMap::new();
        let mut maps: BTreeMap<u32, Result<PerfMap, String>> = BTreeMap::new();
        for (place, &number) in &self.numbers {
            let (id, offset) = match place {
                Place::File { id, offset } => (Some(id), *offset),
                Place::Vdso(offset) => (None, *offset),
                Place::Made { tgid, address } => {
                    let map = maps
                        .entry(*tgid)
                        .or_insert_with(|| match kept.jit.read(*tgid) {
                            Ok(text) => Ok(PerfMap::parse(&text)),
                            Err(error) => Err(error.to_string()),
                        });
                    codes[number] = made(map, *address);
                    continue;
                }
                Place::Unknown(reason) => {
                    codes[number] = nameless(None, None, reason);
                    continue;
                }
            };
            let job = jobs.entry(id).or_insert_with(|| Job {
                file: match id {
                    Some(id) => kept.files.get(id),
                    None => vdso.as_ref().map_err(String::as_str),
                },
                module: id.map_or(vdso::NAME, |id| &id.path),
                offsets: Vec::new(),
                numbers: Vec::new(),
            });
            job.offsets.push(offset);
            job.numbers.push(number);
        }
        let mut jobs: Vec<Job<'_>> = jobs.into_values().collect();
        // The most frequent code was numbered first: if time runs out, then for
        // what matters least.
        jobs.sort_by_key(|job| job.numbers.iter().min().copied());
        let files = jobs
            .iter()
            .filter_map(|job| Some((job.file.ok()?, job.module)));
        let may_read: Vec<PathBuf> = files
            .flat_map(|(file, module)| elf::readable(file, module))
            .collect();
        wait.begin("reading symbols", "files");
        let answers = isolated::map(&jobs, &may_read, wait, |job, effort| match job.file {
            Ok(file) => elf::look_up(file, job.module, &job.offsets, effort),
            Err(reason) => job
                .offsets
                .iter()
                .map(|&offset| nameless(Some(job.module), Some(offset), reason))
                .collect(),
        });
        for (job, answer) in jobs.iter().zip(answers) {
            let answer = answer.unwrap_or_else(|reason| {
                job.offsets
                    .iter()
                    .map(|&offset| nameless(Some(job.module), Some(offset), &reason))
                    .collect()
            });
            for (&number, code) in job.numbers.iter().zip(answer) {
                codes[number] = code;
            }
        }
        codes
    }
}

/// Code that the program made.
fn made(map: &Result<PerfMap, String>, address: u64) -> UserCode {
    let found = map.as_ref().map(|map| map.find(address));
    match found {
        Ok(Some(function)) => UserCode {
            module: Some("[made by the program]".to_owned()),
            module_address: None,
            frames: vec![UserFrame {
                function: elf::clean(function),
                file: None,
                line: None,
            }],
            begins_thread: false,
            reason: Some("code that the program made has no lines".to_owned()),
        },
        Ok(None) => nameless(
            None,
            None,
            "the program made this code itself, and its perf map does not name it",
        ),
        Err(error) => nameless(
            None,
            None,
            &format!(
                "the program made this code itself and left no perf map that can be used ({error})"
            ),
        ),
    }
}

/// What is known of code that could not be looked up.
fn nameless(module: Option<&str>, offset: Option<u64>, reason: &str) -> UserCode {
    UserCode {
        module: module.map(elf::clean),
        module_address: offset,
        reason: Some(elf::clean(reason)),
        ..UserCode::default()
    }
}
