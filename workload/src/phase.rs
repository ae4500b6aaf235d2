//! Marking phases without a system call.
//!
//! The profiler hands a page of memory to the command that it starts, as a
//! file descriptor whose number is in [`FD_VARIABLE`]. Storing a phase number
//! at its start is all that marking takes: the next entry into the kernel is
//! counted in that phase. `include/modeswitch_phase.h` is the same in C.
//!
//! ```
//! use workload::phase::{PhaseMarker, SETUP, STEADY};
//!
//! // `None` when no profiler is watching.
//! let marker = PhaseMarker::from_env();
//! if let Some(marker) = &marker {
//!     marker.enter(SETUP);
//! }
//! // ... prepare ...
//! if let Some(marker) = &marker {
//!     marker.enter(STEADY);
//! }
//! ```

use std::{
    mem::offset_of,
    os::fd::RawFd,
    ptr::NonNull,
    sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering},
};

use profiler_common::phase::{COUNT, MAGIC, MAGIC_OFFSET, NAME_BYTES, PAGE_BYTES, PhasePage};

pub use profiler_common::phase::{FD_VARIABLE, FIRST_CUSTOM, SETUP, STEADY, TEARDOWN, UNMARKED};

use crate::sys::{files, process::monotonic_ns};

/// The phase page of the profiler that watches this process.
///
/// Any thread may mark; the phase is one for the whole process. Two threads
/// that mark at the same instant leave one of the two phases. Each moment is
/// counted once, as time of the one phase or of the other.
#[derive(Debug)]
pub struct PhaseMarker {
    page: NonNull<u8>,
}

// SAFETY: the page is process-wide memory that is only accessed by atomics.
unsafe impl Send for PhaseMarker {}
// SAFETY: as for `Send`.
unsafe impl Sync for PhaseMarker {}

impl PhaseMarker {
    /// Maps the page that [`FD_VARIABLE`] names, or `None` where no profiler
    /// set it or the descriptor is no such page.
    #[must_use]
    pub fn from_env() -> Option<Self> {
        let fd = std::env::var(FD_VARIABLE).ok()?.parse().ok()?;
        Self::from_fd(fd)
    }

    /// Maps the page behind an open descriptor, which may be closed afterwards.
    /// `None` if it is anything else.
    #[must_use]
    pub fn from_fd(fd: RawFd) -> Option<Self> {
        // Memory of the kernel has no type; a file must be as long as what is read.
        let (kind, bytes) = files::kind_and_size(fd).ok()?;
        let is_page = kind == 0 || (kind == libc::S_IFREG && bytes == PAGE_BYTES as u64);
        if !is_page {
            return None;
        }
        // SAFETY: a new shared mapping at an address of the kernel's choice;
        // the kernel checks the descriptor. Populated, so that the first mark
        // does not cost the entry that it is to classify.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                PAGE_BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_POPULATE,
                fd,
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return None;
        }
        let marker = NonNull::new(address.cast()).map(|page| Self { page })?;
        let is_ours = (0..)
            .zip(MAGIC)
            .all(|(index, byte)| marker.byte(MAGIC_OFFSET + index).load(Ordering::Relaxed) == byte);
        is_ours.then_some(marker)
    }

    /// Enters a phase: [`SETUP`], [`STEADY`], [`TEARDOWN`], or a number of
    /// your own from [`FIRST_CUSTOM`] on. Numbers too high for the page count
    /// as its last phase.
    ///
    /// Costs one reading of the clock and a few stores, no system call.
    pub fn enter(&self, phase: u32) {
        let now = monotonic_ns();
        let marks = self.word(offset_of!(PhasePage, marks));
        let entered = self.wide(offset_of!(PhasePage, entered_ns));
        let current = self.word(offset_of!(PhasePage, current));
        let leaving = slot(current.load(Ordering::Relaxed));
        // Whoever moves the beginning on counts the stay that ends with it, so
        // that nobody else does. The very first stay begins here.
        let began = entered.fetch_max(now, Ordering::Relaxed);
        if began != 0 && now > began {
            self.wide(offset_of!(PhasePage, elapsed_ns) + leaving * size_of::<u64>())
                .fetch_add(now - began, Ordering::Relaxed);
        }
        marks.fetch_add(1, Ordering::Relaxed);
        // Last, so that who sees the phase also sees since when.
        current.store(phase, Ordering::Release);
    }

    /// Names a phase of your own, before or after entering it. At most 32
    /// bytes of the name are kept, whole characters only. Fixed phases and
    /// numbers too high for the page have no names to give.
    pub fn name(&self, phase: u32, name: &str) {
        if phase < FIRST_CUSTOM || phase as usize >= COUNT {
            return;
        }
        let kept = &name.as_bytes()[..name.floor_char_boundary(NAME_BYTES)];
        let start = offset_of!(PhasePage, names) + phase as usize * NAME_BYTES;
        for index in 0..NAME_BYTES {
            let byte = kept.get(index).copied().unwrap_or(0);
            self.byte(start + index).store(byte, Ordering::Relaxed);
        }
    }

    /// The phase that was entered last, by whichever thread.
    #[must_use]
    pub fn current(&self) -> u32 {
        self.word(offset_of!(PhasePage, current))
            .load(Ordering::Acquire)
    }

    fn at(&self, offset: usize) -> *mut u8 {
        debug_assert!(offset < PAGE_BYTES);
        self.page.as_ptr().wrapping_add(offset)
    }

    fn byte(&self, offset: usize) -> &AtomicU8 {
        // SAFETY: every offset used here lies in the page, which is mapped as
        // long as `self` lives and is accessed by atomics only.
        unsafe { AtomicU8::from_ptr(self.at(offset)) }
    }

    fn word(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: as in `byte`; the offsets of `u32` fields are multiples of 4.
        unsafe { AtomicU32::from_ptr(self.at(offset).cast()) }
    }

    fn wide(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: as in `byte`; the offsets of `u64` fields are multiples of 8.
        unsafe { AtomicU64::from_ptr(self.at(offset).cast()) }
    }
}

impl Drop for PhaseMarker {
    fn drop(&mut self) {
        // SAFETY: the page is our own mapping, and nothing borrows it now.
        unsafe { libc::munmap(self.page.as_ptr().cast(), PAGE_BYTES) };
    }
}

/// Where a phase's time is kept.
fn slot(phase: u32) -> usize {
    (phase as usize).min(COUNT - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::FileExt;

    fn page_file() -> File {
        let file = crate::sys::files::memory_file().unwrap();
        file.write_all_at(&MAGIC, MAGIC_OFFSET as u64).unwrap();
        file
    }

    fn word(file: &File, offset: usize) -> u32 {
        let mut bytes = [0; 4];
        file.read_exact_at(&mut bytes, offset as u64).unwrap();
        u32::from_ne_bytes(bytes)
    }

    fn wide(file: &File, offset: usize) -> u64 {
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, offset as u64).unwrap();
        u64::from_ne_bytes(bytes)
    }

    #[test]
    fn a_mark_is_seen_through_the_descriptor_with_the_time_of_the_stay() {
        let file = page_file();
        let marker = PhaseMarker::from_fd(file.as_raw_fd()).unwrap();
        let before = monotonic_ns();
        marker.enter(SETUP);
        assert_eq!(word(&file, 0), SETUP);
        let setup_began = wide(&file, offset_of!(PhasePage, entered_ns));
        marker.enter(STEADY);
        let steady_began = wide(&file, offset_of!(PhasePage, entered_ns));
        assert!(before <= setup_began && setup_began <= steady_began);
        assert_eq!(word(&file, offset_of!(PhasePage, marks)), 2);
        let elapsed = offset_of!(PhasePage, elapsed_ns);
        assert_eq!(
            wide(&file, elapsed + SETUP as usize * 8),
            steady_began - setup_began
        );
        assert_eq!(wide(&file, elapsed + UNMARKED as usize * 8), 0);
    }

    /// Threads that mark at the same time count no moment twice.
    #[test]
    fn concurrent_marks_count_each_moment_once() {
        let file = page_file();
        let marker = PhaseMarker::from_fd(file.as_raw_fd()).unwrap();
        marker.enter(SETUP);
        let began = wide(&file, offset_of!(PhasePage, entered_ns));
        std::thread::scope(|scope| {
            for phase in 0..4 {
                let marker = &marker;
                scope.spawn(move || (0..50_000).for_each(|_| marker.enter(phase)));
            }
        });
        marker.enter(TEARDOWN);
        let entered = wide(&file, offset_of!(PhasePage, entered_ns));
        let elapsed = offset_of!(PhasePage, elapsed_ns);
        let sum: u64 = (0..COUNT).map(|slot| wide(&file, elapsed + slot * 8)).sum();
        assert_eq!(sum, entered - began);
        assert_eq!(word(&file, offset_of!(PhasePage, marks)), 200_002);
    }

    #[test]
    fn a_number_too_high_keeps_its_time_in_the_last_slot() {
        let file = page_file();
        let marker = PhaseMarker::from_fd(file.as_raw_fd()).unwrap();
        marker.enter(1_000);
        assert_eq!(marker.current(), 1_000);
        let began = wide(&file, offset_of!(PhasePage, entered_ns));
        marker.enter(TEARDOWN);
        let ended = wide(&file, offset_of!(PhasePage, entered_ns));
        let last = offset_of!(PhasePage, elapsed_ns) + (COUNT - 1) * 8;
        assert_eq!(wide(&file, last), ended - began);
    }

    #[test]
    fn names_are_cut_at_whole_characters_and_never_overflow() {
        let file = page_file();
        let marker = PhaseMarker::from_fd(file.as_raw_fd()).unwrap();
        marker.name(FIRST_CUSTOM, &"\u{e9}".repeat(20));
        marker.name(FIRST_CUSTOM + 1, "load");
        marker.name(FIRST_CUSTOM, "x\u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}\u{20ac}");
        marker.name(STEADY, "no");
        marker.name(99, "no");
        let mut names = [0; NAME_BYTES * 3];
        let start = offset_of!(PhasePage, names) + (FIRST_CUSTOM as usize - 1) * NAME_BYTES;
        file.read_exact_at(&mut names, start as u64).unwrap();
        assert_eq!(names[..NAME_BYTES], [0; NAME_BYTES]);
        let first = std::str::from_utf8(&names[NAME_BYTES..2 * NAME_BYTES]).unwrap();
        assert_eq!(first.trim_end_matches('\0').chars().count(), 11);
        assert_eq!(&names[2 * NAME_BYTES..2 * NAME_BYTES + 5], b"load\0");
    }

    #[test]
    fn no_variable_and_no_page_is_no_marker() {
        assert!(PhaseMarker::from_fd(-1).is_none());
        let other = crate::sys::files::memory_file().unwrap();
        other.set_len(PAGE_BYTES as u64).unwrap();
        assert!(PhaseMarker::from_fd(other.as_raw_fd()).is_none());
        // Reading behind its end would be a signal.
        other.set_len(1).unwrap();
        assert!(PhaseMarker::from_fd(other.as_raw_fd()).is_none());
    }
}
