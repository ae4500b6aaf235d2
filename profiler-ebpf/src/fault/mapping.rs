//! Which mapping it is, and what is kept of it.

use aya_ebpf::{bindings::BPF_NOEXIST, helpers::generated::bpf_probe_read_kernel_str};
use profiler_common::{
    fault::{MappingClass, MappingKey, NAME_BYTES},
    fault_config::vm,
    loss::Loss,
};

use super::{
    kernel::field,
    scratch::{self, Last, word_at},
    vma::vma_field,
};
use crate::{config::config, losses, maps::MAPPINGS};

/// The name that the kernel gives to the file behind `MAP_SHARED | MAP_ANONYMOUS`.
/// A real file's own name has no slash in it.
const SHARED_ANONYMOUS: u64 = u64::from_le_bytes(*b"dev/zero");

/// Identifies the mapping in the scratch memory, describes it if it is new, and
/// returns its class. The key's process and space are already there.
#[inline(never)]
pub(super) fn identify(mm: u64) -> u32 {
    let Some(scratch) = scratch::get() else {
        return 0;
    };
    let start = vma_field!(scratch, vma_start);
    let end = word_at(&scratch.vma, u64::from(config!(fault.vma_start)) + 8);
    let file = vma_field!(scratch, vma_file);
    let flags = vma_field!(scratch, vma_flags);
    let fixed_end = if flags & vm::GROWS_DOWN != 0 {
        end
    } else {
        start
    };
    let id = (fixed_end ^ file.rotate_left(20)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    scratch.page.mapping.id = id;
    let key = scratch.page.mapping;
    let last = &scratch.last;
    if last.key.id == key.id
        && last.key.tgid == key.tgid
        && last.key.space == key.space
        && last.start == start
        && last.end == end
    {
        return last.class as u32;
    }
    let class = match MAPPINGS.get_ptr_mut(key) {
        Some(known) => {
            // SAFETY: a row just looked up. Two CPUs may both store: the mapping
            // has had either extent.
            let known = unsafe { &mut *known };
            if start < known.start {
                known.start = start;
            }
            if end > known.end {
                known.end = end;
            }
            known.class
        }
        None => describe(mm, key, start, end, file, flags),
    };
    scratch.last = Last {
        key,
        start,
        end,
        class: u64::from(class),
    };
    class
}

/// Stores what can be known of a mapping. Returns its class.
#[inline(always)]
fn describe(mm: u64, key: MappingKey, start: u64, end: u64, file: u64, flags: u64) -> u32 {
    let Some(scratch) = scratch::get() else {
        return 0;
    };
    let has_operations = vma_field!(scratch, vma_ops) != 0;
    let file_pages = vma_field!(scratch, vma_pgoff);
    let info = &mut scratch.info;
    info.start = start;
    info.end = end;
    info.file_pages = 0;
    info.inode = 0;
    info.device = 0;
    #[expect(
        clippy::cast_ptr_alignment,
        reason = "the name begins at a multiple of 8 bytes"
    )]
    let first_letters = info.name.as_mut_ptr().cast::<u64>();
    // SAFETY: the name begins at a multiple of 8 bytes and is longer than that.
    unsafe { first_letters.write_volatile(0) };
    if file != 0 {
        info.file_pages = file_pages;
        if let Some(inode) = field(file, config!(fault.file_inode)) {
            info.inode = field(inode, config!(fault.inode_number)).unwrap_or(0);
            let device = field(inode, config!(fault.inode_sb))
                .and_then(|sb| field(sb, config!(fault.sb_device)));
            info.device = device.unwrap_or(0) as u32;
        }
        let dentry = field(file, config!(fault.file_dentry));
        let name = dentry.and_then(|dentry| field(dentry, config!(fault.dentry_name)));
        if let Some(name) = name {
            let room = info.name.as_mut_ptr();
            // SAFETY: the helper checks the address, and there is room for that much.
            unsafe {
                bpf_probe_read_kernel_str(room.cast(), NAME_BYTES as u32, name as *const _);
            }
        }
    }
    // SAFETY: as above.
    let begins = unsafe { first_letters.read_volatile() };
    let class = if flags & vm::HUGETLB != 0 {
        MappingClass::Hugetlb
    } else if !has_operations {
        private(mm, start, end)
    } else if file == 0 {
        MappingClass::Special
    } else if flags & vm::SHARED != 0 && begins == SHARED_ANONYMOUS {
        MappingClass::SharedAnonymous
    } else {
        MappingClass::File
    };
    let code = u32::from(class.code());
    info.class = code;
    if MAPPINGS.insert(key, info, u64::from(BPF_NOEXIST)).is_err() {
        losses::note(Loss::MappingTableFull, 1);
    }
    code
}

/// Which private memory it is, by the rules of `/proc/pid/maps`.
#[inline(always)]
fn private(mm: u64, start: u64, end: u64) -> MappingClass {
    let bounds = config!(fault.mm_start_brk);
    let start_brk = field(mm, bounds).unwrap_or(0);
    let brk = field(mm, bounds + 8).unwrap_or(0);
    let start_stack = field(mm, bounds + 16).unwrap_or(0);
    if start < brk && end > start_brk {
        MappingClass::Heap
    } else if start <= start_stack && start_stack <= end {
        MappingClass::Stack
    } else {
        MappingClass::Anonymous
    }
}
