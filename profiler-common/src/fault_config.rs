//! What the page-fault program has to know of the kernel's structures.

/// Values of [`FaultConfig::level`].
pub mod level {
    /// Faults are counted, and nothing more.
    pub const COUNT: u32 = 0;
    /// Their kind is found out.
    pub const KIND: u32 = 1;
    /// Also on which pages of which mapping they are.
    pub const PAGES: u32 = 2;
}

/// Values of [`FaultConfig::mappings`].
pub mod mappings {
    /// It is not known how this kernel keeps them.
    pub const UNKNOWN: u32 = 0;
    /// In a maple tree: Linux 6.1 and later.
    pub const MAPLE_TREE: u32 = 1;
    /// In a red-black tree: up to Linux 6.0.
    pub const RB_TREE: u32 = 2;
}

/// Bytes of a maple-tree node, to which nodes are also aligned.
pub const MAPLE_NODE_BYTES: u32 = 256;
/// Pivots that a node of any type has at most.
pub const MAPLE_PIVOTS: u32 = 15;
/// Bytes of a `vm_area_struct` that there is room for.
pub const VMA_BYTES: u32 = 256;

/// Offsets in bytes, from the kernel's BTF, and settings.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultConfig {
    /// One of [`level`].
    pub level: u32,
    /// One of [`mappings`].
    pub mappings: u32,
    /// `task_struct.mm`
    pub task_mm: u32,
    /// `task_struct.signal`
    pub task_signal: u32,
    /// `signal_struct.rlim[RLIMIT_STACK].rlim_cur`
    pub signal_stack_limit: u32,
    /// `mm_struct.pgd`
    pub mm_pgd: u32,
    /// `mm_struct.mm_mt.ma_root`, or `mm_struct.mm_rb.rb_node`
    pub mm_root: u32,
    /// `mm_struct.start_brk`, with `brk` and `start_stack` behind it
    pub mm_start_brk: u32,
    /// `vm_area_struct.vm_start`, with `vm_end` behind it
    pub vma_start: u32,
    /// `vm_area_struct.vm_rb`
    pub vma_rb: u32,
    /// `vm_area_struct.vm_mm`
    pub vma_mm: u32,
    /// `vm_area_struct.vm_flags`
    pub vma_flags: u32,
    /// `vm_area_struct.vm_ops`
    pub vma_ops: u32,
    /// `vm_area_struct.vm_pgoff`
    pub vma_pgoff: u32,
    /// `vm_area_struct.vm_file`
    pub vma_file: u32,
    /// `file.f_inode`
    pub file_inode: u32,
    /// `file.f_path.dentry`
    pub file_dentry: u32,
    /// `inode.i_ino`
    pub inode_number: u32,
    /// `inode.i_sb`
    pub inode_sb: u32,
    /// `super_block.s_dev`
    pub sb_device: u32,
    /// `dentry.d_name.name`
    pub dentry_name: u32,
    /// `rb_node.rb_left`, with `rb_right` before it
    pub rb_left: u32,
    /// The number of `maple_leaf_64`
    pub maple_leaf: u32,
    /// The number of `maple_range_64`
    pub maple_range: u32,
    /// The number of `maple_arange_64`
    pub maple_arange: u32,
    /// `maple_range_64.slot`
    pub range_slots: u32,
    /// `maple_range_64.meta.end`
    pub range_end: u32,
    /// `maple_arange_64.slot`
    pub arange_slots: u32,
    /// `maple_arange_64.meta.end`
    pub arange_end: u32,
    /// How much of a `vm_area_struct` holds all of the above.
    pub vma_bytes: u32,
}

impl FaultConfig {
    /// Faults are counted, and nothing is known of the kernel's structures.
    pub const COUNT_ONLY: Self = Self {
        level: level::COUNT,
        mappings: mappings::UNKNOWN,
        task_mm: 0,
        task_signal: 0,
        signal_stack_limit: 0,
        mm_pgd: 0,
        mm_root: 0,
        mm_start_brk: 0,
        vma_start: 0,
        vma_rb: 0,
        vma_mm: 0,
        vma_flags: 0,
        vma_ops: 0,
        vma_pgoff: 0,
        vma_file: 0,
        file_inode: 0,
        file_dentry: 0,
        inode_number: 0,
        inode_sb: 0,
        sb_device: 0,
        dentry_name: 0,
        rb_left: 0,
        maple_leaf: 0,
        maple_range: 0,
        maple_arange: 0,
        range_slots: 0,
        range_end: 0,
        arange_slots: 0,
        arange_end: 0,
        vma_bytes: 0,
    };
}

/// Bits of `vm_area_struct.vm_flags`, the same on every supported kernel.
pub mod vm {
    /// Reading is allowed.
    pub const READ: u64 = 1 << 0;
    /// Writing is allowed.
    pub const WRITE: u64 = 1 << 1;
    /// Executing is allowed.
    pub const EXEC: u64 = 1 << 2;
    /// Changes are everybody's.
    pub const SHARED: u64 = 1 << 3;
    /// Grows towards lower addresses when touched below.
    pub const GROWS_DOWN: u64 = 1 << 8;
    /// Userfaultfd waits for missing pages.
    pub const UFFD_MISSING: u64 = 1 << 9;
    /// Memory of a device, of which the kernel has no pages.
    pub const PFN_MAP: u64 = 1 << 10;
    /// Huge pages of a reserved pool.
    pub const HUGETLB: u64 = 1 << 22;
}
