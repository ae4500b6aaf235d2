//! The phase page, seen from our side, and how long each phase lasted.

use std::{num::NonZeroUsize, os::fd::RawFd, ptr::NonNull};

use anyhow::{Context, Result, bail};
use aya::{Ebpf, maps::Map};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use profiler_common::{
    names::map,
    phase::{COUNT, PAGE_BYTES, PhasePage, UNMARKED, fixed_name},
};

use super::{
    maps::find,
    phase_spans::Spans,
    snapshot::{PhaseSpan, PhaseTime},
};
use crate::sys::monotonic_ns;

/// The mapped page and what has been seen in it so far.
pub struct Phases {
    page: NonNull<PhasePage>,
    /// The page's file, for the command to inherit.
    pub fd: RawFd,
    sampled_ns: [u64; COUNT],
    last_sample: (usize, u64),
    spans: Spans,
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
        Ok(Self {
            page: page.cast(),
            fd: std::os::fd::AsRawFd::as_raw_fd(&fd),
            sampled_ns: [0; COUNT],
            last_sample: (0, monotonic_ns()),
            spans: Spans::default(),
        })
    }

    /// The page's contents now.
    fn read(&self) -> PhasePage {
        // SAFETY: the page stays mapped as long as `self`, is aligned, and any
        // bytes are a valid `PhasePage`. Volatile: the program writes to it.
        unsafe { self.page.read_volatile() }
    }

    /// Notes the phase now, and counts the time since the last look for the
    /// phase seen then.
    pub fn sample(&mut self) {
        let now_ns = monotonic_ns();
        let (phase, since_ns) = self.last_sample;
        self.sampled_ns[phase] += now_ns.saturating_sub(since_ns);
        let page = self.read();
        self.last_sample = (clamp(page.current), now_ns);
        self.spans.look(&page, now_ns);
    }

    /// Restarts the clock: the window began at this moment.
    pub fn begin(&mut self, begun_ns: u64) {
        let page = self.read();
        self.sampled_ns = [0; COUNT];
        self.last_sample = (clamp(page.current), monotonic_ns());
        self.spans = Spans::begin(&page, begun_ns);
    }

    /// Stays in phases until the window ended.
    #[must_use]
    pub fn spans(&self, ended_ns: u64) -> Vec<PhaseSpan> {
        let page = self.read();
        self.spans.finish(&page, ended_ns)
    }

    /// How long each phase lasted that was seen at all, in a window of this
    /// length that ended at this moment.
    #[must_use]
    pub fn times(&self, ended_ns: u64, window_ns: u64) -> Vec<PhaseTime> {
        let page = self.read();
        let exact = page.marks != 0;
        let times = if exact {
            let mut kept = page.elapsed_ns;
            kept[clamp(page.current)] += ended_ns.saturating_sub(page.entered_ns);
            // Before the first mark nobody kept the time.
            kept[clamp(UNMARKED)] = 0;
            kept[clamp(UNMARKED)] = window_ns.saturating_sub(kept.iter().sum());
            kept
        } else {
            self.sampled_ns
        };
        (0u16..)
            .zip(times)
            .filter(|&(_, duration_ns)| duration_ns != 0)
            .map(|(number, duration_ns)| PhaseTime {
                number,
                name: name(&page, number),
                duration_ns,
                exact,
            })
            .collect()
    }

    /// The name of a phase.
    #[must_use]
    pub fn name(&self, number: u16) -> String {
        name(&self.read(), number)
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

/// An index for any number that a program may have stored.
pub(super) fn clamp(phase: u32) -> usize {
    usize::try_from(phase).map_or(COUNT - 1, |phase| phase.min(COUNT - 1))
}

/// A phase's fixed name, or the program's own, or a number.
pub(super) fn name(page: &PhasePage, number: u16) -> String {
    if let Some(fixed) = fixed_name(u32::from(number)) {
        return fixed.to_owned();
    }
    let bytes = page.names[clamp(u32::from(number))];
    let length = bytes
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(bytes.len());
    let own = String::from_utf8_lossy(&bytes[..length]);
    if own.is_empty() {
        format!("phase_{number}")
    } else {
        own.into_owned()
    }
}
