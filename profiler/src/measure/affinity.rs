//! Keeping the profiler off the target's CPUs.

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

use crate::{cpu_list, error::Error};

/// The CPUs that this process may run on.
#[must_use]
pub fn allowed() -> Vec<u32> {
    let Ok(set) = sched_getaffinity(Pid::from_raw(0)) else {
        return Vec::new();
    };
    (0u32..)
        .take(CpuSet::count())
        .filter(|&cpu| set.is_set(cpu as usize).unwrap_or(false))
        .collect()
}

/// Checks that a target may run on these CPUs. Those set apart with `isolcpus=`
/// are not among the ones that a process starts out with, but it may go there.
///
/// # Errors
/// [`Error::Usage`] naming the CPU that is not there.
pub fn check(cpus: &[u32]) -> Result<(), Error> {
    let allowed = allowed();
    let others = cpus.iter().filter(|cpu| !allowed.contains(cpu));
    let mut refused = others.filter(|&&cpu| set(&[cpu]).is_err());
    let refused = refused.next().copied();
    if let Err(error) = set(&allowed) {
        log::debug!("cannot go back to all CPUs: {error}");
    }
    match refused {
        None => Ok(()),
        Some(cpu) => Err(Error::Usage(format!(
            "there is no CPU {cpu} to run on: this process may use {}",
            cpu_list::format(&allowed)
        ))),
    }
}

/// Moves the profiler to CPUs that the target does not use. The CPUs it ends
/// up with, and whether they really are apart.
#[must_use]
pub fn step_aside(target: &[u32]) -> (Vec<u32>, bool) {
    let allowed = allowed();
    if target.is_empty() {
        return (allowed, false);
    }
    let others: Vec<u32> = allowed
        .iter()
        .copied()
        .filter(|cpu| !target.contains(cpu))
        .collect();
    if others.is_empty() {
        return (allowed, false);
    }
    match set(&others) {
        Ok(()) => (others, true),
        Err(error) => {
            log::warn!("cannot move to other CPUs: {error}");
            (allowed, false)
        }
    }
}

/// Confines this process to some CPUs.
///
/// # Errors
/// If the system refuses.
pub fn set(cpus: &[u32]) -> nix::Result<()> {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        set.set(cpu as usize)?;
    }
    sched_setaffinity(Pid::from_raw(0), &set)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A CPU beyond any machine's is refused, and the message names it.
    #[test]
    fn impossible_cpus_are_named() {
        let message = check(&[1_000_000]).expect_err("no such CPU").to_string();
        assert!(message.contains("1000000"), "{message}");
    }
}
