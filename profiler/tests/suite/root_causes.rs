//! The less usual ways into the kernel, to the unit.

use crate::{
    needs_root,
    support::{
        known::{assert_known, assert_within, cannot_be_known},
        profile::{Json, causes},
        skip::skip_here,
    },
};

/// What every run here has to be: complete, and of a program that did its work.
#[track_caller]
fn measured(arguments: &[&str]) -> Json {
    let profile = causes(&[], arguments);
    profile.assert_accounted();
    assert_eq!(profile.0["exit"]["code"], 0, "{}", profile.0["exit"]);
    profile
}

/// An exception that a handler deals with is one entry, and the handler's
/// return another; a backend that cannot see the first says so.
#[track_caller]
fn assert_exceptions(mode: &str, detail: &str) {
    let profile = measured(&[mode, "100"]);
    let name = |of: &str| format!("#{}: {of}", mode.to_uppercase());
    profile.assert_only(&name("rt_sigreturn"), "syscall", "rt_sigreturn", 100);
    if profile.sees_exceptions() {
        profile.assert_only(&name("exception"), "exception", detail, 100);
    } else {
        assert_eq!(profile.of_cause("exception"), 0);
        assert!(profile.says_unavailable("exceptions"));
        cannot_be_known(&name("exception"), "no tracepoint shows exceptions");
    }
}

/// `#UD`
#[test]
fn root_invalid_opcodes() {
    needs_root!("root_invalid_opcodes");
    assert_exceptions("ud", "invalid_opcode");
}

/// `#GP`
#[test]
fn root_general_protection() {
    needs_root!("root_general_protection");
    assert_exceptions("gp", "general_protection");
}

/// `#DE`
#[test]
fn root_divide_errors() {
    needs_root!("root_divide_errors");
    assert_exceptions("de", "divide_error");
}

/// `#BP`
#[test]
fn root_breakpoints() {
    needs_root!("root_breakpoints");
    assert_exceptions("bp", "breakpoint");
}

/// `#DB`
#[test]
fn root_single_steps() {
    needs_root!("root_single_steps");
    assert_exceptions("db", "debug");
}

/// A call that seccomp answers is a call.
#[test]
fn root_denied_calls() {
    needs_root!("root_denied_calls");
    let profile = measured(&["seccomp", "1000"]);
    profile.assert_only("denied by seccomp", "syscall", "getppid", 1000);
}

/// A tracer stops a call twice, and it still is one.
#[test]
fn root_traced_child() {
    needs_root!("root_traced_child");
    let profile = measured(&["ptrace", "100"]);
    let calls = profile.count_in("syscall", "getppid", "steady");
    assert_known(&profile, "ptraced: getppid", 100, calls);
    // Two stops for each call of the child's, and one when it ends.
    let stops = profile.count_in("syscall", "ptrace", "steady");
    assert_known(&profile, "ptraced: ptrace", 2 * 100 + 2, stops);
}

/// A child that borrows its parent's memory is a child.
#[test]
fn root_vforks() {
    needs_root!("root_vforks");
    let profile = measured(&["vfork", "20"]);
    let calls = profile.count_in("syscall", "vfork", "steady");
    assert_known(&profile, "vfork: vfork", 20, calls);
    let first = profile.count_in("new_task", "first_return", "steady");
    assert_known(&profile, "vfork: first_return", 20, first);
    let ends = profile.count("syscall", "exit_group");
    assert_known(&profile, "vfork: exit_group", 21, ends);
}

/// Entries in steady state of the thread that only spins: interrupts of these
/// details, and everything else.
fn of_victim(profile: &Json, details: &[&str]) -> (u64, u64) {
    let threads = profile.0["ledger"]["by_thread"].as_array().expect("a list");
    let victim = threads.iter().find(|thread| thread["comm"] == "victim");
    let rows = victim.expect("the victim is listed")["by_cause"].as_array();
    let (mut hits, mut others) = (0, 0);
    for row in rows.expect("a list") {
        let count = row["phases"]["steady"].as_u64().unwrap_or(0);
        let is_hit = row["cause"] == "interrupt" && details.iter().any(|d| row["detail"] == *d);
        *(if is_hit { &mut hits } else { &mut others }) += count;
    }
    (hits, others)
}

/// Each disturbance waits until the victim has been seen in user mode, so one
/// that does not hit it has met it in another entry, or put off by one. Where a
/// hypervisor takes the processor away, it flushes the TLB itself when it gives
/// it back (`KVM_FEATURE_PV_TLB_FLUSH`), and nobody is interrupted: hence the
/// hundredth part.
#[track_caller]
fn assert_all_hit(hits: u64, others: u64, disturbances: u64) {
    assert!(
        hits + others >= disturbances - disturbances / 100,
        "{hits} hits and {others} other entries of {disturbances} disturbances"
    );
    assert!(hits > 0, "not one of {disturbances} disturbances hit");
}

fn has_two_cpus(test: &str) -> bool {
    let has = modeswitch::measure::affinity::allowed().len() >= 2;
    if !has {
        skip_here(test, "needs two CPUs");
    }
    has
}

/// Taking rights to memory away interrupts every CPU that runs the program.
#[test]
fn root_shootdown_victim() {
    needs_root!("root_shootdown_victim");
    if !has_two_cpus("root_shootdown_victim") {
        return;
    }
    let profile = measured(&["shoot", "2000"]);
    assert_eq!(profile.count_in("syscall", "mprotect", "steady"), 2000);
    let (hits, others) = of_victim(&profile, &["call_function", "call_function_single"]);
    assert_all_hit(hits, others, 2000);
    // The kernel itself now and then calls a function on every CPU.
    let least = 2000u64.saturating_sub(others + 20);
    assert_within("TLB shootdowns, 2,000", least, 2000 + 200, hits);
}

/// Waking a sleeper interrupts what runs on its CPU.
#[test]
fn root_wakeup_victim() {
    needs_root!("root_wakeup_victim");
    if !has_two_cpus("root_wakeup_victim") {
        return;
    }
    let profile = measured(&["wake", "500"]);
    let (hits, others) = of_victim(&profile, &["reschedule", "call_function_single"]);
    assert_all_hit(hits, others, 500);
    // From Linux 7 on, a wake-up may take one interrupt more to start a timer.
    let least = 500u64.saturating_sub(others + 5);
    assert_within("wake-ups, 500", least, 2 * 500 + 200, hits);
}
