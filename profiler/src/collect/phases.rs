//! The phase page, seen from our side, and how long each phase lasted.

use std::{num::NonZeroUsize, os::fd::RawFd, ptr::NonNull};

use anyhow::{Context, Result, bail};
use aya::{Ebpf, maps::Map};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use profiler_common::{
    names::map,
    phase::{COUNT, MAGIC, MAGIC_OFFSET, PAGE_BYTES, PhasePage, UNMARKED},
};
use serde::{Deserialize, Serialize};

use super::{
    bpf_maps::find,
    phase_spans::{Spans, clamp, name},
    row::Row,
};
use crate::{
    document::phase::{PhaseSpan, PhaseTime, Untimed},
    sys::monotonic_ns,
};

/// The phases that a program was in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PhaseRecord {
    /// How long each was.
    pub times: Vec<PhaseTime>,
    /// Stays in them, in order of time.
    pub spans: Vec<PhaseSpan>,
}

/// The mapped page and what has been seen in it so far.
pub struct Phases {
    page: NonNull<PhasePage>,
    /// The page's file, for the command to inherit.
    pub fd: RawFd,
    looks: Looks,
    spans: Spans,
    /// The page at the window's end.
    last: Option<PhasePage>,
}

/// What looks at the page say of a program that keeps no times.
#[derive(Clone)]
struct Looks {
    /// Time until the next look, by the phase that was seen.
    sampled_ns: [u64; COUNT],
    /// Phases that were ever seen.
    seen: [bool; COUNT],
    /// Time between two looks that both saw it, by phase.
    stayed_ns: [u64; COUNT],
    /// Time between two looks of which one saw it: it may have lasted for any
    /// part of that.
    unsure_ns: [u64; COUNT],
    last: (usize, u64),
}

impl Looks {
    fn begin(phase: usize, now_ns: u64) -> Self {
        let mut seen = [false; COUNT];
        seen[phase] = true;
        Self {
            sampled_ns: [0; COUNT],
            seen,
            stayed_ns: [0; COUNT],
            unsure_ns: [0; COUNT],
            last: (phase, now_ns),
        }
    }

    fn look(&mut self, phase: usize, now_ns: u64) {
        let (before, since_ns) = self.last;
        let ns = now_ns.saturating_sub(since_ns);
        self.sampled_ns[before] += ns;
        self.seen[phase] = true;
        if phase == before {
            self.stayed_ns[phase] += ns;
        } else {
            self.unsure_ns[before] += ns;
            self.unsure_ns[phase] += ns;
        }
        self.last = (phase, now_ns);
    }

    /// How long a phase lasted, if most of that was seen.
    fn time_ns(&self, phase: usize) -> Option<u64> {
        let stayed_ns = self.stayed_ns[phase];
        (stayed_ns != 0 && stayed_ns >= self.unsure_ns[phase]).then_some(self.sampled_ns[phase])
    }
}

impl Phases {
    /// Maps the page.
    ///
    /// # Errors
    /// If the kernel does not map it (before Linux 5.5).
    pub fn map(ebpf: &Ebpf) -> Result<Self> {
        let Map::Array(data) = find(ebpf, map::PHASE)? else {
            bail!("the phase page is not an array");
        };
        let length = NonZeroUsize::new(PAGE_BYTES).context("empty page")?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let fd = std::os::fd::AsFd::as_fd(data.fd());
        // SAFETY: a new mapping of a page that the map owns.
        let page = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, fd, 0) }
            .context("cannot map the phase page")?;
        // SAFETY: within the page just mapped.
        let magic = unsafe { page.byte_add(MAGIC_OFFSET) }.cast::<[u8; MAGIC.len()]>();
        // SAFETY: as above, and bytes need no alignment.
        unsafe { magic.write(MAGIC) };
        Ok(Self {
            page: page.cast(),
            fd: std::os::fd::AsRawFd::as_raw_fd(&fd),
            looks: Looks::begin(clamp(UNMARKED), monotonic_ns()),
            spans: Spans::default(),
            last: None,
        })
    }

    /// The page's contents now, or at the window's end.
    fn read(&self) -> PhasePage {
        if let Some(last) = self.last {
            return last;
        }
        // SAFETY: the page stays mapped as long as `self`, is aligned, and any
        // bytes are a valid `PhasePage`. Volatile: the program writes to it.
        unsafe { self.page.read_volatile() }
    }

    /// The window has ended: what the program marks from here on is not in it.
    pub fn close(&mut self) {
        self.sample();
        self.last = Some(self.read());
    }

    /// Notes the phase now.
    pub fn sample(&mut self) {
        if self.last.is_some() {
            return;
        }
        let now_ns = monotonic_ns();
        let page = self.read();
        self.looks.look(clamp(page.current), now_ns);
        self.spans.look(&page, now_ns);
    }

    /// Restarts the clock: the window began at this moment.
    pub fn begin(&mut self, begun_ns: u64) {
        let page = self.read();
        self.looks = Looks::begin(clamp(page.current), begun_ns);
        self.spans = Spans::begin(&page, begun_ns);
    }

    /// What is known of a window of this length that ended at this moment: of all
    /// phases that were seen, or that entries were counted in.
    #[must_use]
    pub fn record(&self, ended_ns: u64, window_ns: u64, rows: &[Row]) -> PhaseRecord {
        let page = self.read();
        PhaseRecord {
            times: times(&page, &self.looks, (ended_ns, window_ns), rows),
            spans: self.spans.finish(&page, ended_ns),
        }
    }
}

impl Drop for Phases {
    fn drop(&mut self) {
        // SAFETY: mapped by `map` with this length, and not used after this.
        if let Err(error) = unsafe { munmap(self.page.cast(), PAGE_BYTES) } {
            log::debug!("cannot unmap the phase page: {error}");
        }
    }
}

fn times(
    page: &PhasePage,
    looks: &Looks,
    (ended_ns, window_ns): (u64, u64),
    rows: &[Row],
) -> Vec<PhaseTime> {
    let exact = page.marks != 0;
    let (kept, mut exists) = if exact {
        let mut kept = page.elapsed_ns;
        kept[clamp(page.current)] += ended_ns.saturating_sub(page.entered_ns);
        // Before the first mark nobody kept the time.
        kept[clamp(UNMARKED)] = 0;
        kept[clamp(UNMARKED)] = window_ns.saturating_sub(kept.iter().sum());
        (kept.map(|ns| (ns != 0).then_some(ns)), [false; COUNT])
    } else {
        let mut looks = looks.clone();
        looks.look(looks.last.0, ended_ns);
        (
            std::array::from_fn(|phase| looks.time_ns(phase)),
            looks.seen,
        )
    };
    for row in rows {
        exists[clamp(row.phase.into())] = true;
    }
    let untimed = if exact {
        Untimed::NotKept
    } else {
        Untimed::NotSeen
    };
    (0u16..)
        .zip(kept.into_iter().zip(exists))
        .filter(|(_, (duration_ns, exists))| duration_ns.is_some() || *exists)
        .map(|(number, (duration_ns, _))| PhaseTime {
            number,
            name: name(page, number),
            duration_ns,
            exact: exact && duration_ns.is_some(),
            untimed: duration_ns.is_none().then_some(untimed),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use profiler_common::phase::{NAME_BYTES, SETUP, STEADY, TEARDOWN};

    use super::*;

    fn page(current: u32, marks: u32) -> PhasePage {
        PhasePage {
            current,
            marks,
            entered_ns: 70,
            elapsed_ns: [0; COUNT],
            names: [[0; NAME_BYTES]; COUNT],
        }
    }

    fn counted(phase: u32) -> Row {
        Row {
            phase: u16::try_from(phase).expect("small"),
            count: 1,
            ..Row::default()
        }
    }

    fn shown(times: &[PhaseTime]) -> Vec<(&str, Option<u64>, Option<Untimed>)> {
        let times = times.iter();
        times
            .map(|time| (&time.name[..], time.duration_ns, time.untimed))
            .collect()
    }

    /// A phase that entries were counted in is one, though nobody saw it, and so
    /// is one that was seen once. How long they were is not known.
    #[test]
    fn short_phases_are_phases() {
        let mut looks = Looks::begin(clamp(UNMARKED), 0);
        looks.look(clamp(UNMARKED), 50);
        looks.look(clamp(TEARDOWN), 100);
        let found = times(&page(TEARDOWN, 0), &looks, (110, 110), &[counted(STEADY)]);
        let expected = [
            ("unmarked", Some(100), None),
            ("steady", None, Some(Untimed::NotSeen)),
            ("teardown", None, Some(Untimed::NotSeen)),
        ];
        assert_eq!(shown(&found), expected);
        looks.look(clamp(TEARDOWN), 140);
        let found = times(&page(TEARDOWN, 0), &looks, (150, 150), &[]);
        assert_eq!(shown(&found)[1], ("teardown", Some(50), None));
        assert!(found.iter().all(|time| !time.exact));
    }

    /// A program that keeps the times of some phases and only stores another.
    #[test]
    fn a_phase_without_a_time_among_others() {
        let looks = Looks::begin(clamp(UNMARKED), 0);
        let mut page = page(STEADY, 2);
        page.elapsed_ns[clamp(SETUP)] = 20;
        let found = times(&page, &looks, (100, 100), &[counted(TEARDOWN)]);
        let expected = [
            ("unmarked", Some(50), None),
            ("setup", Some(20), None),
            ("steady", Some(30), None),
            ("teardown", None, Some(Untimed::NotKept)),
        ];
        assert_eq!(shown(&found), expected);
    }
}
