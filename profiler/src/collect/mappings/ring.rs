//! The kernel's records of mappings, program starts and forks, from a software
//! perf event that counts nothing.
//!
//! One event for each CPU, since an inherited event needs that. The buffers are
//! never full enough to wake anybody: they are looked at now and then.

use std::{
    fs::File,
    mem::offset_of,
    num::NonZeroUsize,
    os::fd::AsFd,
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::{Context, Result, bail};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use super::record::{self, HEADER, Record};
use crate::sys::perf_event::{self, ControlPage, PERF_COUNT_SW_DUMMY, PERF_SAMPLE_TIME, Subject};

const PAGE: usize = 4096;
/// Data pages of one buffer, on machines with few CPUs and with many.
const PAGES: usize = 128;
const PAGES_EACH_OF_MANY: usize = 32;
const MANY_CPUS: usize = 32;
/// Records read from one buffer at one look, so that no look takes for ever.
const BATCH: usize = 65_536;

/// Where the control page keeps its words.
const HEAD: usize = offset_of!(ControlPage, data_head);
const TAIL: usize = offset_of!(ControlPage, data_tail);

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
        let cpu = i32::try_from(cpu)?;
        let mut attributes = perf_event::software(PERF_COUNT_SW_DUMMY);
        // The only word behind each record.
        attributes.sample_type = PERF_SAMPLE_TIME.into();
        attributes.set_sample_id_all(1);
        attributes.set_mmap(1);
        attributes.set_mmap2(1);
        attributes.set_mmap_data(1);
        attributes.set_comm(1);
        attributes.set_comm_exec(1);
        attributes.set_task(1);
        attributes.set_use_clockid(1);
        attributes.clockid = libc::CLOCK_MONOTONIC;
        // More than fits: never.
        attributes.set_watermark(1);
        attributes.__bindgen_anon_2.wakeup_watermark = u32::MAX;
        let subject = match scope {
            Scope::Process(pid) => {
                attributes.set_inherit(1);
                Subject::ProcessOn { pid, cpu }
            }
            Scope::Everybody => Subject::Cpu(cpu),
        };
        let event = perf_event::open(attributes, subject)
            .context("the kernel refuses perf events (perf_event_paranoid, CAP_PERFMON)")?;
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
