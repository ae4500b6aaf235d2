//! Memory whose population is under our control.

use std::io;
use std::ptr::NonNull;
use std::slice;

/// When the pages of a mapping come into being.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// Before the constructor returns.
    Now,
    /// Each at its first touch, by a page fault.
    OnTouch,
}

/// Private anonymous memory, zero to begin with, in pages of the base size.
pub(crate) struct Mapping {
    address: NonNull<u64>,
    bytes: usize,
}

/// Bytes in a page of the base size.
pub(crate) fn page_bytes() -> usize {
    // SAFETY: sysconf has no preconditions.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).unwrap_or(4096)
}

impl Mapping {
    /// Maps at least `bytes` bytes.
    pub(crate) fn anonymous(bytes: usize, fill: Fill) -> io::Result<Self> {
        let page = page_bytes();
        let bytes = bytes.max(1).next_multiple_of(page);
        // SAFETY: a new anonymous mapping at an address of the kernel's choice
        // touches no memory that exists.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let Some(address) = NonNull::new(address.cast::<u64>()) else {
            return Err(io::Error::other("mmap returned address 0"));
        };
        let mapping = Self { address, bytes };
        // One fault must mean one page. A kernel without huge pages refuses
        // the advice, and does not need it.
        let _refused = mapping.advise(libc::MADV_NOHUGEPAGE);
        if fill == Fill::Now {
            mapping.populate();
        }
        Ok(mapping)
    }

    fn advise(&self, advice: libc::c_int) -> io::Result<()> {
        // SAFETY: the range is exactly our own mapping, and neither piece of
        // advice used here discards its contents.
        match unsafe { libc::madvise(self.address.as_ptr().cast(), self.bytes, advice) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Makes every page present and writable: in one call since 5.14, by
    /// touching each before that.
    fn populate(&self) {
        if self.advise(libc::MADV_POPULATE_WRITE).is_ok() {
            return;
        }
        for offset in (0..self.bytes / 8).step_by(page_bytes() / 8) {
            // SAFETY: the offset lies inside the mapping.
            let word = unsafe { self.address.add(offset) };
            // SAFETY: the word is ours, aligned, and zero, as it stays.
            unsafe { word.write_volatile(0) };
        }
    }

    /// The memory as words.
    #[inline]
    pub(crate) fn words(&self) -> &[u64] {
        // SAFETY: the mapping is readable, aligned to a page, zeroed by the
        // kernel, and lives as long as `self`.
        unsafe { slice::from_raw_parts(self.address.as_ptr(), self.bytes / 8) }
    }

    /// The memory as words to write.
    #[inline]
    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        // SAFETY: as in `words`, and `self` is borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(self.address.as_ptr(), self.bytes / 8) }
    }

    /// Where the memory begins, for the kernel to write to.
    pub(crate) fn as_mut_ptr(&self) -> *mut u8 {
        self.address.as_ptr().cast()
    }

    /// Bytes mapped, a multiple of the page size.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Pages mapped.
    pub(crate) fn pages(&self) -> usize {
        self.bytes / page_bytes()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is exactly our mapping, and nothing borrows it now.
        unsafe { libc::munmap(self.address.as_ptr().cast(), self.bytes) };
    }
}

/// Locks everything mapped so far, so that none of it faults again; unlocks
/// when dropped.
pub(crate) struct LockedMemory(());

impl LockedMemory {
    pub(crate) fn lock() -> io::Result<Self> {
        // SAFETY: mlockall changes residency only, never contents.
        match unsafe { libc::mlockall(libc::MCL_CURRENT) } {
            0 => Ok(Self(())),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl Drop for LockedMemory {
    fn drop(&mut self) {
        // SAFETY: munlockall changes residency only, never contents.
        unsafe { libc::munlockall() };
    }
}

/// Takes this thread's memory out of NUMA balancing, which would unmap pages
/// to see who touches them, each for one page fault; puts it back when dropped.
pub(crate) struct NoNumaHints(());

impl NoNumaHints {
    /// A policy set by hand is the kernel's sign to leave the pages alone. A
    /// kernel without NUMA refuses, and has no such faults.
    pub(crate) fn begin() -> Option<Self> {
        set_memory_policy(libc::MPOL_LOCAL).then_some(Self(()))
    }
}

impl Drop for NoNumaHints {
    fn drop(&mut self) {
        set_memory_policy(libc::MPOL_DEFAULT);
    }
}

fn set_memory_policy(policy: libc::c_int) -> bool {
    let no_nodes = std::ptr::null::<libc::c_ulong>();
    // SAFETY: without a node mask the call reads no memory of ours.
    let result = unsafe {
        libc::syscall(
            libc::SYS_set_mempolicy,
            libc::c_long::from(policy),
            no_nodes,
            0_usize,
        )
    };
    result == 0
}

/// Touches the stack below the caller, so that the hot loop's calls find it
/// mapped.
#[inline(never)]
#[expect(
    clippy::large_stack_arrays,
    reason = "using that much stack is the purpose"
)]
pub(crate) fn touch_stack() {
    let headroom = [0_u8; 64 * 1024];
    std::hint::black_box(&headroom);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which pages of the mapping are resident.
    fn resident(mapping: &Mapping) -> Vec<bool> {
        let mut pages = vec![0_u8; mapping.pages()];
        // SAFETY: `pages` has one byte per page of the mapping.
        let result = unsafe {
            libc::mincore(
                mapping.as_mut_ptr().cast(),
                mapping.bytes(),
                pages.as_mut_ptr(),
            )
        };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
        pages.into_iter().map(|page| page & 1 == 1).collect()
    }

    #[test]
    fn populated_memory_is_resident_and_lazy_memory_is_not() {
        let _alone = crate::testing::alone();
        let bytes = 16 * page_bytes();
        let now = Mapping::anonymous(bytes, Fill::Now).unwrap();
        assert_eq!(resident(&now), [true; 16]);
        let mut lazy = Mapping::anonymous(bytes, Fill::OnTouch).unwrap();
        assert_eq!(resident(&lazy), [false; 16]);
        lazy.words_mut()[0] = 1;
        assert_eq!(
            resident(&lazy).iter().filter(|&&page| page).count(),
            1,
            "one touch must bring in one page, not a huge one"
        );
    }
}
