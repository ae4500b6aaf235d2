//! Which CPUs this thread may run on.

use std::io;

/// CPUs that a mask can name: the kernel's own limit (`CONFIG_NR_CPUS`).
const MAX_CPUS: usize = 8192;

/// An affinity mask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct CpuMask([u64; MAX_CPUS / 64]);

impl CpuMask {
    const EMPTY: Self = Self([0; MAX_CPUS / 64]);

    /// The mask that this thread inherited or was given.
    pub(crate) fn of_this_thread() -> io::Result<Self> {
        let mut mask = Self::EMPTY;
        // SAFETY: the kernel writes at most `size_of_val` bytes of the mask,
        // every bit pattern of which is valid; 0 is the calling thread.
        let result =
            unsafe { libc::sched_getaffinity(0, size_of_val(&mask.0), mask.0.as_mut_ptr().cast()) };
        match result {
            0 => Ok(mask),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// A mask of these CPUs; those beyond the kernel's limit are left out.
    pub(crate) fn from_cpus(cpus: impl IntoIterator<Item = u32>) -> Self {
        let mut mask = Self::EMPTY;
        for cpu in cpus {
            if let Some(word) = mask.0.get_mut(cpu as usize / 64) {
                *word |= 1 << (cpu % 64);
            }
        }
        mask
    }

    /// Restricts this thread to the mask.
    pub(crate) fn apply_to_this_thread(&self) -> io::Result<()> {
        // SAFETY: the kernel reads `size_of_val` bytes of the mask; 0 is the
        // calling thread.
        let result =
            unsafe { libc::sched_setaffinity(0, size_of_val(&self.0), self.0.as_ptr().cast()) };
        match result {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// The CPUs in the mask, in order.
    pub(crate) fn cpus(&self) -> Vec<u32> {
        (0_u32..)
            .take(MAX_CPUS)
            .filter(|&cpu| self.0[cpu as usize / 64] >> (cpu % 64) & 1 == 1)
            .collect()
    }
}

/// This thread on one CPU, until dropped.
pub(crate) struct Pinned {
    before: CpuMask,
}

impl Pinned {
    pub(crate) fn to(cpu: u32) -> io::Result<Self> {
        let before = CpuMask::of_this_thread()?;
        CpuMask::from_cpus([cpu]).apply_to_this_thread()?;
        Ok(Self { before })
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // It was allowed before; if it no longer is, the pin is no worse.
        let _stays_pinned = self.before.apply_to_this_thread();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_holds_until_it_is_dropped() {
        let before = CpuMask::of_this_thread().unwrap();
        let cpu = *before.cpus().last().unwrap();
        {
            let _pin = Pinned::to(cpu).unwrap();
            assert_eq!(CpuMask::of_this_thread().unwrap().cpus(), [cpu]);
        }
        assert_eq!(CpuMask::of_this_thread().unwrap().cpus(), before.cpus());
    }
}
