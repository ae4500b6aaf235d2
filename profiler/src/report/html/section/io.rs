//! What the program said of its own I/O, and whether polling was polling.

use maud::{Markup, html};
use workload::summary::IoSummary;

use crate::{
    profile::{
        ledger::as_float,
        model::{Polling, Profile},
    },
    report::{
        html::{
            chart::{
                curves::{self, Series},
                frame::Words,
            },
            page::Section,
            table::{Kind, facts, table},
            text::sentence,
        },
        io::percentiles,
        units::{count, duration_ns, rate},
    },
};

/// The section, if there is any of it.
#[must_use]
pub fn section(profile: &Profile) -> Option<Section> {
    if profile.io.is_none() && profile.polling.is_none() {
        return None;
    }
    let body = html! {
        @if let Some(io) = &profile.io { (work(io)) }
        @if let Some(polling) = &profile.polling { (polled(polling)) }
    };
    Some(Section::new("io", "I/O and polling", body))
}

fn work(io: &IoSummary) -> Markup {
    let words = Words {
        id: "latency-chart",
        title: "Latency by percentile",
        text: "A curve of the latency at each percentile, both axes logarithmic. The table below has the same numbers.",
    };
    let found = percentiles(&io.latency_ns);
    let series = [Series {
        name: "this run".to_owned(),
        median: found.map(|(_, ns)| ns.map(as_float)),
        runs: Vec::new(),
    }];
    let columns = [("percentile", Kind::Text), ("latency", Kind::Number)];
    let is_known = found.iter().any(|(_, ns)| ns.is_some());
    let rows = found.map(|(name, ns)| {
        let ns = ns.map_or_else(|| "too few I/Os to tell".to_owned(), duration_ns);
        vec![name.to_owned(), ns]
    });
    let cpus = &io.cpus;
    let sq = cpus
        .sq
        .map_or_else(String::new, |sq| format!(", submission thread on CPU {sq}"));
    html! {
        (facts([
            ("throughput", format!("{} IOPS", rate(io.iops))),
            ("work", format!(
                "{} I/Os of {} bytes in {}, {} errors",
                count(io.ios), io.block_size_bytes, duration_ns(io.duration_ns), count(io.errors)
            )),
            ("target", io.target.clone()),
            ("ring", format!("{} ({})", io.mode, io.flags.join(" "))),
            ("depth", format!("{}, in batches of {}", io.depth, io.batch)),
            ("CPUs", format!("user thread on CPU {}{sq}", cpus.user)),
            ("wake-ups", format!("{} of the submission thread", count(io.polling.wakeups))),
        ]))
        @for note in io.notes.iter().take(20) { p.note { (sentence(note)) } }
        @if is_known {
            @if let Some(chart) = curves::chart(words, &series) { (chart) }
            (table("Latency by percentile", &columns, 1, rows))
        }
    }
}

fn polled(polling: &Polling) -> Markup {
    let by_thread = polling.sqes_by_sq_thread.map_or_else(
        || "unknown: before Linux 5.12 the kernel's thread is nobody's".to_owned(),
        count,
    );
    let irqs: Vec<String> = polling
        .device_irqs
        .iter()
        .map(|(name, &n)| format!("{name} {}", count(n)))
        .collect();
    let queues: Vec<String> = polling
        .poll_queues
        .iter()
        .map(|(name, has)| format!("{name} {}", if *has { "yes" } else { "no" }))
        .collect();
    html! {
        h3 { "Was polling really polling?" }
        ul { @for finding in polling.findings.iter().take(20) { li { (sentence(finding)) } } }
        (facts([
            ("counted in", polling.phase.clone().unwrap_or_else(|| "the whole run".to_owned())),
            ("submitted by the kernel's thread", by_thread),
            ("submitted in system calls", count(polling.sqes_by_enter)),
            ("io_uring_enter", count(polling.enter_calls)),
            ("device interrupts", irqs.join(", ")),
            ("poll queues", queues.join(", ")),
        ]))
    }
}
