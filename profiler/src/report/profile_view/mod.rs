//! A profile as a view.

mod accounting;
mod causes;
mod code;
mod flame;
mod host;
mod interrupts;
mod io;
mod memory;

pub(super) use self::{
    accounting::sums,
    flame::{Code, is_scaled, stacks},
    host::{bounded, host},
    io::{percentiles, target},
};

use super::{
    shell,
    units::{self, count, duration_ns, rate},
    verdict,
    view::View,
};
use crate::profile::{merge::programs::By, model::Profile};

/// A profile as people read it; `by` says what rows of code and memory are of.
#[must_use]
pub fn view(profile: &Profile, by: By) -> View {
    let parts = [
        Some(causes::by_cause(profile)),
        causes::over_time(profile),
        causes::by_program(profile),
        causes::by_thread(profile, by),
        flame::section(profile),
        code::by_code(profile, by),
        memory::section(profile, by),
        interrupts::purposes(profile),
        interrupts::senders(profile),
        interrupts::disturbance(profile),
        code::user_stacks(profile),
        code::kernel_stacks(profile),
        io::section(profile),
        io::polling(profile),
        accounting::advice(profile),
        Some(accounting::section(profile)),
        Some(host::section(profile)),
    ];
    let mut alarms: Vec<String> = verdict::ending(profile).into_iter().collect();
    let inexact = profile.accounting.inexact.iter();
    alarms.extend(inexact.map(|reason| format!("NOT EXACT: {reason}")));
    View {
        kind: "profile",
        subject: "Kernel entries",
        title: title(profile),
        is_command: !profile.target.command.is_empty(),
        verdict: verdict::line(profile),
        remarks: profile.io.as_ref().and_then(target).into_iter().collect(),
        alarms,
        tiles: tiles(profile),
        sections: parts.into_iter().flatten().collect(),
        schema_version: profile.schema_version,
        ..View::default()
    }
}

/// What was measured.
#[must_use]
pub fn title(profile: &Profile) -> String {
    let target = &profile.target;
    match (&target.command[..], target.pid, &target.cpus) {
        ([], Some(pid), _) => format!("process {pid}"),
        ([], None, Some(cpus)) => format!("CPUs {}", crate::cpu_list::format(cpus)),
        ([], None, None) => "unknown target".to_owned(),
        (command, ..) => units::shortened(&shell::line(command)),
    }
}

fn tiles(profile: &Profile) -> Vec<(&'static str, String)> {
    let (ledger, rates) = (&profile.ledger, &profile.ledger.rates);
    let is_exact = profile.accounting.inexact.is_empty();
    let counts = if is_exact { "exact" } else { "at least" };
    let tiles = [
        ("entries", Some(count(ledger.total))),
        ("per second", Some(rate(rates.per_second))),
        ("in steady state", rates.steady_total.map(count)),
        ("per second, steady", rates.steady_per_second.map(rate)),
        (
            "per million I/Os, steady",
            rates.steady_per_million_ios.map(rate),
        ),
        ("measured", Some(duration_ns(profile.window.duration_ns))),
        ("counts", Some(counts.to_owned())),
    ];
    let tiles = tiles.into_iter();
    tiles
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}
