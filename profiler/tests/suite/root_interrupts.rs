//! Interrupts that hit a thread which only spins, each sent a known number of
//! times from elsewhere.

use std::fs;

use crate::{
    needs_root,
    root_polled::is_lab,
    support::{
        bpftrace::{Witness, from_user_mode},
        known::{assert_known, assert_known_of, assert_within, cannot_be_known},
        profile::{Json, causes},
        skip::{has_tool, skip_here},
    },
};

/// Entries of the thread of a name, of a cause, with a detail that begins so.
fn of_thread(profile: &Json, comm: &str, cause: &str, detail: &str) -> u64 {
    let threads = profile.0["ledger"]["by_thread"].as_array().expect("a list");
    let named = threads.iter().filter(|thread| thread["comm"] == comm);
    let rows = named.flat_map(|thread| thread["by_cause"].as_array().expect("a list"));
    rows.filter(|row| row["cause"] == cause)
        .filter(|row| {
            row["detail"]
                .as_str()
                .is_some_and(|name| name.starts_with(detail))
        })
        .map(|row| row["count"].as_u64().expect("a count"))
        .sum()
}

/// A line of `/proc/interrupts`, over all CPUs; lines whose last word begins so.
fn interrupts(label: &str) -> u64 {
    let text = fs::read_to_string("/proc/interrupts").expect("the kernel's table");
    let cpus = text
        .lines()
        .next()
        .expect("a heading")
        .split_whitespace()
        .count();
    let lines = text.lines().filter(|line| {
        let first = line.split_whitespace().next().unwrap_or_default();
        let last = line.split_whitespace().last().unwrap_or_default();
        first.trim_end_matches(':') == label || last.starts_with(label)
    });
    lines
        .flat_map(|line| line.split_whitespace().skip(1).take(cpus))
        .filter_map(|count| count.parse::<u64>().ok())
        .sum()
}

fn two_cpus() -> bool {
    modeswitch::measure::affinity::allowed().len() >= 2
}

/// NMIs bypass the way out that all other entries take, and are counted all the
/// same: no more than the kernel has sent.
#[test]
fn root_nmis() {
    needs_root!("root_nmis");
    if !is_lab() || !two_cpus() {
        cannot_be_known("NMIs", "only in the lab");
        return skip_here("root_nmis", "floods the console, so only in the lab");
    }
    let before = interrupts("NMI");
    let profile = causes(&[], &["nmi", "40"]);
    let sent = interrupts("NMI") - before;
    profile.assert_accounted();
    assert_eq!(profile.0["exit"]["code"], 0, "{}", profile.0["exit"]);
    let hits = of_thread(&profile, "victim", "nmi", "");
    // Those that meet the victim in its tick, or another task there, are no entries.
    assert_within("NMIs", 20, sent.min(40), hits);
}

/// The tracepoints of all interrupts that the victims here are sent.
const SENT: &str = "tracepoint:irq_vectors:call_function_entry, \
    tracepoint:irq_vectors:call_function_single_entry, \
    tracepoint:irq_vectors:reschedule_entry, tracepoint:irq:irq_handler_entry";

/// What hits the victim is counted to the unit: a witness takes the kernel stack
/// of each interrupt that meets this thread, and those whose stack began in user
/// mode are as many.
#[track_caller]
fn assert_witnessed(test: &str, name: &str, arguments: &[&str]) -> Option<Json> {
    if !has_tool(test, "bpftrace", "bpftrace") {
        return None;
    }
    let witness = Witness::of_threads(SENT, ["causes", "victim"]).expect("a witness");
    let profile = causes(&[], arguments);
    let threads = profile.0["ledger"]["by_thread"].as_array();
    let mut threads = threads.expect("a list").iter();
    let victim = threads.find(|thread| thread["comm"] == "victim");
    let tid = victim.and_then(|thread| thread["tid"].as_u64());
    let theirs = from_user_mode(&witness.stacks_of(tid.expect("a victim")));
    profile.assert_accounted();
    assert_eq!(profile.0["exit"]["code"], 0, "{}", profile.0["exit"]);
    let kinds = ["call_function", "reschedule", "device"];
    let ours = kinds.map(|kind| of_thread(&profile, "victim", "interrupt", kind));
    assert!(theirs > 0, "some interrupt hit the victim");
    assert_known_of("interrupt", &profile, name, theirs, ours.iter().sum());
    Some(profile)
}

/// Shootdowns, stack by stack.
#[test]
fn root_witnessed_shootdowns() {
    let test = "root_witnessed_shootdowns";
    needs_root!("root_witnessed_shootdowns");
    if !two_cpus() {
        return skip_here(test, "needs two CPUs");
    }
    assert_witnessed(test, "shootdowns witnessed", &["shoot", "500"]);
}

/// Wake-ups, stack by stack.
#[test]
fn root_witnessed_wakeups() {
    let test = "root_witnessed_wakeups";
    needs_root!("root_witnessed_wakeups");
    if !two_cpus() {
        return skip_here(test, "needs two CPUs");
    }
    assert_witnessed(test, "wake-ups witnessed", &["wake", "200"]);
}

/// A drive's interrupts land on the CPU that reads were made from, on whoever runs
/// there. None is counted twice, missed or invented.
#[test]
fn root_witnessed_device() {
    let test = "root_witnessed_device";
    needs_root!("root_witnessed_device");
    let device = "/dev/nvme0n1";
    let name = "NVMe interrupts witnessed";
    if !is_lab() || !two_cpus() || !std::path::Path::new(device).exists() {
        cannot_be_known(name, "only in the lab");
        return skip_here(test, "needs the lab's NVMe drive and two CPUs");
    }
    let before = interrupts("nvme0q");
    let Some(profile) = assert_witnessed(test, name, &["device", "1000", device]) else {
        return;
    };
    let raised = interrupts("nvme0q") - before;
    let reads = profile.count_in("syscall", "pread64", "steady");
    assert_known(&profile, "NVMe reads", 1000, reads);
    let detail = if profile.sees_details() {
        "device:nvme0q"
    } else {
        "device"
    };
    let of_drive = of_thread(&profile, "victim", "interrupt", detail);
    assert!((1..=raised).contains(&of_drive), "{of_drive} of {raised}");
}
