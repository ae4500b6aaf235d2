//! Page faults: what kind, in which mapping, on which page.

use crate::coded::coded;

coded! {
    /// What a page fault was about: what the page table, the mapping and the
    /// processor's error code said together when it happened.
    pub enum FaultKind: u8 {
        /// It was not found out: the accounting says why.
        Unknown = 0, "unknown";
        /// A page of memory that no file stands behind, touched for the first time:
        /// private or shared anonymous memory, or huge pages.
        FirstTouch = 1, "first_touch";
        /// A page of a file that was in memory but not yet in this page table.
        FileMinor = 2, "file_minor";
        /// A page of a file that had to be waited for. Never on the wire: reading
        /// out makes it from [`FaultKind::FileMinor`] and [`detail::MAJOR`].
        FileMajor = 3, "file_major";
        /// A write to a private page that is write-protected because others may have
        /// it too: the zero page, a file's page, or one shared since a fork.
        CopyOnWrite = 4, "copy_on_write";
        /// The kernel had taken the page's access away to see who uses it.
        NumaHint = 5, "numa_hint";
        /// The page was in swap, or on its way there.
        SwapIn = 6, "swap_in";
        /// A violation: the mapping does not allow the access, or there is none.
        Protection = 7, "protection";
        /// The first write to a clean page of a shared file mapping.
        WriteNotify = 8, "write_notify";
        /// By the time it was looked at, the page table already allowed the access:
        /// another thread had faulted on the same page and was faster.
        Raced = 9, "raced";
        /// Something else: a page being migrated, userfaultfd, a device's memory,
        /// the vsyscall page.
        Other = 10, "other";
    }
}

/// How a page fault's [`LedgerKey::detail`](crate::key::LedgerKey::detail) is
/// made up: error code below, kind above.
pub mod detail {
    /// The hardware's error code.
    pub const ERROR_CODE: u32 = 0xffff;
    /// Where the [`FaultKind`](super::FaultKind)'s code begins.
    pub const KIND_SHIFT: u32 = 16;
    /// Set in rows that say how many of the row without it were major.
    pub const MAJOR: u32 = 1 << 24;
    /// Set in rows of faults at addresses of the kernel's, which the kernel's own
    /// software event does not count.
    pub const KERNEL_ADDRESS: u32 = 1 << 25;

    /// Puts the two together.
    #[inline(always)]
    #[must_use]
    pub const fn of(error_code: u32, kind: u8) -> u32 {
        error_code & ERROR_CODE | (kind as u32) << KIND_SHIFT
    }

    /// The kind's code.
    #[inline(always)]
    #[must_use]
    pub const fn kind(detail: u32) -> u8 {
        let [_, _, kind, _] = detail.to_le_bytes();
        kind
    }
}

coded! {
    /// What a mapping is.
    #[derive(Default)]
    pub enum MappingClass: u8 {
        /// It could not be found out.
        #[default]
        Unknown = 0, "unknown";
        /// There was no mapping at the address.
        None = 1, "none";
        /// The heap that `brk` makes.
        Heap = 2, "heap";
        /// The first thread's stack.
        Stack = 3, "stack";
        /// A file, or a device's.
        File = 4, "file";
        /// Private memory of no file.
        Anonymous = 5, "anonymous";
        /// `MAP_SHARED | MAP_ANONYMOUS`.
        SharedAnonymous = 6, "shared_anonymous";
        /// Memory in huge pages of a reserved pool (`MAP_HUGETLB`).
        Hugetlb = 7, "hugetlb";
        /// The kernel's own: `[vdso]`, `[vvar]`, `[vsyscall]`.
        Special = 8, "special";
    }
}

/// A mapping of an address space.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MappingKey {
    /// The process.
    pub tgid: u32,
    /// Which address space of the process: executing a program gives a new one.
    pub space: u32,
    /// Made of the end that does not grow, and of the file's identity.
    pub id: u64,
}

/// Bytes kept of a file's name.
pub const NAME_BYTES: usize = 64;

/// What is known of a mapping.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MappingInfo {
    /// First address, the lowest seen.
    pub start: u64,
    /// First address behind it, the highest seen.
    pub end: u64,
    /// The file's offset at `start`, in pages.
    pub file_pages: u64,
    /// The file's inode, or 0.
    pub inode: u64,
    /// The file's device as the kernel writes it, or 0.
    pub device: u32,
    /// A [`MappingClass`] code.
    pub class: u32,
    /// The file's own name, without its folder, padded with zero bytes.
    pub name: [u8; NAME_BYTES],
}

/// A page that had faults, of one kind and in one phase.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageKey {
    /// Where the page is.
    pub mapping: MappingKey,
    /// The page's address, with [`page`] in the bits below. Address 0: a page of
    /// the mapping that there was no room to name.
    pub page: u64,
}

/// The low bits of [`PageKey::page`].
pub mod page {
    /// The address.
    pub const ADDRESS: u64 = !0xfff;
    /// Where the [`FaultKind`](super::FaultKind)'s code is.
    pub const KIND: u64 = 0xf;
    /// Where the phase is.
    pub const PHASE_SHIFT: u32 = 4;
    /// The phase, shifted down.
    pub const PHASE: u64 = 0xf;
    /// As [`detail::MAJOR`](super::detail::MAJOR).
    pub const MAJOR: u64 = 1 << 8;
}

/// A fault that may yet turn out to be a major one, by thread.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PendingFault {
    /// The page. Zero where pages are not counted.
    pub page: PageKey,
    /// The instruction.
    pub user_ip: u64,
    /// The faulting address.
    pub address: u64,
    /// The detail counted.
    pub detail: u32,
    /// The phase counted.
    pub phase: u32,
}

const _: () = assert!(size_of::<PageKey>() == 24);
const _: () = assert!(FaultKind::ALL.len() <= 16);
const _: () = assert!(crate::phase::COUNT <= 16);
