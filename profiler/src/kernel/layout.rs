//! Offsets of kernel structure members, from the kernel's own BTF.

use anyhow::{Context, Result};

use super::btf::Btf;

/// Where the kernel publishes its types.
pub const VMLINUX_BTF: &str = "/sys/kernel/btf/vmlinux";

/// Size of `struct pt_regs` on x86-64.
const PT_REGS_BYTES: u32 = 168;

/// The offsets that the programs need, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// `task_struct.stack`
    pub task_stack: u32,
    /// `task_struct.pid`
    pub task_pid: u32,
    /// `task_struct.tgid`
    pub task_tgid: u32,
    /// `task_struct.flags`
    pub task_flags: u32,
    /// `task_struct.comm`
    pub task_comm: u32,
    /// `task_struct.__state`, or `state` up to Linux 5.13: 0 while it can run
    pub task_state: u32,
    /// `task_struct.thread_info.status`: whose numbering a system call has
    pub task_status: u32,
    /// `irqaction.next`
    pub irqaction_next: u32,
    /// Bits of `task_struct.flags` by which threads of the kernel's own are told that
    /// bear a process's name. Constants are not in the types, so each is inferred from
    /// what came with it: before that, the bit meant something else.
    pub worker_flags: u32,
    /// From the bottom of a kernel stack to the saved user registers, where
    /// there is no helper to ask: kernels before 5.15, without KASAN.
    pub stack_to_regs: u32,
}

/// Arguments for making a thread of a kind, and the flag that it has: `PF_IO_WORKER`
/// from Linux 5.12 on, `PF_USER_WORKER` from 6.4 on.
const WORKER_FLAGS: [(&str, u32); 2] = [("io_thread", 0x10), ("user_worker", 0x4000)];

impl Layout {
    /// Finds them in the running kernel's types.
    ///
    /// # Errors
    /// If the kernel lacks one of the members.
    pub fn of(btf: &Btf) -> Result<Self> {
        let offset = |structure: &str, member: &str| {
            btf.offset(structure, member)
                .with_context(|| format!("the kernel's BTF has no {structure}.{member}"))
        };
        Ok(Self {
            task_stack: offset("task_struct", "stack")?,
            task_pid: offset("task_struct", "pid")?,
            task_tgid: offset("task_struct", "tgid")?,
            task_flags: offset("task_struct", "flags")?,
            task_comm: offset("task_struct", "comm")?,
            task_state: offset("task_struct", "__state")
                .or_else(|_| offset("task_struct", "state"))?,
            worker_flags: WORKER_FLAGS
                .iter()
                .filter(|(member, _)| btf.offset("kernel_clone_args", member).is_some())
                .fold(0, |flags, (_, flag)| flags | flag),
            task_status: offset("task_struct", "thread_info")? + offset("thread_info", "status")?,
            irqaction_next: offset("irqaction", "next")?,
            // THREAD_SIZE, less the registers at the top of the stack.
            stack_to_regs: 16_384 - PT_REGS_BYTES,
        })
    }
}
