//! What the page-fault program has to know of the kernel's structures, from the
//! kernel's own BTF.

use anyhow::{Context, Result, ensure};
use profiler_common::fault_config::{FaultConfig, MAPLE_PIVOTS, VMA_BYTES, mappings};

use super::btf::Btf;

/// `RLIMIT_STACK` times the size of a `struct rlimit`.
const STACK_LIMIT: u32 = 3 * 16;
/// A maple-tree node begins with its parent; the pivots follow.
const PIVOTS: u32 = 8;

/// The layout, with `level` and `mappings` still open.
///
/// # Errors
/// If the kernel has none of the structures known here.
pub fn of(btf: &Btf) -> Result<FaultConfig> {
    let mut config = base(btf)?;
    if btf.offset("mm_struct", "mm_mt").is_some() {
        with_maple_tree(btf, &mut config)?;
    } else {
        with_rb_tree(btf, &mut config)?;
    }
    let fields = [
        config.vma_start + 8,
        config.vma_mm,
        config.vma_flags,
        config.vma_ops,
        config.vma_pgoff,
        config.vma_file,
        config.vma_rb + config.rb_left,
    ];
    ensure!(
        fields.iter().all(|offset| offset.is_multiple_of(8)),
        "a field of vm_area_struct is not aligned"
    );
    config.vma_bytes = fields.into_iter().max().unwrap_or(0) + 8;
    ensure!(
        config.vma_bytes < VMA_BYTES,
        "vm_area_struct is larger than modeswitch has room for"
    );
    Ok(config)
}

/// The offset of a member, which must be there.
fn offset(btf: &Btf, structure: &str, member: &str) -> Result<u32> {
    btf.offset(structure, member)
        .with_context(|| format!("the kernel's BTF has no {structure}.{member}"))
}

/// What all kernels have.
fn base(btf: &Btf) -> Result<FaultConfig> {
    let offset = |structure: &str, member: &str| offset(btf, structure, member);
    let start_brk = offset("mm_struct", "start_brk")?;
    ensure!(
        offset("mm_struct", "brk")? == start_brk + 8
            && offset("mm_struct", "start_stack")? == start_brk + 16,
        "the bounds in mm_struct are in another order"
    );
    let start = offset("vm_area_struct", "vm_start")?;
    ensure!(
        offset("vm_area_struct", "vm_end")? == start + 8,
        "the bounds in vm_area_struct are in another order"
    );
    Ok(FaultConfig {
        task_mm: offset("task_struct", "mm")?,
        task_signal: offset("task_struct", "signal")?,
        signal_stack_limit: offset("signal_struct", "rlim")? + STACK_LIMIT,
        mm_pgd: offset("mm_struct", "pgd")?,
        mm_start_brk: start_brk,
        vma_start: start,
        vma_mm: offset("vm_area_struct", "vm_mm")?,
        vma_flags: offset("vm_area_struct", "vm_flags")?,
        vma_ops: offset("vm_area_struct", "vm_ops")?,
        vma_pgoff: offset("vm_area_struct", "vm_pgoff")?,
        vma_file: offset("vm_area_struct", "vm_file")?,
        file_inode: offset("file", "f_inode")?,
        file_dentry: offset("file", "f_path")? + offset("path", "dentry")?,
        inode_number: offset("inode", "i_ino")?,
        inode_sb: offset("inode", "i_sb")?,
        sb_device: offset("super_block", "s_dev")?,
        dentry_name: offset("dentry", "d_name")? + offset("qstr", "name")?,
        ..FaultConfig::COUNT_ONLY
    })
}

/// Linux 6.1 and later.
fn with_maple_tree(btf: &Btf, config: &mut FaultConfig) -> Result<()> {
    let offset = |structure: &str, member: &str| offset(btf, structure, member);
    let number = |name: &str| {
        btf.enumerator("maple_type", name)
            .with_context(|| format!("the kernel's BTF has no {name}"))
    };
    config.mappings = mappings::MAPLE_TREE;
    config.mm_root = offset("mm_struct", "mm_mt")? + offset("maple_tree", "ma_root")?;
    config.maple_leaf = number("maple_leaf_64")?;
    config.maple_range = number("maple_range_64")?;
    config.maple_arange = number("maple_arange_64")?;
    let end = offset("maple_metadata", "end")?;
    config.range_slots = offset("maple_range_64", "slot")?;
    config.range_end = offset("maple_range_64", "meta")? + end;
    config.arange_slots = offset("maple_arange_64", "slot")?;
    config.arange_end = offset("maple_arange_64", "meta")? + end;
    ensure!(
        offset("maple_range_64", "pivot")? == PIVOTS
            && offset("maple_arange_64", "pivot")? == PIVOTS
            && config.range_slots == PIVOTS + MAPLE_PIVOTS * 8
            && config.arange_slots < config.range_slots
            && config.range_end.is_multiple_of(8)
            && config.arange_end.is_multiple_of(8),
        "the kernel's maple tree has another shape"
    );
    Ok(())
}

/// Up to Linux 6.0.
fn with_rb_tree(btf: &Btf, config: &mut FaultConfig) -> Result<()> {
    let offset = |structure: &str, member: &str| offset(btf, structure, member);
    config.mappings = mappings::RB_TREE;
    config.mm_root = offset("mm_struct", "mm_rb")? + offset("rb_root", "rb_node")?;
    config.vma_rb = offset("vm_area_struct", "vm_rb")?;
    config.rb_left = offset("rb_node", "rb_left")?;
    ensure!(
        offset("rb_node", "rb_right")? + 8 == config.rb_left && config.vma_rb.is_multiple_of(8),
        "the kernel's red-black tree has another shape"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The running kernel's own structures are understood.
    #[test]
    fn this_kernel_is_understood() {
        let path = Path::new(crate::kernel::layout::VMLINUX_BTF);
        if !path.exists() {
            println!("SKIPPED this_kernel_is_understood: no {}", path.display());
            return;
        }
        let config = of(&Btf::read(path).expect("the kernel's own types")).expect("understood");
        assert_ne!(config.mappings, mappings::UNKNOWN);
        assert_ne!(config.vma_flags, config.vma_mm);
    }
}
