//! The page of one run.

use maud::{Markup, html};

use super::{
    page::{Page, Section},
    prose::alarm,
    section::{
        accounting, advice, causes, code, flame, host, interrupts, io, memory, over_time, threads,
    },
    shell, text,
};
use crate::{
    profile::model::Profile,
    report::{
        io as io_report,
        units::{self, count, duration_ns, rate},
        verdict,
    },
};

/// The page.
#[must_use]
pub fn page(profile: &Profile) -> Page {
    let sections: [Option<Section>; 11] = [
        advice::section(&profile.advice),
        Some(causes::section(profile)),
        over_time::section(profile),
        // What delayed the slowest I/Os belongs here, beside the time and the I/O.
        io::section(profile),
        flame::section(profile),
        Some(code::section(profile)),
        memory::section(profile),
        threads::section(profile),
        interrupts::section(profile),
        Some(accounting::section(profile)),
        Some(host::section(profile)),
    ];
    Page {
        title: title(profile),
        kind: "profile",
        head: head(profile),
        sections: sections.into_iter().flatten().collect(),
        foot: html! {
            p {
                "Made by modeswitch from a profile document, schema " (profile.schema_version)
                ". It needs no network and runs no script. Numbers are those of the document; what is left out says where it is."
            }
        },
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

fn head(profile: &Profile) -> Markup {
    let (ledger, rates) = (&profile.ledger, &profile.ledger.rates);
    let is_exact = profile.accounting.inexact.is_empty();
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
        (
            "counts",
            Some(if is_exact { "exact" } else { "at least" }.to_owned()),
        ),
    ];
    html! {
        p.verdict { (text::sentence(&verdict::line(profile))) }
        @if let Some(target) = profile.io.as_ref().and_then(io_report::target) { p { (text::sentence(&target)) } }
        @if let Some(ending) = verdict::ending(profile) { (alarm(&ending)) }
        @for reason in profile.accounting.inexact.iter().take(20) { (alarm(&format!("NOT EXACT: {reason}"))) }
        dl.tiles {
            @for (name, value) in tiles {
                @if let Some(value) = value { div { dt { (name) } dd { (value) } } }
            }
        }
    }
}
