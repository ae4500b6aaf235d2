//! The less usual ways into the kernel, to the unit.

use crate::{
    needs_root,
    support::{
        known::{assert_known, assert_within},
        profile::{Json, causes, measure},
        skip::skip_here,
        targets,
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

/// As [`measured`], but nothing where the program says that this machine does
/// not have what it is about.
#[track_caller]
fn measured_if_possible(test: &str, arguments: &[&str], what: &str) -> Option<Json> {
    let profile = causes(&[], arguments);
    profile.assert_accounted();
    if profile.0["exit"]["code"] == 77 {
        skip_here(test, what);
        return None;
    }
    assert_eq!(profile.0["exit"]["code"], 0, "{}", profile.0["exit"]);
    Some(profile)
}

/// An exception that a handler deals with is one entry, and the handler's
/// return another. With tracepoints, those that raise no signal are said to be
/// missing.
#[track_caller]
fn assert_exceptions(mode: &str, detail: &str) {
    assert_exceptions_of(&measured(&[mode, "100"]), mode, detail);
}

#[track_caller]
fn assert_exceptions_of(profile: &Json, mode: &str, detail: &str) {
    let name = |of: &str| format!("#{}: {of}", mode.to_uppercase());
    profile.assert_only(&name("rt_sigreturn"), "syscall", "rt_sigreturn", 100);
    profile.assert_only(&name("exception"), "exception", detail, 100);
    assert_eq!(
        profile.says_unavailable("exceptions that raise no signal"),
        !profile.sees_exceptions()
    );
    // In an audit, both sides have seen each of them.
    let one_sided = profile.0["accounting"]["audit"]["one_sided"].as_array();
    let mut one_sided = one_sided.into_iter().flatten();
    assert!(one_sided.all(|row| row["cause"] != "exception"));
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

/// `#AC`
#[test]
fn root_alignment_checks() {
    needs_root!("root_alignment_checks");
    let lacks = "this processor checks no alignment";
    let arguments = ["ac", "100"];
    if let Some(profile) = measured_if_possible("root_alignment_checks", &arguments, lacks) {
        assert_exceptions_of(&profile, "ac", "alignment_check");
    }
}

/// Signals of exceptions that somebody sends are none; nor is the one that
/// answers a page fault, which is counted as that.
#[test]
fn root_signals_without_exception() {
    needs_root!("root_signals_without_exception");
    let profile = measured(&["pretend", "100"]);
    let counted = profile.of_cause("exception");
    assert_known(&profile, "sent signals: exception", 0, counted);
    profile.assert_only("SIGSEGV: page fault", "page_fault", "protection", 100);
    let returns = profile.count_in("syscall", "rt_sigreturn", "steady");
    assert_known(&profile, "sent signals: rt_sigreturn", 400, returns);
}

/// A step of a tracer's over an instruction is an exception; one over a system
/// call is that call.
#[test]
fn root_traced_steps() {
    needs_root!("root_traced_steps");
    let profile = measured(&["step", "200"]);
    // The last step ends with the child's life, after steady state.
    for (cause, detail, expected) in [
        ("syscall", "getppid", 200),
        ("exception", "debug", 400),
        ("exception", "breakpoint", 1),
    ] {
        let counted = profile.count(cause, detail);
        assert_known(&profile, &format!("stepped: {detail}"), expected, counted);
    }
}

/// A call that the kernel hands back to the program is a call.
#[test]
fn root_dispatched_calls() {
    needs_root!("root_dispatched_calls");
    let test = "root_dispatched_calls";
    let lacks = "the kernel has no syscall user dispatch, which is new in Linux 5.11";
    let Some(profile) = measured_if_possible(test, &["dispatch", "1000"], lacks) else {
        return;
    };
    let calls = profile.count_in("syscall", "getppid", "steady");
    assert_known(&profile, "dispatched: getppid", 1000, calls);
    let returns = profile.count_in("syscall", "rt_sigreturn", "steady");
    assert_known(&profile, "dispatched: rt_sigreturn", 1000, returns);
}

/// Number -1 is not the return of a handler, also where there are such, one in
/// another; and numbers that are no call are named as programs write them.
#[test]
fn root_calls_without_number() {
    needs_root!("root_calls_without_number");
    let profile = measured(&["numberless", "200"]);
    for (detail, expected) in [
        // One for each, and one in each of two handlers.
        ("syscall_-1", 600),
        ("syscall_-5", 200),
        ("x32:getpid", 200),
        ("rt_sigreturn", 400),
    ] {
        let counted = profile.count_in("syscall", detail, "steady");
        assert_known(
            &profile,
            &format!("numberless: {detail}"),
            expected,
            counted,
        );
    }
    let profile = measured(&["skipped", "200"]);
    let counted = profile.count_in("syscall", "syscall_-1", "steady");
    assert_known(&profile, "skipped by a tracer: -1", 200, counted);
    let returns = profile.count_in("syscall", "rt_sigreturn", "steady");
    assert_known(&profile, "skipped by a tracer: rt_sigreturn", 0, returns);
}

/// The kernel's own count leaves accesses to its addresses out, and no check
/// holds that against ours.
#[test]
fn root_touched_kernel() {
    needs_root!("root_touched_kernel");
    let profile = measured(&["kernel", "100"]);
    profile.assert_only("kernel addresses", "page_fault", "protection", 100);
    let checks = profile.0["accounting"]["cross_checks"].as_array();
    let mut checks = checks.expect("a list").iter();
    let check = checks.find(|check| check["source"] == "perf page-faults:u");
    let check = check.expect("the kernel counts page faults");
    assert_eq!(check["verdict"], "consistent", "{check}");
    let all = profile.of_cause("page_fault");
    // One ahead, and the hundred.
    assert_eq!(check["ours"].as_u64(), Some(all - 101), "{check}");
}

/// A 32-bit program's calls through the vdso, its `int 0x80`, and the
/// executions of programs of either width have their own names.
#[test]
fn root_compat_calls() {
    needs_root!("root_compat_calls");
    let program = match targets::compat() {
        Ok(program) => program,
        Err(reason) => {
            let what = format!("cannot build and run a 32-bit program: {reason}");
            return skip_here("root_compat_calls", &what);
        }
    };
    let profile = measure(&[], program, &["2500", "/bin/true"]);
    profile.assert_accounted();
    assert_eq!(profile.0["exit"]["code"], 0);
    for (detail, expected) in [
        ("ia32:getuid32", 2500),
        ("ia32:getpid", 100),
        ("execve", 1),
        ("ia32:execve", 2),
    ] {
        let counted = profile.count("syscall", detail);
        assert_known(&profile, &format!("32-bit: {detail}"), expected, counted);
    }
}

/// Entering a guest is no return to user mode: what the kernel deals with while
/// the guest runs is in the one call that runs it.
#[test]
fn root_guest_entries() {
    needs_root!("root_guest_entries");
    let lacks = "there is no /dev/kvm";
    if let Some(profile) = measured_if_possible("root_guest_entries", &["guest", "100"], lacks) {
        profile.assert_only("guest: ioctl", "syscall", "ioctl", 100);
    }
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
