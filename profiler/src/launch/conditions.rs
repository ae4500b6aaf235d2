//! Conditions that a command starts under, and hands on to what it starts.

use nix::errno::Errno;

/// Where memory comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryPolicy {
    /// From the node that touches it, as by default; but set by hand, which the
    /// kernel takes as a sign to leave the pages alone: no NUMA balancing.
    Local,
    /// From this node only.
    Bind(u32),
}

/// Populating and locking memory from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefault {
    /// In everything that the command creates, too.
    pub children: bool,
    /// Nothing is locked: the command is followed in the same way as one whose
    /// memory is, to be compared with it, and its memory is looked at as it ends.
    pub only_follow: bool,
    /// What the command is known to need, in bytes: not locked if there is less.
    pub needed_bytes: Option<u64>,
}

/// The conditions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// No transparent huge pages.
    pub no_thp: bool,
    /// Where memory comes from, or none for the default.
    pub memory: Option<MemoryPolicy>,
    /// Whether memory is populated and locked from outside.
    pub prefault: Option<Prefault>,
}

impl Conditions {
    /// Takes them on, except for those that need the command's own memory.
    /// Called in the child.
    pub(super) fn assume(&self) -> nix::Result<()> {
        if self.no_thp {
            // SAFETY: changes a flag of this process only.
            let result = unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
            Errno::result(result)?;
        }
        match self.memory {
            None => {}
            Some(MemoryPolicy::Local) => set_policy(libc::MPOL_LOCAL, &[])?,
            Some(MemoryPolicy::Bind(node)) => {
                let word = node as usize / 64;
                let mut mask = vec![0_u64; word + 1];
                mask[word] = 1 << (node % 64);
                set_policy(libc::MPOL_BIND, &mask)?;
            }
        }
        Ok(())
    }
}

fn set_policy(policy: libc::c_int, nodes: &[u64]) -> nix::Result<()> {
    let mask = if nodes.is_empty() {
        std::ptr::null()
    } else {
        nodes.as_ptr()
    };
    // The kernel reads one bit fewer than it is told.
    let bits = if nodes.is_empty() {
        0
    } else {
        nodes.len() * 64 + 1
    };
    // SAFETY: the mask has that many bits, or there is none to read.
    let result = unsafe {
        libc::syscall(
            libc::SYS_set_mempolicy,
            libc::c_long::from(policy),
            mask,
            bits,
        )
    };
    Errno::result(result).map(drop)
}
