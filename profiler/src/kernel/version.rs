//! The kernel's version and what is known of it for the report.

use std::{fs, path::Path};

use crate::document::run::Host;

/// The bit that system-call numbers of x32 programs have.
pub const X32_BIT: u32 = 0x4000_0000;

/// Describes this machine.
#[must_use]
pub fn host() -> Host {
    let release = read_trimmed("/proc/sys/kernel/osrelease");
    let version = read_trimmed("/proc/sys/kernel/version").unwrap_or_default();
    Host {
        kernel: release.unwrap_or_default(),
        arch: std::env::consts::ARCH.to_owned(),
        cpus: count_list(&read_trimmed("/sys/devices/system/cpu/online").unwrap_or_default()),
        cmdline: read_trimmed("/proc/cmdline").unwrap_or_default(),
        clocksource: read_trimmed(
            "/sys/devices/system/clocksource/clocksource0/current_clocksource",
        ),
        preemption: preemption(
            read_trimmed("/sys/kernel/debug/sched/preempt").as_deref(),
            &version,
        ),
        numa_nodes: count_list(
            &read_trimmed("/sys/devices/system/node/online").unwrap_or_else(|| "0".to_owned()),
        ),
    }
}

/// Whether the kernel can be preempted while a program on a tracepoint runs, which
/// then is passed over for whoever has the CPU next: from Linux 7.1 on.
#[must_use]
pub fn preempts_tracepoints() -> bool {
    let release = read_trimmed("/proc/sys/kernel/osrelease").unwrap_or_default();
    series(&release).is_none_or(|series| series >= (7, 1))
}

/// The first two numbers of a release.
fn series(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Whether the kernel has x32 programs: whether one of their system calls is there.
#[must_use]
pub fn has_x32() -> bool {
    // SAFETY: `getpid` takes nothing.
    let found = unsafe { libc::syscall(libc::SYS_getpid | libc::c_long::from(X32_BIT)) };
    found > 0
}

/// The preemption model: what debugfs marks as chosen, else what the version
/// string says it was built for.
fn preemption(debugfs: Option<&str>, version: &str) -> Option<String> {
    if let Some(chosen) = debugfs
        .and_then(|text| text.split_once('('))
        .and_then(|(_, rest)| rest.split_once(')'))
    {
        return Some(chosen.0.to_owned());
    }
    ["PREEMPT_RT", "PREEMPT_DYNAMIC", "PREEMPT_LAZY", "PREEMPT"]
        .into_iter()
        .find(|word| version.split_ascii_whitespace().any(|found| found == *word))
        .map(str::to_ascii_lowercase)
}

/// How many numbers a kernel list such as `0-3,8` names.
fn count_list(list: &str) -> u32 {
    list.split(',')
        .filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let first: u32 = first.trim().parse().ok()?;
            let last: u32 = last.trim().parse().ok()?;
            Some(last.saturating_sub(first) + 1)
        })
        .sum()
}

/// A small file's text without the line end.
pub(crate) fn read_trimmed(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A release is compared by its numbers.
    #[test]
    fn releases_have_series() {
        assert_eq!(series("7.3.4-amd64"), Some((7, 3)));
        assert!(series("6.12.107+deb13-cloud-amd64") < Some((7, 1)));
        assert_eq!(series("next"), None);
    }

    /// Ranges and single numbers both count.
    #[test]
    fn counts_kernel_lists() {
        assert_eq!(count_list("0-3,8,10-11"), 7);
        assert_eq!(count_list("0"), 1);
        assert_eq!(count_list(""), 0);
    }

    /// What debugfs marks wins over what the kernel was built for.
    #[test]
    fn chosen_preemption_model_wins() {
        let built = "#1 SMP PREEMPT_DYNAMIC Debian";
        assert_eq!(
            preemption(Some("none voluntary (full) lazy"), built).as_deref(),
            Some("full")
        );
        assert_eq!(preemption(None, built).as_deref(), Some("preempt_dynamic"));
        assert_eq!(preemption(None, "#1 SMP"), None);
    }
}
