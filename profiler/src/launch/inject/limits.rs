//! What could go wrong for a program whose memory is to be locked, looked up
//! beforehand: it must not be harmed by a fix that does not fit it.

use std::{fs, io};

use nix::unistd::Pid;

use super::room::Room;
use crate::sys::proc::Status;

/// The capability to lock memory beyond the limit.
const CAP_IPC_LOCK: u32 = 14;

/// What there is to know of a program whose memory is to be locked.
pub(super) struct Lockable(Status);

impl Lockable {
    pub(super) fn of(pid: Pid) -> io::Result<Self> {
        Status::of(pid.as_raw().unsigned_abs()).map(Self)
    }

    /// The program's name.
    pub(super) fn name(&self) -> &str {
        self.0.field("Name").unwrap_or("?")
    }

    fn bytes(&self, name: &str) -> u64 {
        self.0.bytes(name).unwrap_or(0)
    }

    /// Why its memory must not be locked, if so.
    pub(super) fn refusal(&self, room: &Room, needed_bytes: Option<u64>) -> Option<String> {
        if self.0.field("Seccomp").is_some_and(|mode| mode != "0") {
            return Some(
                "it runs under a seccomp filter, which may kill it for a system call that is not \
                 its own"
                    .to_owned(),
            );
        }
        let needed = needed_bytes.unwrap_or(0).max(self.bytes("VmSize"));
        room.is_too_small_for(needed)
    }

    /// What a lock of all its memory has left out, such as the kernel's own pages.
    pub(super) fn unlocked_bytes(&self) -> u64 {
        self.bytes("VmSize").saturating_sub(self.bytes("VmLck"))
    }

    fn may_lock(&self) -> bool {
        self.0.has_capability(CAP_IPC_LOCK)
    }

    /// Lifts the limit on locked memory where there is one. The limit before,
    /// if it was lifted.
    ///
    /// Below a limit the lock itself may succeed, and some later `mmap` of the
    /// program fail for it: so no lock without lifting it.
    pub(super) fn lift_limit(&self, pid: Pid) -> Result<Option<libc::rlimit>, String> {
        let limits = fs::read_to_string(format!("/proc/{pid}/limits"));
        let before = limits.ok().and_then(|text| locked_limit(&text));
        let before = before.ok_or("its limits cannot be read")?;
        if before.rlim_cur == libc::RLIM_INFINITY || self.may_lock() {
            return Ok(None);
        }
        let unlimited = libc::rlimit {
            rlim_cur: libc::RLIM_INFINITY,
            rlim_max: libc::RLIM_INFINITY,
        };
        set_limit(pid, &unlimited).map_err(|error| {
            format!(
                "it may lock {} KiB of memory (RLIMIT_MEMLOCK), and raising that takes \
                 CAP_SYS_RESOURCE: {error}",
                before.rlim_cur >> 10
            )
        })?;
        Ok(Some(before))
    }
}

/// The limit on locked memory in `/proc/PID/limits`, which everybody may read.
fn locked_limit(text: &str) -> Option<libc::rlimit> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Max locked memory"))?;
    let mut words = line.split_whitespace().map(|word| match word {
        "unlimited" => Some(libc::RLIM_INFINITY),
        number => number.parse().ok(),
    });
    Some(libc::rlimit {
        rlim_cur: words.next()??,
        rlim_max: words.next()??,
    })
}

/// Sets the limit on locked memory of a process.
pub(super) fn set_limit(pid: Pid, limit: &libc::rlimit) -> io::Result<()> {
    let nowhere = std::ptr::null_mut();
    // SAFETY: the limit is live, and the old one is not asked for.
    let result = unsafe { libc::prlimit(pid.as_raw(), libc::RLIMIT_MEMLOCK, limit, nowhere) };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(lines: &str) -> Lockable {
        Lockable(format!("Name:\tfio\n{lines}").as_str().into())
    }

    /// Both limits are read, also where there is none.
    #[test]
    fn limits_are_read() {
        let text = "Limit      Soft Limit   Hard Limit   Units\n\
                    Max locked memory         65536                unlimited            bytes\n";
        let limit = locked_limit(text).expect("read");
        assert_eq!(limit.rlim_cur, 65_536);
        assert_eq!(limit.rlim_max, libc::RLIM_INFINITY);
        assert!(locked_limit("").is_none());
    }

    /// A filter and too little memory are reasons; neither is none.
    #[test]
    fn what_would_harm_is_refused() {
        let room = Room::of(Pid::this());
        let filtered = status("Seccomp:\t2\n");
        let filtered = filtered.refusal(&room, None).expect("refused");
        assert!(filtered.contains("seccomp"), "{filtered}");
        let plain = "Seccomp:\t0\nVmSize:\t    1024 kB\n";
        assert_eq!(status(plain).refusal(&room, None), None);
        let large = status(plain).refusal(&room, Some(1 << 60));
        assert!(large.expect("refused").contains("MiB"));
    }
}
