//! What a session saw, put into words and numbers.

use std::io;

use crate::{
    bitmap::BlockMap,
    clock::Clock,
    engine::Tally,
    plan::{Plan, RingMode},
    ring_flags::Flag,
    session::backing,
    summary::{BitmapSummary, Cpus, IoSummary, LatencyNs, Polling, SqThread, SqesBy},
    target::Target,
};

/// Everything that the summary is made of.
pub(crate) struct Findings<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) target: &'a Target,
    pub(crate) mode: RingMode,
    pub(crate) flags: &'a [Flag],
    pub(crate) sq_thread: Option<SqThread>,
    pub(crate) clock: Clock,
    pub(crate) tally: Tally,
    pub(crate) latency_ns: LatencyNs,
    pub(crate) map: &'a BlockMap,
    pub(crate) populate_ns: u64,
    pub(crate) setup_ns: u64,
    pub(crate) device_irqs: Option<u64>,
    pub(crate) notes: Vec<String>,
    pub(crate) lock_refused: Option<io::Error>,
}

impl Findings<'_> {
    pub(crate) fn summary(self) -> IoSummary {
        let duration_ns = self.clock.ns(self.tally.ticks);
        let plan = self.plan;
        IoSummary {
            target: self.target.name.clone(),
            served_by: Some(self.target.served_by.clone()),
            flags: self
                .flags
                .iter()
                .map(|flag| flag.name().to_owned())
                .collect(),
            mode: self.mode.name().to_owned(),
            ios: self.tally.ios,
            iops: per_second(self.tally.ios, duration_ns),
            errors: self.tally.errors,
            duration_ns,
            setup_ns: self.setup_ns,
            latency_ns: self.latency_ns,
            block_size_bytes: plan.block_size,
            depth: plan.depth,
            batch: plan.batch,
            seed: plan.seed,
            passes: self.map.passes(),
            clock: self.clock.name().to_owned(),
            cpus: Cpus {
                user: plan.placement.user,
                sq: plan
                    .placement
                    .sq
                    .filter(|_| self.flags.contains(&Flag::SqAff)),
            },
            bitmap: BitmapSummary {
                kind: plan.bitmap.name().to_owned(),
                pages_populated: Some(if backing(plan.bitmap).is_populated() {
                    self.map.pages()
                } else {
                    0
                }),
                pages: self.map.pages(),
                pages_touched: self.map.pages_touched(),
                populate_ns: self.populate_ns,
            },
            polling: Polling {
                sqes_by: submitted_by(self.mode, self.tally.ios),
                wakeups: self.tally.wakeups,
                enter_calls: self.tally.enters,
                device_irqs: self.device_irqs,
                sq_thread: self.sq_thread.clone(),
            },
            notes: self.all_notes(),
        }
    }

    fn all_notes(self) -> Vec<String> {
        let lock = self.lock_refused.as_ref().map(|error| {
            format!(
                "memory is populated but not locked ({error}): under memory pressure the kernel \
                 may take pages back"
            )
        });
        let irqs = irq_note(self.mode, self.tally.ios, self.device_irqs);
        let errors = self.tally.first_error.map(error_note);
        let place = self.plan.placement.note.clone();
        let later = place.into_iter().chain(lock).chain(irqs).chain(errors);
        self.notes.into_iter().chain(later).collect()
    }
}

fn submitted_by(mode: RingMode, ios: u64) -> SqesBy {
    let (sq_thread, enter) = if mode.sqpoll { (ios, 0) } else { (0, ios) };
    SqesBy {
        sq_thread: Some(sq_thread),
        enter: Some(enter),
    }
}

/// Older kernels fall back to interrupts in silence; their number tells.
fn irq_note(mode: RingMode, ios: u64, irqs: Option<u64>) -> Option<String> {
    let irqs = irqs.filter(|&irqs| mode.iopoll && irqs > ios / 100)?;
    Some(format!(
        "polling is not really polling: the device raised {irqs} interrupts for {ios} I/Os; give \
         its driver poll queues"
    ))
}

fn error_note(result: i32) -> String {
    if result < 0 {
        let error = io::Error::from_raw_os_error(-result);
        format!("the first I/O that failed: {error}")
    } else {
        format!("the first I/O that fell short read {result} bytes")
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a rate needs no more than 53 bits"
)]
fn per_second(count: u64, ns: u64) -> f64 {
    if ns == 0 {
        0.0
    } else {
        count as f64 * 1e9 / ns as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLLED: RingMode = RingMode {
        sqpoll: true,
        iopoll: true,
    };

    #[test]
    fn polling_with_an_interrupt_per_io_is_called_what_it_is() {
        assert!(irq_note(POLLED, 1_000, Some(900)).is_some());
        assert!(irq_note(POLLED, 1_000, Some(10)).is_none());
        assert!(irq_note(POLLED, 1_000, None).is_none());
        assert!(irq_note(POLLED.without_iopoll(), 1_000, Some(1_000)).is_none());
    }

    #[test]
    fn a_run_without_time_has_no_rate() {
        assert!(per_second(5, 0) < f64::EPSILON);
        assert!((per_second(5, 500_000_000) - 10.0).abs() < f64::EPSILON);
    }
}
