//! Members of tasks other than the current one.

use aya_ebpf::helpers::bpf_probe_read_kernel;

/// Reads a 32-bit member of a task.
#[inline(always)]
pub fn field(task: u64, offset: u32) -> Option<u32> {
    let field = task + u64::from(offset);
    // SAFETY: the helper checks the address; offsets are from the kernel's BTF.
    unsafe { bpf_probe_read_kernel(field as *const u32) }.ok()
}

/// Reads a task's name.
#[inline(always)]
pub fn comm(task: u64, offset: u32) -> Option<[u8; 16]> {
    let field = task + u64::from(offset);
    // SAFETY: the helper checks the address; offsets are from the kernel's BTF.
    unsafe { bpf_probe_read_kernel(field as *const [u8; 16]) }.ok()
}
