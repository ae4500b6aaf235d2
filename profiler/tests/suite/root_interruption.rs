//! What interrupts were for, who sent them, and what else the CPUs did.

use serde_json::Value;

use crate::{
    needs_root,
    support::{
        profile::{Json, causes, counts},
        skip::skip,
    },
};

/// The two details that call-function interrupts are counted under.
const CALLS: [&str; 2] = ["call_function", "call_function_single"];

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The rows of the thread that only spins.
fn of_victim(profile: &Json) -> &[Value] {
    let threads = list(&profile.0["ledger"]["by_thread"]).iter();
    let mut victims = threads.filter(|thread| thread["comm"] == "victim");
    list(&victims.next().expect("the victim is listed")["by_cause"])
}

/// Shootdowns that hit the victim in user mode, and its entries of any other
/// kind, both in steady state.
fn shootdowns(profile: &Json) -> (u64, u64) {
    let rows = of_victim(profile).iter();
    let all: u64 = rows.map(|row| number(&row["phases"]["steady"])).sum();
    let rows = of_victim(profile).iter();
    let shot = rows
        .filter(|row| CALLS.iter().any(|call| row["detail"] == *call))
        .flat_map(|row| list(&row["purposes"]))
        .filter(|purpose| purpose["purpose"] == "tlb_shootdown")
        .map(|purpose| number(&purpose["phases"]["steady"]))
        .sum();
    (shot, all - shot)
}

/// Each shootdown is known to be one, whichever backend counts, and the sender
/// and its system call are named: as many as hit the victim, and as those that
/// met it in the kernel.
#[test]
fn root_shootdown_sender() {
    needs_root!("root_shootdown_sender");
    if modeswitch::measure::affinity::allowed().len() < 2 {
        skip("root_shootdown_sender", "needs two CPUs");
        return;
    }
    let profile = causes(&["--senders"], &["shoot", "1000"]);
    profile.assert_accounted();
    let (shot, others) = shootdowns(&profile);
    // See `assert_all_hit` for the hundredth part.
    assert!(shot > 0 && shot + others >= 990, "{shot} and {others}");
    let Some(senders) = profile.0["senders"].as_array() else {
        assert!(profile.says_unavailable("who sent call-function interrupts"));
        return;
    };
    let to_victim = senders
        .iter()
        .filter(|sender| sender["purpose"] == "tlb_shootdown" && sender["target_comm"] == "victim");
    let sent: u64 = to_victim
        .clone()
        .map(|sender| number(&sender["phases"]["steady"]))
        .sum();
    // Sent to whoever had the CPU then: the victim may have it again when it arrives,
    // once for each time that it has lost it.
    let usage = &profile.0["accounting"]["usage"];
    let switches = number(&usage["voluntary_switches"]) + number(&usage["involuntary_switches"]);
    assert!(
        shot <= sent + switches,
        "{shot} hits of {sent} that were sent, {switches} switches"
    );
    assert!(
        sent <= shot + others,
        "{sent} sent, {shot} hits, {others} others"
    );
    let from_mprotect: u64 = to_victim
        .filter(|sender| sender["comm"] == "causes" && sender["detail"] == "mprotect")
        .map(|sender| number(&sender["phases"]["steady"]))
        .sum();
    assert!(
        from_mprotect > 0 && from_mprotect <= 1000,
        "{from_mprotect}"
    );
}

/// Time taken by the tick is known for every tick: at least those that were
/// entries, and no more than the CPU had.
#[test]
fn root_disturbance() {
    needs_root!("root_disturbance");
    let cpus = modeswitch::measure::affinity::allowed();
    let Some(&cpu) = cpus.last() else {
        return;
    };
    let profile = counts(
        &["--disturbance", "--cpu", &cpu.to_string()],
        &["spin", "500"],
    );
    profile.assert_accounted();
    let rows = list(&profile.0["disturbance"]).iter();
    let ticks: u64 = rows
        .filter(|row| row["what"] == "local_timer" && row["cpu"] == cpu)
        .map(|row| {
            assert!(number(&row["max_ns"]) <= number(&row["total_ns"]), "{row}");
            assert!(number(&row["total_ns"]) > 0, "{row}");
            number(&row["count"])
        })
        .sum();
    let entries = profile.count("interrupt", "local_timer");
    assert!(
        entries > 0 && entries <= ticks,
        "{entries} of {ticks} ticks"
    );
    let checks = list(&profile.0["accounting"]["cross_checks"]).iter();
    let of_cpu = checks.filter(|check| check["source"] == "/proc/interrupts LOC");
    let most: u64 = of_cpu.map(|check| number(&check["theirs"])).sum();
    assert!(ticks <= most, "{ticks} ticks of {most}");
}

/// Nobody asked: nothing is said, and nothing is claimed to be unavailable.
#[test]
fn root_nothing_unasked() {
    needs_root!("root_nothing_unasked");
    let profile = counts(&[], &["getppid", "10"]);
    assert!(profile.0["senders"].is_null());
    assert!(profile.0["disturbance"].is_null());
    assert!(!profile.says_unavailable("who sent"));
}
