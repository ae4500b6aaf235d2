//! Was polling really polling? What the evidence says, claim by claim. Pure.

use workload::summary::{IoSummary, ServedBy};

use super::model::Polling;

/// One interrupt for so many I/Os or fewer, and completions do not come by
/// polling. A polled device still interrupts for what was not polled for:
/// opening it, reading its partition table.
const IOS_PER_STRAY_INTERRUPT: u64 = 100;

/// What follows, a sentence for each claim. `io` is what the program says of
/// its own work, if it says anything.
#[must_use]
pub fn of(polling: &Polling, io: Option<&IoSummary>) -> Vec<String> {
    let mut findings = vec![submission(polling)];
    if let Some(io) = io {
        findings.extend(completion(polling, io));
        findings.extend(wake_ups(io));
    }
    findings
}

/// Who submits.
fn submission(polling: &Polling) -> String {
    let enters = polling.enter_calls;
    match (polling.sqes_by_sq_thread, polling.sqes_by_enter) {
        (None | Some(0), 0) => "no submission was seen".to_owned(),
        (Some(by_thread), 0) => format!(
            "submission polls: the kernel's thread took all {by_thread} submissions off the ring"
        ),
        (None | Some(0), by_enter) => format!(
            "submission does not poll: all {by_enter} submissions were made in {enters} system calls"
        ),
        (Some(by_thread), by_enter) => format!(
            "submission polls in part: {by_thread} by the kernel's thread, {by_enter} in system calls"
        ),
    }
}

/// How completions come.
fn completion(polling: &Polling, io: &IoSummary) -> Option<String> {
    if let Some(served_by) = io.served_by.as_ref().filter(|it| it.device().is_none()) {
        return Some(format!(
            "no device completes anything: the reads are served by {served_by}"
        ));
    }
    let asked = io.flags.iter().any(|flag| flag == "IOPOLL");
    let irqs = io.polling.device_irqs?;
    let ios = io.ios;
    let by_interrupt = irqs > ios / IOS_PER_STRAY_INTERRUPT;
    let device = io.served_by.as_ref().and_then(ServedBy::device);
    let device = device.unwrap_or_else(|| io.target.rsplit('/').next().unwrap_or_default());
    Some(match (asked, by_interrupt) {
        (true, false) => {
            format!("completion polls: {irqs} interrupts of the device for {ios} I/Os")
        }
        (true, true) => {
            let queues = match polling.poll_queues.get(device) {
                Some(false) => "its driver has no poll queues (queue/io_poll is 0)",
                Some(true) => "although its driver has poll queues (queue/io_poll is 1)",
                None => "whether its driver has poll queues is not known",
            };
            format!(
                "completion does NOT poll, although IOPOLL was asked for: {irqs} interrupts of the \
                 device for {ios} I/Os; {queues}. The kernel fell back to interrupts in silence"
            )
        }
        (false, true) => {
            format!("completions come by interrupt: {irqs} interrupts of the device for {ios} I/Os")
        }
        (false, false) => format!(
            "IOPOLL is off, and the device raised {irqs} interrupts for {ios} I/Os: it completes \
             them at once"
        ),
    })
}

/// Whether the submission thread slept.
fn wake_ups(io: &IoSummary) -> Option<String> {
    io.flags.iter().any(|flag| flag == "SQPOLL").then(|| {
        format!(
            "the submission thread had to be woken {} times",
            io.polling.wakeups
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn polling(by_thread: Option<u64>, by_enter: u64, has_queues: bool) -> Polling {
        Polling {
            sqes_by_sq_thread: by_thread,
            sqes_by_enter: by_enter,
            poll_queues: BTreeMap::from([("nvme0n1".to_owned(), has_queues)]),
            ..Polling::default()
        }
    }

    fn io(flags: &[&str], irqs: u64) -> IoSummary {
        let mut io = IoSummary {
            target: "/dev/nvme0n1".to_owned(),
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
            ios: 10_000,
            ..IoSummary::default()
        };
        io.polling.device_irqs = Some(irqs);
        io
    }

    /// The fallback that no kernel before 6.14 reports is found by counting.
    #[test]
    fn silent_fallback_is_called_what_it_is() {
        let found = of(
            &polling(Some(10_000), 0, false),
            Some(&io(&["SQPOLL", "IOPOLL"], 9_500)),
        );
        assert!(found[0].starts_with("submission polls:"), "{found:?}");
        assert!(
            found[1].starts_with("completion does NOT poll"),
            "{found:?}"
        );
        assert!(found[1].contains("no poll queues"), "{found:?}");
    }

    /// Where no device serves the reads, nothing is said of one.
    #[test]
    fn holes_complete_by_no_device() {
        let mut io = io(&["SQPOLL"], 50);
        io.served_by = Some(ServedBy::Holes);
        let found = of(&polling(Some(10_000), 0, false), Some(&io));
        assert!(found[1].starts_with("no device completes"), "{found:?}");
        assert!(
            !found.iter().any(|line| line.contains("interrupts")),
            "{found:?}"
        );
    }

    /// A polled device's few interrupts do not make it an interrupting one.
    #[test]
    fn polling_is_polling() {
        let found = of(
            &polling(Some(10_000), 0, true),
            Some(&io(&["SQPOLL", "IOPOLL"], 7)),
        );
        assert!(found[1].starts_with("completion polls"), "{found:?}");
        assert!(found[2].contains("woken 0 times"), "{found:?}");
    }

    /// Each way of submitting is told from the others, also where the thread
    /// is nobody's.
    #[test]
    fn submission_is_told_by_who_does_it() {
        let says = |thread, enter| of(&polling(thread, enter, true), None)[0].clone();
        assert!(says(Some(5), 0).starts_with("submission polls:"));
        assert!(says(Some(0), 5).starts_with("submission does not poll"));
        assert!(says(Some(4), 1).starts_with("submission polls in part"));
        assert!(says(None, 0).starts_with("no submission"));
    }
}
