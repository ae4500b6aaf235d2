//! A `syscall` instruction that every process has: in the vDSO, which the kernel
//! maps into all of them, static ones too. So no byte of the program changes.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use nix::unistd::Pid;

use crate::sys::proc;

/// The instruction.
const SYSCALL: [u8; 2] = [0x0f, 0x05];

/// How far into the vDSO the instruction is. The kernel has one vDSO for all
/// 64-bit processes, so ours is theirs.
pub(super) fn syscall_offset() -> io::Result<u64> {
    let (start, end) = range("self")?;
    let mut memory = File::open("/proc/self/mem")?;
    memory.seek(SeekFrom::Start(start))?;
    let length = usize::try_from(end - start).map_err(io::Error::other)?;
    let mut code = vec![0; length];
    memory.read_exact(&mut code)?;
    let found = code.windows(2).position(|window| window == SYSCALL);
    found
        .map(|place| place as u64)
        .ok_or_else(|| io::Error::other("the vDSO has no system call in it"))
}

/// Where a process has the vDSO.
pub(super) fn base(pid: Pid) -> io::Result<u64> {
    range(&pid.to_string()).map(|(start, _)| start)
}

fn range(process: &str) -> io::Result<(u64, u64)> {
    let maps = proc::text(format!("/proc/{process}/maps"))?;
    let line = maps.lines().find(|line| line.ends_with("[vdso]"));
    line.and_then(|line| line.split_once(' '))
        .and_then(|(range, _)| range.split_once('-'))
        .and_then(|(start, end)| {
            let number = |text| u64::from_str_radix(text, 16).ok();
            number(start).zip(number(end))
        })
        .ok_or_else(|| io::Error::other("it has no vDSO"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The instruction is where it is said to be.
    #[test]
    fn the_vdso_has_a_system_call() {
        let offset = syscall_offset().expect("a vDSO");
        let (start, end) = range("self").expect("a vDSO");
        assert!(offset < end - start);
        assert_eq!(base(Pid::this()).expect("a vDSO"), start);
    }
}
