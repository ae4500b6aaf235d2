//! From what happened to what was mapped when. Pure.

use std::collections::BTreeMap;

use super::data::{Mapping, ProcessMappings};

/// Mappings kept over all processes and times: about 40 MB.
const MOST: usize = 262_144;

/// Something that changed a process's mappings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Memory was mapped, or its protection changed.
    Mapped {
        /// The process.
        tgid: u32,
        /// What; its times are filled in here.
        mapping: Mapping,
    },
    /// A process became another program: everything before is gone.
    Executed {
        /// The process.
        tgid: u32,
    },
    /// A process was made, with a copy of all that its parent had.
    Forked {
        /// The parent.
        parent: u32,
        /// The child.
        child: u32,
    },
}

/// An event and its moment, by `CLOCK_MONOTONIC`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed {
    /// When.
    pub time_ns: u64,
    /// What.
    pub event: Event,
}

/// The mappings of all processes, as far as events have been applied.
#[derive(Debug, Default)]
pub struct Timeline {
    /// By process and first address: what is there now.
    live: BTreeMap<u32, BTreeMap<u64, Mapping>>,
    /// By process: what was there.
    past: BTreeMap<u32, Vec<Mapping>>,
    kept: usize,
    not_kept: u64,
}

impl Timeline {
    /// Puts events in order and applies them.
    #[must_use]
    pub fn of(mut events: Vec<Timed>) -> Self {
        // Stable: what one CPU wrote stays in its order.
        events.sort_by_key(|timed| timed.time_ns);
        let mut timeline = Self::default();
        for Timed { time_ns, event } in events {
            timeline.apply(time_ns, event);
        }
        timeline
    }

    fn apply(&mut self, time_ns: u64, event: Event) {
        match event {
            Event::Mapped { tgid, mut mapping } => {
                if self.has(tgid, &mapping) {
                    return;
                }
                self.clear(tgid, mapping.start, mapping.end, time_ns);
                mapping.from_ns = time_ns;
                mapping.until_ns = None;
                self.insert(tgid, mapping);
            }
            Event::Executed { tgid } => self.clear(tgid, 0, u64::MAX, time_ns),
            Event::Forked { parent, child } => {
                // A number can come round again.
                self.clear(child, 0, u64::MAX, time_ns);
                let inherited: Vec<Mapping> = self
                    .live
                    .get(&parent)
                    .into_iter()
                    .flat_map(BTreeMap::values)
                    .cloned()
                    .collect();
                for mut mapping in inherited {
                    mapping.from_ns = time_ns;
                    mapping.inherited = true;
                    self.insert(child, mapping);
                }
            }
        }
    }

    /// Whether just this is mapped already: programs map and unmap the same memory
    /// again and again, and of unmapping nobody hears.
    fn has(&self, tgid: u32, new: &Mapping) -> bool {
        let there = self.live.get(&tgid).and_then(|live| live.get(&new.start));
        there.is_some_and(|there| {
            *there
                == Mapping {
                    from_ns: there.from_ns,
                    until_ns: None,
                    inherited: false,
                    ..new.clone()
                }
        })
    }

    /// Adds a mapping where nothing is, if there is room.
    fn insert(&mut self, tgid: u32, mapping: Mapping) {
        if mapping.end <= mapping.start {
            return;
        }
        if self.kept >= MOST {
            self.not_kept += 1;
            return;
        }
        self.kept += 1;
        self.live
            .entry(tgid)
            .or_default()
            .insert(mapping.start, mapping);
    }

    /// Ends whatever lies in a range. What sticks out on either side lives on.
    fn clear(&mut self, tgid: u32, start: u64, end: u64, time_ns: u64) {
        let Some(live) = self.live.get_mut(&tgid) else {
            return;
        };
        let before = live.range(..start).next_back().map(|(&key, _)| key);
        let within = live.range(start..end).map(|(&key, _)| key);
        let touched: Vec<u64> = before.into_iter().chain(within).collect();
        for key in touched {
            if live.get(&key).is_none_or(|mapping| mapping.end <= start) {
                continue;
            }
            let Some(mapping) = live.remove(&key) else {
                continue;
            };
            self.kept -= 1;
            let mut pieces = Vec::new();
            if mapping.start < start {
                pieces.push(piece(&mapping, mapping.start, start));
            }
            if mapping.end > end {
                pieces.push(piece(&mapping, end, mapping.end));
            }
            for left in pieces {
                self.kept += 1;
                live.insert(left.start, left);
            }
            // What never existed for any time was never there.
            if mapping.from_ns == time_ns {
                continue;
            }
            let mut gone = piece(&mapping, mapping.start.max(start), mapping.end.min(end));
            gone.until_ns = Some(time_ns);
            self.kept += 1;
            self.past.entry(tgid).or_default().push(gone);
        }
    }

    /// All mappings by process, and how many there was no room for.
    #[must_use]
    pub fn finish(self) -> (Vec<ProcessMappings>, u64) {
        let mut all = self.past;
        for (tgid, live) in self.live {
            all.entry(tgid).or_default().extend(live.into_values());
        }
        let processes = all.into_iter().map(|(tgid, mut mappings)| {
            mappings.sort_by_key(|mapping| (mapping.from_ns, mapping.start));
            ProcessMappings { tgid, mappings }
        });
        (processes.collect(), self.not_kept)
    }
}

/// A part of a mapping.
fn piece(of: &Mapping, start: u64, end: u64) -> Mapping {
    Mapping {
        start,
        end,
        offset: if of.is_file() {
            of.file_offset(start)
        } else {
            of.offset
        },
        ..of.clone()
    }
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
