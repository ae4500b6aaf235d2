//! The kernel's own word on who submitted.

use std::{fs, io};

use super::{
    trace_line::{Submission, is_system_call, submission},
    tracefs::Instance,
};
use crate::sys::process::thread_id;

/// The event's name since 6.2, and before.
const SUBMIT: [&str; 2] = [
    "io_uring/io_uring_submit_req",
    "io_uring/io_uring_submit_sqe",
];
const SYSTEM_CALLS: &str = "raw_syscalls/sys_enter";

/// The inode by which the outermost pid namespace is known.
const FIRST_PID_NAMESPACE: &str = "pid:[4026531836]";

/// Submissions and `io_uring_enter` calls, as they are recorded.
#[derive(Debug)]
pub(super) struct Trace {
    instance: Instance,
    sees_system_calls: bool,
}

impl Trace {
    /// Starts recording, or says why that cannot be done here.
    pub(super) fn begin() -> Result<Self, String> {
        let instance = Instance::create().map_err(|error| {
            if error.kind() == io::ErrorKind::PermissionDenied {
                format!("the tracepoints need root ({error})")
            } else {
                format!("this kernel offers no tracing ({error})")
            }
        })?;
        let Some(submit) = SUBMIT.iter().find(|event| instance.has_event(event)) else {
            return Err("this kernel has no tracepoint for submissions".to_owned());
        };
        instance
            .enable(submit, None)
            .map_err(|error| format!("{submit} cannot be switched on ({error})"))?;
        let sees_system_calls = in_first_pid_namespace()
            && instance.has_event(SYSTEM_CALLS)
            && instance
                .enable(SYSTEM_CALLS, Some(&calls_of_ours()))
                .is_ok();
        Ok(Self {
            instance,
            sees_system_calls,
        })
    }

    /// Submissions with one of these marks.
    pub(super) fn submissions(&self, marks: &[u64]) -> Result<Vec<Submission>, String> {
        let text = self.text()?;
        let ours = text
            .lines()
            .filter_map(submission)
            .filter(|submission| marks.contains(&submission.user_data));
        Ok(ours.collect())
    }

    /// Calls of `io_uring_enter` by this thread so far; `None` where they
    /// cannot be told from those of others.
    pub(super) fn enter_calls(&self) -> Option<usize> {
        if !self.sees_system_calls {
            return None;
        }
        let text = self.text().ok()?;
        Some(text.lines().filter(|line| is_system_call(line)).count())
    }

    fn text(&self) -> Result<String, String> {
        let text = self.instance.text();
        text.map_err(|error| format!("the trace cannot be read ({error})"))
    }
}

fn calls_of_ours() -> String {
    format!(
        "id == {} && common_pid == {}",
        libc::SYS_io_uring_enter,
        thread_id()
    )
}

/// The tracer's thread numbers are those of the outermost namespace.
fn in_first_pid_namespace() -> bool {
    fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() == FIRST_PID_NAMESPACE)
}
