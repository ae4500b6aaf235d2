//! Finding the kernel's submission thread.

use std::{fs, os::fd::RawFd, path::Path};

use crate::summary::SqThread;

/// Before 5.12 it is a thread of the kernel's own, by this name.
const OLD_NAME: &str = "io_uring-sq";

/// The submission thread of the ring with this descriptor, once it has run and
/// has its name.
///
/// A single thread of that kind in this process is it. Otherwise `fdinfo` may
/// tell, though with a number of the outermost pid namespace, and not while the
/// thread holds the ring's lock. Last, the youngest of the old kind.
pub(crate) fn of_ring(ring: RawFd) -> Option<SqThread> {
    let mut ours = in_this_process();
    if ours.len() == 1 {
        return ours.pop();
    }
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{ring}")).unwrap_or_default();
    let told = parse_fdinfo(&info).and_then(named);
    told.filter(|thread| is_sq_name(&thread.comm))
        .or_else(|| of_the_kernel().pop())
}

/// Every submission thread in this process.
pub(crate) fn in_this_process() -> Vec<SqThread> {
    threads_in(Path::new("/proc/self/task"), is_sq_name)
}

/// Every submission thread of the old kind, the youngest last.
pub(crate) fn of_the_kernel() -> Vec<SqThread> {
    threads_in(Path::new("/proc"), |comm| comm == OLD_NAME)
}

fn threads_in(directory: &Path, wanted: impl Fn(&str) -> bool) -> Vec<SqThread> {
    let mut threads: Vec<SqThread> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| named(entry.ok()?.file_name().to_str()?.parse().ok()?))
        .filter(|thread| wanted(&thread.comm))
        .collect();
    threads.sort_by_key(|thread| thread.tid);
    threads
}

fn named(tid: u32) -> Option<SqThread> {
    let comm = fs::read_to_string(format!("/proc/{tid}/comm")).ok()?;
    Some(SqThread {
        comm: comm.trim_end().to_owned(),
        tid,
    })
}

/// `iou-sqp-<pid>` since 5.12, `io_uring-sq` before.
fn is_sq_name(comm: &str) -> bool {
    comm.starts_with("iou-sqp-") || comm == OLD_NAME
}

fn parse_fdinfo(info: &str) -> Option<u32> {
    let value = info
        .lines()
        .find_map(|line| line.strip_prefix("SqThread:"))?;
    value.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_is_read_from_fdinfo_unless_it_is_busy() {
        let info = "pos:\t0\nflags:\t02000002\nSqThread:\t1234\nSqThreadCpu:\t0\n";
        assert_eq!(parse_fdinfo(info), Some(1234));
        assert_eq!(parse_fdinfo("SqThread:\t-1\nSqThreadCpu:\t-1\n"), None);
        assert_eq!(parse_fdinfo("pos:\t0\n"), None);
    }

    #[test]
    fn both_generations_of_its_name_are_known() {
        assert!(is_sq_name("iou-sqp-4711"));
        assert!(is_sq_name("io_uring-sq"));
        assert!(!is_sq_name("iou-wrk-4711"));
    }
}
