//! Walking page tables: what has to be known of the machine, and how it is found.

/// What the walk needs. All zero: it cannot be done.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paging {
    /// Where the kernel has all memory mapped, one after the other.
    pub direct_map: u64,
    /// Which bits of a table entry are an address.
    pub address_mask: u64,
    /// Levels of the table: 4 or 5.
    pub levels: u64,
}

/// A question to the calibrating program, and its answer.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calibration {
    /// One of [`step`].
    pub step: u64,
    /// [`step::SEARCH`]: the first candidate for the direct map's address.
    pub first: u64,
    /// [`step::SEARCH`]: the physical address of the words in `magic`.
    pub physical: u64,
    /// [`step::SEARCH`]: what is there.
    pub magic: [u64; 2],
    /// [`step::WALK`]: the user address to look up.
    pub address: u64,
    /// The answer: the task's address, the direct map's or 0, or the table entry.
    pub answer: u64,
}

/// Values of [`Calibration::step`].
pub mod step {
    /// Nothing is asked, or it has been answered.
    pub const DONE: u64 = 0;
    /// Where is the current task's description?
    pub const TASK: u64 = 1;
    /// Under which of the next [`super::CANDIDATES`] candidates is the magic?
    pub const SEARCH: u64 = 2;
    /// What does the page table say of an address of the current process?
    pub const WALK: u64 = 3;
}

/// Candidates tried at once, [`CANDIDATE_BYTES`] apart.
pub const CANDIDATES: u64 = 128;
/// What the kernel aligns the direct map to.
pub const CANDIDATE_BYTES: u64 = 1 << 30;

/// Bits of x86 page-table entries, as the hardware and the kernel define them.
pub mod entry {
    /// The entry is valid to the processor.
    pub const PRESENT: u64 = 1 << 0;
    /// Writing is allowed.
    pub const WRITE: u64 = 1 << 1;
    /// In an upper level: the entry is a huge page.
    pub const HUGE: u64 = 1 << 7;
    /// In an entry that is not valid: the page is there and access was taken
    /// away (`_PAGE_PROTNONE`).
    pub const PROT_NONE: u64 = 1 << 8;
    /// Userfaultfd waits for writes (`_PAGE_UFFD_WP`).
    pub const UFFD_WP: u64 = 1 << 10;
    /// Fetching instructions is not allowed.
    pub const NO_EXECUTE: u64 = 1 << 63;
    /// Where an entry that is not valid names its swap area. Numbers from
    /// [`SWAP_AREAS`] on stand for something else: migration, markers, devices.
    pub const SWAP_TYPE_SHIFT: u32 = 59;
    /// The least that `MAX_SWAPFILES` can be (Linux 5.10 to 7.3, any options).
    pub const SWAP_AREAS: u64 = 23;

    /// Not an entry: a table could not be read.
    pub const UNREADABLE: u64 = u64::MAX;
    /// Not an entry: a huge page that is just being split.
    pub const SPLITTING: u64 = u64::MAX - 1;
}
