//! A device that interrupts although its completions are polled for.

use profiler_common::cause::CauseKind;

use super::evidence::{advice, rows};
use crate::{
    digits::count,
    profile::model::{Advice, Profile},
};

pub(super) fn rule(profile: &Profile) -> Vec<Advice> {
    let Some(io) = &profile.io else {
        return Vec::new();
    };
    let irqs = io.polling.device_irqs.unwrap_or(0);
    if irqs == 0 || !io.flags.iter().any(|flag| flag == "IOPOLL") {
        return Vec::new();
    }
    // Most of them hit the submission thread or another CPU, and are no entries.
    let entries = rows(profile, CauseKind::Interrupt)
        .filter(|(row, _)| row.detail.starts_with("device:"))
        .map(|(_, count)| count)
        .fold(0, u64::saturating_add);
    let mut piece = advice(
        profile,
        entries,
        "the device interrupts although its completions are polled for".to_owned(),
        format!(
            "{} interrupts of {}'s device for {} I/Os in steady state, on a ring with IOPOLL",
            count(irqs),
            io.target,
            count(io.ios)
        ),
        "give the driver queues to poll (nvme.poll_queues=N on the kernel's command line, or \
         `modprobe nvme poll_queues=N`), and check that the device's queue/io_poll is 1; other \
         users of the device interrupt, too"
            .to_owned(),
    );
    if entries == 0 {
        piece.expected_saving = format!(
            "no entries: up to {} interrupts that hit other threads",
            count(irqs)
        );
    }
    vec![piece]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::advice::testing::with_io;

    /// Interrupts are expected unless the ring polls.
    #[test]
    fn needs_a_polling_ring() {
        let irqs = |flags: &[&str]| {
            let mut profile = with_io(&[("interrupt", "device:nvme0q1", 9)], flags);
            if let Some(io) = &mut profile.io {
                io.polling.device_irqs = Some(50);
            }
            rule(&profile)
        };
        assert_eq!(irqs(&["SQPOLL", "IOPOLL"])[0].saves, 9);
        assert_eq!(irqs(&["SQPOLL"]), []);
        let mut elsewhere = with_io(&[], &["IOPOLL"]);
        if let Some(io) = &mut elsewhere.io {
            io.polling.device_irqs = Some(50);
        }
        assert!(
            rule(&elsewhere)[0]
                .expected_saving
                .contains("50 interrupts")
        );
        assert_eq!(rule(&with_io(&[], &["IOPOLL"])), []);
    }
}
