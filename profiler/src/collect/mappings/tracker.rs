//! Following the target's mappings while it runs.

use std::{collections::BTreeSet, path::Path};

use nix::unistd::Pid;

use super::{
    data::{Mapping, Mappings},
    files::KeptFiles,
    jit::JitMaps,
    proc_maps,
    record::Record,
    ring::{Rings, Scope},
    timeline::{Event, Timed, Timeline},
};
use crate::{
    collect::threads::Thread,
    sys::{monotonic_ns, process_of},
};

/// Events kept until the end. Beyond that, only those of code.
const MOST_EVENTS: usize = 131_072;
/// Events kept in all.
const MOST_CODE_EVENTS: usize = 2 * MOST_EVENTS;
/// Processes whose mappings are read from `/proc` at one look.
const READ_AT_ONCE: usize = 64;

/// Whose mappings are followed.
#[derive(Clone, Copy, Debug)]
pub enum Followed<'a> {
    /// A command that waits at the gate, and the file that it will execute.
    Held(Pid, &'a Path),
    /// A running process.
    Running(Pid),
    /// Whoever runs.
    Everybody,
}

/// What is taken down while the target runs.
pub struct Tracker {
    rings: Option<Rings>,
    refusal: Option<String>,
    /// Whose records are of interest; none for everybody's.
    wanted: Option<BTreeSet<u32>>,
    events: Vec<Timed>,
    /// Processes whose special mappings have been read since they last executed.
    read: BTreeSet<u32>,
    started_ns: u64,
    files: KeptFiles,
    jit: JitMaps,
    lost: u64,
    not_kept: u64,
}

impl Tracker {
    /// Begins.
    #[must_use]
    pub fn start(followed: Followed<'_>) -> Self {
        let scope = match followed {
            Followed::Held(pid, _) => Scope::Process(pid.as_raw()),
            Followed::Running(_) | Followed::Everybody => Scope::Everybody,
        };
        let (rings, refusal) = match Rings::open(scope) {
            Ok(rings) => (Some(rings), None),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        let mut tracker = Self {
            rings,
            refusal,
            wanted: None,
            events: Vec::new(),
            read: BTreeSet::new(),
            started_ns: monotonic_ns(),
            files: KeptFiles::default(),
            jit: JitMaps::default(),
            lost: 0,
            not_kept: 0,
        };
        match followed {
            Followed::Held(_, path) => tracker.files.keep_path(path),
            Followed::Running(pid) => {
                let tgid = pid.as_raw().unsigned_abs();
                tracker.wanted = Some(BTreeSet::from([tgid]));
                tracker.seed(tgid, tracker.started_ns, |_| true);
            }
            Followed::Everybody => {}
        }
        tracker
    }

    /// Looks at a process that has just executed its command.
    pub fn executed(&mut self, pid: Pid) {
        let tgid = pid.as_raw().unsigned_abs();
        self.drain();
        self.read_once(tgid);
    }

    /// Takes what the kernel has written since the last look, and keeps the files
    /// behind it. `alive` are numbers of threads that are being followed now.
    pub fn look(&mut self, alive: &[u32]) {
        self.drain();
        // A process's number is that of its first thread; other threads' numbers
        // show the same mappings, and are passed over.
        let news: Vec<u32> = alive
            .iter()
            .copied()
            .filter(|tid| !self.read.contains(tid))
            .take(READ_AT_ONCE)
            .collect();
        for tid in news {
            self.read_once(tid);
        }
    }

    /// Reads from `/proc` what the kernel's records do not tell.
    fn read_once(&mut self, tid: u32) {
        if !self.read.insert(tid) || process_of(tid) != Some(tid) {
            return;
        }
        let has_records = self.rings.is_some();
        let is_everybody = self.wanted.is_none() && has_records && !self.has_beginning_of(tid);
        // What a process had before we came, it had from the beginning: records of what
        // it has mapped since then are later.
        let time_ns = if is_everybody {
            self.started_ns
        } else {
            monotonic_ns()
        };
        // The kernel's own mappings are in no record.
        self.seed(tid, time_ns, |mapping| {
            !has_records || is_everybody || mapping.path.starts_with('[')
        });
    }

    /// Whether the records of a process reach back to where its memory was empty, or
    /// that of a process which we know. What it maps now says nothing of that.
    fn has_beginning_of(&self, process: u32) -> bool {
        self.events.iter().any(|timed| match &timed.event {
            Event::Mapped { .. } => false,
            Event::Executed { tgid } => *tgid == process,
            Event::Forked { parent, child } => *child == process && self.read.contains(parent),
        })
    }

    fn seed(&mut self, tgid: u32, time_ns: u64, wanted: impl Fn(&Mapping) -> bool) {
        for mapping in proc_maps::read(tgid) {
            if wanted(&mapping) {
                let event = Event::Mapped { tgid, mapping };
                self.note(Timed { time_ns, event });
            }
        }
    }

    fn drain(&mut self) {
        let Some(mut rings) = self.rings.take() else {
            return;
        };
        let mut news = Vec::new();
        rings.drain(|record| match record {
            Record::Event { time_ns, event } => news.push(Timed { time_ns, event }),
            Record::Lost(lost) => self.lost += lost,
        });
        self.rings = Some(rings);
        news.sort_by_key(|timed| timed.time_ns);
        for timed in news {
            self.note(timed);
        }
    }

    /// Keeps an event, if it is of a process that is of interest and there is room.
    fn note(&mut self, timed: Timed) {
        let mut is_code = true;
        match &timed.event {
            Event::Mapped { tgid, mapping } => {
                if self.wanted.as_ref().is_some_and(|all| !all.contains(tgid)) {
                    return;
                }
                is_code = mapping.is_executable();
                if is_code && mapping.is_file() {
                    self.files.keep(*tgid, mapping);
                } else if is_code && mapping.path.is_empty() {
                    self.jit.keep(*tgid);
                }
            }
            Event::Executed { tgid } => {
                self.read.remove(tgid);
            }
            Event::Forked { parent, child } => {
                if let Some(all) = &mut self.wanted {
                    if !all.contains(parent) {
                        return;
                    }
                    all.insert(*child);
                }
                self.read.remove(child);
            }
        }
        let most = if is_code {
            MOST_CODE_EVENTS
        } else {
            MOST_EVENTS
        };
        if self.events.len() < most {
            self.events.push(timed);
        } else {
            self.not_kept += 1;
        }
    }

    /// The mappings of the processes that these threads were of, and their files.
    #[must_use]
    pub fn finish(mut self, threads: &[Thread]) -> (Mappings, KeptFiles, JitMaps) {
        self.drain();
        let followed: BTreeSet<u32> = threads.iter().map(|thread| thread.tgid).collect();
        let (mut processes, not_kept) = Timeline::of(self.events).finish();
        processes.retain(|process| followed.contains(&process.tgid));
        let mappings = Mappings {
            processes,
            lost: self.lost,
            not_kept: self.not_kept + not_kept,
            files_not_kept: self.files.not_kept,
            unavailable: self.refusal,
        };
        (mappings, self.files, self.jit)
    }
}
