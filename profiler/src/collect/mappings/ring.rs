//! The kernel's records of mappings, program starts and forks, from a software
//! perf event that counts nothing.
//!
//! One event for each CPU, since an inherited event needs that. The buffers are
//! never full enough to wake anybody: they are looked at now and then.

use std::{
    fs::File,
    num::NonZeroUsize,
    os::fd::{AsFd, FromRawFd},
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::{Context, Result, bail};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use super::record::{self, HEADER, Record};

/// `PERF_TYPE_SOFTWARE`, `PERF_COUNT_SW_DUMMY`.
const SOFTWARE: u32 = 1;
const DUMMY: u64 = 9;
/// `PERF_SAMPLE_TIME`: the only word behind each record.
const SAMPLE_TIME: u64 = 1 << 2;
/// `PERF_FLAG_FD_CLOEXEC`.
const CLOEXEC: libc::c_ulong = 8;
/// Bits of [`Attributes::flags`].
mod flag {
    pub(super) const INHERIT: u64 = 1 << 1;
    pub(super) const MMAP: u64 = 1 << 8;
    pub(super) const COMM: u64 = 1 << 9;
    pub(super) const TASK: u64 = 1 << 13;
    pub(super) const WATERMARK: u64 = 1 << 14;
    pub(super) const MMAP_DATA: u64 = 1 << 17;
    pub(super) const SAMPLE_ID_ALL: u64 = 1 << 18;
    pub(super) const MMAP2: u64 = 1 << 23;
    pub(super) const COMM_EXEC: u64 = 1 << 24;
    pub(super) const USE_CLOCKID: u64 = 1 << 25;
}

const PAGE: usize = 4096;
/// Data pages of one buffer, on machines with few CPUs and with many.
const PAGES: usize = 128;
const PAGES_EACH_OF_MANY: usize = 32;
const MANY_CPUS: usize = 32;
/// Records read from one buffer at one look, so that no look takes for ever.
const BATCH: usize = 65_536;

/// `struct perf_event_attr`, as long as it was in Linux 4.1.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_watermark: u32,
    bp_type: u32,
    config1: u64,
    config2: u64,
    branch_sample_type: u64,
    sample_regs_user: u64,
    sample_stack_user: u32,
    clockid: i32,
    sample_regs_intr: u64,
    aux_watermark: u32,
    padding: u32,
}

/// Where the control page keeps its words: `struct perf_event_mmap_page`.
const HEAD: usize = 1024;
const TAIL: usize = 1032;

/// Whose records are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope {
    /// A process that has one thread, and all that it will create.
    Process(i32),
    /// Everybody's.
    Everybody,
}

/// One CPU's buffer.
struct Ring {
    _event: File,
    memory: NonNull<u8>,
    pages: usize,
}

/// The buffers of all CPUs.
pub(super) struct Rings {
    rings: Vec<Ring>,
}

impl Rings {
    /// Opens the events. From here on the kernel writes records.
    ///
    /// # Errors
    /// If the kernel allows no such event to this process.
    pub(super) fn open(scope: Scope) -> Result<Self> {
        let cpus = online_cpus()?;
        let pages = if cpus.len() > MANY_CPUS {
            PAGES_EACH_OF_MANY
        } else {
            PAGES
        };
        let rings = cpus.into_iter().map(|cpu| Ring::open(scope, cpu, pages));
        Ok(Self {
            rings: rings.collect::<Result<_>>()?,
        })
    }

    /// Takes what has been written since the last time.
    pub(super) fn drain(&mut self, mut each: impl FnMut(Record)) {
        for ring in &mut self.rings {
            ring.drain(&mut each);
        }
    }
}

/// The CPUs that run.
fn online_cpus() -> Result<Vec<u32>> {
    const ONLINE: &str = "/sys/devices/system/cpu/online";
    let text = std::fs::read_to_string(ONLINE).with_context(|| format!("cannot read {ONLINE}"))?;
    match crate::cpu_list::parse(text.trim()) {
        Ok(cpus) => Ok(cpus),
        Err(error) => bail!("cannot understand {ONLINE}: {error}"),
    }
}

impl Ring {
    fn open(scope: Scope, cpu: u32, pages: usize) -> Result<Self> {
        let (pid, inherit) = match scope {
            Scope::Process(pid) => (pid, flag::INHERIT),
            Scope::Everybody => (-1, 0),
        };
        let attributes = Attributes {
            kind: SOFTWARE,
            size: u32::try_from(size_of::<Attributes>())?,
            config: DUMMY,
            sample_type: SAMPLE_TIME,
            flags: flag::MMAP
                | flag::COMM
                | flag::TASK
                | flag::WATERMARK
                | flag::MMAP_DATA
                | flag::SAMPLE_ID_ALL
                | flag::MMAP2
                | flag::COMM_EXEC
                | flag::USE_CLOCKID
                | inherit,
            // More than fits: never.
            wakeup_watermark: u32::MAX,
            clockid: libc::CLOCK_MONOTONIC,
            ..Attributes::default()
        };
        // SAFETY: the pointer is to live memory as long as its `size` says.
        let fd = unsafe {
            libc::syscall(
                libc::SYS_perf_event_open,
                &raw const attributes,
                pid,
                libc::c_int::try_from(cpu)?,
                -1,
                CLOEXEC,
            )
        };
        if fd < 0 {
            return Err(std::io::Error::last_os_error())
                .context("the kernel refuses perf events (perf_event_paranoid, CAP_PERFMON)");
        }
        // SAFETY: a new file, and nobody else's.
        let event = unsafe { File::from_raw_fd(i32::try_from(fd)?) };
        let length = NonZeroUsize::new((pages + 1) * PAGE).context("no pages")?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let shared = MapFlags::MAP_SHARED;
        // SAFETY: a new mapping, of a file that is kept as long.
        let memory = unsafe { mmap(None, length, protection, shared, event.as_fd(), 0) }
            .context("the kernel refuses a perf buffer (perf_event_mlock_kb)")?;
        Ok(Self {
            _event: event,
            memory: memory.cast(),
            pages,
        })
    }

    /// A word of the control page that the kernel and we take turns to write.
    fn word(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: within the first page of the mapping.
        let word = unsafe { self.memory.add(offset) }.cast::<AtomicU64>();
        // SAFETY: aligned, mapped as long as `self`, and accessed atomically only.
        unsafe { word.as_ref() }
    }

    /// Copies bytes out of the ring, which ends where it begins.
    fn copy(&self, position: u64, length: usize) -> Vec<u8> {
        let size = self.pages * PAGE;
        let begin = usize::try_from(position % size as u64).unwrap_or(0);
        let first = length.min(size - begin);
        let mut bytes = vec![0; length];
        for (from, to, count) in [(begin, 0, first), (0, first, length - first)] {
            let to = &raw mut bytes[to..to + count];
            // SAFETY: `from + count` is at most `size`, behind the control page.
            let from = unsafe { self.memory.add(PAGE + from) };
            // SAFETY: both are as long as `count`, and apart. The kernel does
            // not write here before the tail has moved on.
            unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), to.cast(), count) };
        }
        bytes
    }

    fn drain(&mut self, each: &mut impl FnMut(Record)) {
        let head = self.word(HEAD).load(Ordering::Acquire);
        let mut tail = self.word(TAIL).load(Ordering::Relaxed);
        for _ in 0..BATCH {
            if tail >= head {
                break;
            }
            let Some(size) = record::size(&self.copy(tail, HEADER)) else {
                tail = head;
                break;
            };
            if let Some(record) = record::parse(&self.copy(tail, size)) {
                each(record);
            }
            tail += size as u64;
        }
        self.word(TAIL).store(tail, Ordering::Release);
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        let length = (self.pages + 1) * PAGE;
        // SAFETY: mapped by `open` with this length, and not used after this.
        if let Err(error) = unsafe { munmap(self.memory.cast(), length) } {
            log::debug!("cannot unmap a perf buffer: {error}");
        }
    }
}
