//! Time stamps for every batch, without a system call.

use std::fs;

use crate::sys::process::monotonic_ns;

/// How long the processor's counter is compared with the kernel's clock.
const CALIBRATION_NS: u64 = 20_000_000;

/// Bits behind the binary point of `ns_per_tick` of [`Clock::Tsc`].
const FRACTION_BITS: u32 = 32;

/// A clock that user space reads by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The processor's time stamp counter.
    Tsc {
        /// Fixed-point, [`FRACTION_BITS`] bits behind the point.
        ns_per_tick: u64,
    },
    /// `CLOCK_MONOTONIC` through the vDSO: a tick is a nanosecond.
    Monotonic,
}

/// What speaks for and against reading the time stamp counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Tsc,
    /// The counter may drift, but the kernel's own clock is a system call.
    TscForLackOfBetter,
    Monotonic,
}

impl Clock {
    /// The best clock here, and what to say about it if it is not a good one.
    pub(crate) fn calibrate() -> (Self, Option<String>) {
        let source =
            fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource")
                .unwrap_or_default();
        let source = source.trim();
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let invariant = cpu.contains(" constant_tsc") && cpu.contains(" nonstop_tsc");
        match choose(cfg!(target_arch = "x86_64"), invariant, source) {
            Choice::Tsc => (Self::tsc(), None),
            Choice::TscForLackOfBetter => (
                Self::tsc(),
                Some(format!(
                    "latencies may be inexact: this machine's time stamp counter is not \
                     constant, and reading its clock source ({source}) would be a system call"
                )),
            ),
            Choice::Monotonic => (Self::Monotonic, None),
        }
    }

    fn tsc() -> Self {
        let (began_ns, began) = paired_reading();
        while monotonic_ns() - began_ns < CALIBRATION_NS {
            std::hint::spin_loop();
        }
        let (ended_ns, ended) = paired_reading();
        let ns = u128::from(ended_ns - began_ns) << FRACTION_BITS;
        let ticks = u128::from(ended.wrapping_sub(began));
        match ns.checked_div(ticks).map(u64::try_from) {
            Some(Ok(ns_per_tick)) => Self::Tsc { ns_per_tick },
            // A counter that stands still.
            _ => Self::Monotonic,
        }
    }

    /// The clock's name, for the summary.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tsc { .. } => "tsc",
            Self::Monotonic => "monotonic",
        }
    }

    /// Now, in ticks.
    #[inline]
    pub(crate) fn ticks(self) -> u64 {
        match self {
            Self::Tsc { .. } => read_tsc(),
            Self::Monotonic => monotonic_ns(),
        }
    }

    /// A span of ticks in nanoseconds.
    #[inline]
    pub(crate) fn ns(self, ticks: u64) -> u64 {
        match self {
            Self::Tsc { ns_per_tick } => {
                let wide = u128::from(ticks) * u128::from(ns_per_tick);
                u64::try_from(wide >> FRACTION_BITS).unwrap_or(u64::MAX)
            }
            Self::Monotonic => ticks,
        }
    }

    /// A span of nanoseconds in ticks.
    pub(crate) fn ticks_in(self, ns: u64) -> u64 {
        match self {
            Self::Tsc { ns_per_tick } => {
                let wide = (u128::from(ns) << FRACTION_BITS) / u128::from(ns_per_tick.max(1));
                u64::try_from(wide).unwrap_or(u64::MAX)
            }
            Self::Monotonic => ns,
        }
    }
}

/// A counter that the kernel itself trusts, or that the processor promises to
/// be constant, is ours to use. Otherwise the kernel's clock, if its source can
/// be read in user space.
fn choose(x86: bool, invariant: bool, source: &str) -> Choice {
    let system_call = matches!(source, "hpet" | "acpi_pm" | "refined-jiffies" | "jiffies");
    match (x86, invariant || source == "tsc", system_call) {
        (true, true, _) => Choice::Tsc,
        (true, false, true) => Choice::TscForLackOfBetter,
        (true, false, false) | (false, _, _) => Choice::Monotonic,
    }
}

/// Both clocks at the same moment: of several tries the one in which the
/// kernel's clock was read fastest.
fn paired_reading() -> (u64, u64) {
    let mut best = (u64::MAX, 0, 0);
    for _ in 0..16 {
        let before = read_tsc();
        let ns = monotonic_ns();
        let after = read_tsc();
        let width = after.wrapping_sub(before);
        if width < best.0 {
            best = (width, ns, before.wrapping_add(width / 2));
        }
    }
    (best.1, best.2)
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn read_tsc() -> u64 {
    use std::arch::x86_64::{_mm_lfence, _rdtsc};
    // The counter may be read ahead of the load that saw a completion, which
    // would make latencies too small; the fence keeps the order.
    // SAFETY: the instruction is part of SSE2, which every x86-64 has.
    unsafe { _mm_lfence() };
    // SAFETY: every x86-64 processor that runs this has the instruction.
    unsafe { _rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn read_tsc() -> u64 {
    monotonic_ns()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_is_used_where_someone_vouches_for_it() {
        assert_eq!(choose(true, true, "kvm-clock"), Choice::Tsc);
        assert_eq!(choose(true, false, "tsc"), Choice::Tsc);
        assert_eq!(choose(true, false, "kvm-clock"), Choice::Monotonic);
        assert_eq!(choose(true, false, "hpet"), Choice::TscForLackOfBetter);
        assert_eq!(choose(false, true, "arch_sys_counter"), Choice::Monotonic);
    }

    #[test]
    fn a_calibrated_span_agrees_with_the_kernels_clock() {
        let (clock, _) = Clock::calibrate();
        let outer = monotonic_ns();
        let began = clock.ticks();
        let inner = monotonic_ns();
        while monotonic_ns() - inner < 5_000_000 {}
        let inner = monotonic_ns() - inner;
        let span = clock.ns(clock.ticks().wrapping_sub(began));
        let outer = monotonic_ns() - outer;
        // The span lies between the two, give or take a thousandth.
        assert!(span >= inner - inner / 1000, "{span} < {inner}");
        assert!(span <= outer + outer / 1000, "{span} > {outer}");
    }

    #[test]
    fn ticks_and_nanoseconds_convert_back() {
        let clock = Clock::Tsc {
            ns_per_tick: (1 << FRACTION_BITS) / 3,
        };
        let ns = clock.ns(clock.ticks_in(60_000_000_000));
        assert!(ns.abs_diff(60_000_000_000) <= 1, "{ns}");
        assert_eq!(Clock::Monotonic.ticks_in(5), 5);
    }
}
