//! The machine's memory: how much of it, and where a page of ours is in it.

use std::{
    fs::File,
    num::NonZeroUsize,
    os::unix::fs::FileExt,
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::{Context, Result, ensure};
use nix::sys::{
    mman::{MapFlags, ProtFlags, mlock, mmap_anonymous, munmap},
    prctl,
};

const PAGE_BYTES: usize = 4096;
/// The page's number in an entry of `/proc/self/pagemap`.
const FRAME: u64 = (1 << 55) - 1;
/// Set in such an entry: the page is in memory.
const IN_MEMORY: u64 = 1 << 63;

/// A page of our own of which we know where in memory it is. It stays there.
pub(crate) struct KnownPage {
    page: NonNull<u64>,
    /// The physical address of the magic words.
    pub(crate) physical: u64,
    /// What the page begins with.
    pub(crate) magic: [u64; 2],
}

impl KnownPage {
    /// Makes one.
    ///
    /// # Errors
    /// If the kernel does not say where it is: that takes `CAP_SYS_ADMIN`.
    pub(crate) fn new() -> Result<Self> {
        let length = NonZeroUsize::new(PAGE_BYTES).context("empty page")?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping, where the kernel likes it.
        let mapped = unsafe { mmap_anonymous(None, length, protection, MapFlags::MAP_PRIVATE) }
            .context("cannot map a page")?;
        let mut known = Self {
            page: mapped.cast(),
            physical: 0,
            magic: [random_word()?, random_word()?],
        };
        // SAFETY: the page just mapped.
        unsafe { mlock(mapped, PAGE_BYTES) }.context("cannot lock a page in memory")?;
        for (index, &word) in known.magic.iter().enumerate() {
            // SAFETY: within the page, which is aligned and ours alone.
            let place = unsafe { known.page.add(index) };
            // SAFETY: as above.
            unsafe { AtomicU64::from_ptr(place.as_ptr()) }.store(word, Ordering::Relaxed);
        }
        let frame = frame_of(known.address())?;
        known.physical = frame * PAGE_BYTES as u64;
        Ok(known)
    }

    /// Its address in this process.
    pub(crate) fn address(&self) -> u64 {
        self.page.as_ptr().addr() as u64
    }
}

impl Drop for KnownPage {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length, and not used after this.
        if let Err(error) = unsafe { munmap(self.page.cast(), PAGE_BYTES) } {
            log::debug!("cannot unmap a page: {error}");
        }
    }
}

/// The number of the page of memory behind an address of ours.
fn frame_of(address: u64) -> Result<u64> {
    let path = "/proc/self/pagemap";
    // A program with capabilities of its file is kept from its own /proc, as others
    // are; nobody with fewer capabilities can trace it meanwhile all the same.
    let dumpable = prctl::get_dumpable().unwrap_or(true);
    let _readable_or_not = prctl::set_dumpable(true);
    let map = File::open(path).with_context(|| format!("cannot open {path}"));
    let _as_it_was = prctl::set_dumpable(dumpable);
    let map = map?;
    let mut bytes = [0; 8];
    map.read_exact_at(&mut bytes, address / PAGE_BYTES as u64 * 8)
        .with_context(|| format!("cannot read {path}"))?;
    let found = u64::from_le_bytes(bytes);
    ensure!(found & IN_MEMORY != 0, "a locked page is not in memory");
    let frame = found & FRAME;
    ensure!(
        frame != 0,
        "the kernel does not say where in memory a page is: that takes CAP_SYS_ADMIN"
    );
    Ok(frame)
}

fn random_word() -> Result<u64> {
    let mut bytes = [0; 8];
    let path = "/dev/urandom";
    let source = File::open(path).with_context(|| format!("cannot open {path}"))?;
    source
        .read_exact_at(&mut bytes, 0)
        .with_context(|| format!("cannot read {path}"))?;
    Ok(u64::from_le_bytes(bytes))
}

/// The first physical address behind all memory.
///
/// # Errors
/// If the kernel does not say: that takes `CAP_SYS_ADMIN`.
pub(crate) fn end_of_memory() -> Result<u64> {
    let path = "/proc/iomem";
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    memory_end(&text).with_context(|| format!("{path} does not say where memory ends"))
}

/// The end of the last `System RAM` in the format of `/proc/iomem`.
fn memory_end(text: &str) -> Option<u64> {
    text.lines()
        .filter_map(|line| line.split_once(" : "))
        .filter(|(_, what)| what.trim_end() == "System RAM")
        .filter_map(|(range, _)| range.trim().split_once('-'))
        .filter_map(|(_, last)| u64::from_str_radix(last, 16).ok())
        .max()
        .filter(|&last| last != 0)
        .map(|last| last + 1)
}

const CPUINFO: &str = "/proc/cpuinfo";

/// Bits of a physical address, without those that memory encryption takes.
///
/// # Errors
/// If the kernel does not say.
pub(crate) fn address_bits() -> Result<u32> {
    physical_bits(&cpuinfo()?).with_context(|| format!("{CPUINFO} has no address sizes"))
}

/// Whether the kernel uses a feature of the processor: what it leaves alone is not
/// among the flags.
///
/// # Errors
/// If the kernel does not say.
pub(crate) fn cpu_has(feature: &str) -> Result<bool> {
    has_flag(&cpuinfo()?, feature).with_context(|| format!("{CPUINFO} has no flags"))
}

fn cpuinfo() -> Result<String> {
    std::fs::read_to_string(CPUINFO).with_context(|| format!("cannot read {CPUINFO}"))
}

/// Whether a name is in `flags : fpu vme de`.
fn has_flag(text: &str, name: &str) -> Option<bool> {
    let mut lines = text.lines();
    let (_, flags) = lines.find_map(|line| line.strip_prefix("flags")?.split_once(':'))?;
    Some(flags.split_ascii_whitespace().any(|flag| flag == name))
}

/// The number in `address sizes : 46 bits physical, 48 bits virtual`.
fn physical_bits(text: &str) -> Option<u32> {
    let (_, sizes) = text
        .lines()
        .find_map(|line| line.strip_prefix("address sizes")?.split_once(':'))?;
    let bits = sizes.split_ascii_whitespace().next()?.parse().ok()?;
    (32..=52).contains(&bits).then_some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory ends behind its last part, whatever devices lie above it; hidden
    /// addresses are not taken for an answer.
    #[test]
    fn memory_ends_behind_its_last_part() {
        let text = "00001000-0009fbff : System RAM\n00100000-7ffdffff : System RAM\n  \
                    01000000-01ffffff : Kernel code\nfd000000-fdffffff : PCI Bus 0000:00\n";
        assert_eq!(memory_end(text), Some(0x7ffe_0000));
        assert_eq!(memory_end("00000000-00000000 : System RAM\n"), None);
    }

    /// A flag is a whole word, and no flags at all are no answer.
    #[test]
    fn flags_of_the_processor() {
        let text = "vmx flags\t: vnmi\nflags\t\t: fpu fred lkgs\n";
        assert_eq!(has_flag(text, "fred"), Some(true));
        assert_eq!(has_flag("flags\t: fpu lkgs fredx\n", "fred"), Some(false));
        assert_eq!(has_flag("bogomips: 5\n", "fred"), None);
    }

    /// The size is read, and nonsense is not.
    #[test]
    fn address_sizes() {
        let text = "flags\t: la57\naddress sizes\t: 46 bits physical, 48 bits virtual\n";
        assert_eq!(physical_bits(text), Some(46));
        assert_eq!(physical_bits("address sizes\t: many\n"), None);
    }
}
