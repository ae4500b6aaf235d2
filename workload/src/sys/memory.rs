//! Memory whose population is under our control.

use std::{io, ptr::NonNull, slice};

/// When the pages of a mapping come into being.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// Before the constructor returns.
    Now,
    /// Each at its first touch, by a page fault.
    OnTouch,
}

/// Where memory comes from, and when its pages do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backing {
    /// Private and anonymous, in pages of the base size.
    Private(Fill),
    /// As above, populated by `mmap` itself.
    PrivatePopulate,
    /// Shared and anonymous, as `mmap` leaves it.
    Shared,
    /// As above, populated by `mmap` itself.
    SharedPopulate,
    /// Private, populated, in huge pages if the kernel has some.
    Huge,
    /// From the C library's allocator, zeroed.
    Malloc,
}

impl From<Fill> for Backing {
    fn from(fill: Fill) -> Self {
        Self::Private(fill)
    }
}

impl Backing {
    /// Whether every page is there from the beginning.
    pub(crate) fn is_populated(self) -> bool {
        match self {
            Self::Private(fill) => fill == Fill::Now,
            Self::PrivatePopulate | Self::SharedPopulate | Self::Huge => true,
            Self::Shared | Self::Malloc => false,
        }
    }

    fn mmap_flags(self) -> libc::c_int {
        let sharing = match self {
            Self::Shared | Self::SharedPopulate => libc::MAP_SHARED,
            Self::Private(_) | Self::PrivatePopulate | Self::Huge | Self::Malloc => {
                libc::MAP_PRIVATE
            }
        };
        let populate = match self {
            Self::PrivatePopulate | Self::SharedPopulate => libc::MAP_POPULATE,
            Self::Private(_) | Self::Shared | Self::Huge | Self::Malloc => 0,
        };
        sharing | populate | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE
    }
}

/// Memory that is zero to begin with.
pub(crate) struct Mapping {
    address: NonNull<u64>,
    bytes: usize,
    /// Whether it is the C library's to free.
    is_allocated: bool,
}

/// Bytes in a page of the base size.
pub(crate) fn page_bytes() -> usize {
    // SAFETY: sysconf has no preconditions.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).unwrap_or(4096)
}

impl Mapping {
    /// Maps at least `bytes` bytes, private and anonymous.
    pub(crate) fn anonymous(bytes: usize, fill: Fill) -> io::Result<Self> {
        Self::new(bytes, Backing::Private(fill))
    }

    /// Takes at least `bytes` bytes from a backing.
    pub(crate) fn new(bytes: usize, backing: Backing) -> io::Result<Self> {
        let bytes = bytes.max(1).next_multiple_of(page_bytes());
        if backing == Backing::Malloc {
            return Self::allocated(bytes);
        }
        let mapping = Self::mapped(bytes, backing.mmap_flags())?;
        match backing {
            Backing::Private(fill) => {
                // One fault must mean one page. A kernel without huge pages
                // refuses the advice, and does not need it.
                let _refused = mapping.advise(libc::MADV_NOHUGEPAGE);
                if fill == Fill::Now {
                    mapping.populate();
                }
            }
            Backing::Huge => {
                let _refused = mapping.advise(libc::MADV_HUGEPAGE);
                mapping.populate();
            }
            Backing::PrivatePopulate
            | Backing::Shared
            | Backing::SharedPopulate
            | Backing::Malloc => {}
        }
        Ok(mapping)
    }

    fn mapped(bytes: usize, flags: libc::c_int) -> io::Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new anonymous mapping at an address of the kernel's choice
        // touches no memory that exists.
        let address = unsafe { libc::mmap(std::ptr::null_mut(), bytes, access, flags, -1, 0) };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Self::at(address, bytes, false)
    }

    fn allocated(bytes: usize) -> io::Result<Self> {
        // SAFETY: calloc has no preconditions.
        let address = unsafe { libc::calloc(bytes / 8, 8) };
        Self::at(address, bytes, true)
    }

    fn at(address: *mut libc::c_void, bytes: usize, is_allocated: bool) -> io::Result<Self> {
        let address = NonNull::new(address.cast::<u64>())
            .ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        Ok(Self {
            address,
            bytes,
            is_allocated,
        })
    }

    fn advise(&self, advice: libc::c_int) -> io::Result<()> {
        // SAFETY: the range is exactly our own mapping, and no piece of
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
        // SAFETY: the memory is readable, aligned to a word, zeroed by the
        // kernel or calloc, and lives as long as `self`.
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
        if self.is_allocated {
            // SAFETY: it is from calloc, and nothing borrows it now.
            unsafe { libc::free(self.address.as_ptr().cast()) };
        } else {
            // SAFETY: the range is exactly our mapping, and nothing borrows it now.
            unsafe { libc::munmap(self.address.as_ptr().cast(), self.bytes) };
        }
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
    #[test]
    fn every_backing_is_zero_writable_and_as_populated_as_it_says() {
        let _alone = crate::testing::alone();
        let backings = [
            Backing::PrivatePopulate,
            Backing::Shared,
            Backing::SharedPopulate,
            Backing::Huge,
            Backing::Malloc,
        ];
        for backing in backings {
            let mut memory = Mapping::new(64 * page_bytes(), backing).unwrap();
            if backing != Backing::Malloc {
                let pages = resident(&memory);
                assert_eq!(
                    pages.iter().all(|&page| page),
                    backing.is_populated(),
                    "{backing:?}"
                );
            }
            assert!(memory.words().iter().all(|&word| word == 0), "{backing:?}");
            memory.words_mut().fill(1);
        }
    }
}
