//! The flat line: on a CPU that the kernel has been told to leave alone, a
//! polling program that was prefaulted enters the kernel next to never.

use std::{fs, path::Path};

use crate::{
    needs_root,
    support::{
        background::Background,
        command,
        known::{assert_known, assert_within, cannot_be_known},
        profile::from_output,
        setting::{HUGE_PAGES, Settings},
        skip::{has_tool, skip_here},
    },
};

/// The program's name, by which the witness knows it.
const NAME: &str = "flatline";
const SECONDS: u64 = 8;

/// The CPUs without a tick, if there are two.
fn quiet_cpus() -> Option<[u32; 2]> {
    let text = fs::read_to_string("/sys/devices/system/cpu/nohz_full").ok()?;
    let cpus = modeswitch::cpu_list::parse(text.trim()).ok()?;
    <[u32; 2]>::try_from(cpus).ok()
}

/// In steady state at most one entry a second, each of them named; and over the
/// whole run as many as the kernel's own context tracking sees.
#[test]
fn root_flatline() {
    needs_root!("root_flatline");
    let Some([sq_cpu, cpu]) = quiet_cpus() else {
        let reason = "needs a kernel booted with nohz_full= for two CPUs";
        for of in ["steady entries", "context tracking"] {
            cannot_be_known(&format!("flatline: {of}"), "no nohz_full");
        }
        return skip_here("root_flatline", reason);
    };
    // Each page that it collapses anywhere interrupts every CPU, isolated ones too.
    let mut settings = Settings::default();
    settings.set(HUGE_PAGES, "never").expect("root may");
    // A name of its own, which no process of the profiler has.
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(NAME);
    fs::copy(env!("CARGO_BIN_EXE_modeswitch"), &program).expect("a copy");
    // It may begin on either, before it goes to its own.
    let script = format!(
        "tracepoint:context_tracking:user_enter /comm == \"{NAME}\"/ {{ @in = count(); }} \
         tracepoint:context_tracking:user_exit /comm == \"{NAME}\"/ {{ @out = count(); }} \
         interval:ms:200 {{ printf(\"ready\\n\"); }}"
    );
    if !has_tool("root_flatline", "bpftrace", "bpftrace") {
        return;
    }
    let mut witness = std::process::Command::new("bpftrace");
    let witness = Background::start(witness.args(["-e", &script])).expect("a witness");
    let mut command = command::measuring("run");
    command.args([
        "--format",
        "json",
        "--cpu",
        &format!("{sq_cpu},{cpu}"),
        "--",
    ]);
    command
        .arg(&program)
        .args(["workload", "--file", "/dev/nullb0", "--bitmap", "prefault"]);
    command.args(["--cpu", &cpu.to_string(), "--sq-cpu", &sq_cpu.to_string()]);
    command.args(["--size", "1G", "--duration", &format!("{SECONDS}s")]);
    let output = command.output().expect("the binary starts");
    let witnessed = witness.interrupt();
    let profile = from_output(&output);
    profile.assert_accounted();
    println!("{witnessed}");
    println!("{}", profile.0["ledger"]["by_cause"]);

    let steady = profile.0["ledger"]["rates"]["steady_total"].as_u64();
    assert_within(
        "flatline: steady entries",
        0,
        SECONDS,
        steady.expect("a steady state"),
    );
    assert_eq!(profile.0["accounting"]["unclassified"], 0);

    // The way into user mode is passed once for each entry but the last call,
    // which does not return.
    let total = profile.0["ledger"]["total"].as_u64().expect("a count");
    let ended = profile.count("syscall", "exit_group") + profile.count("syscall", "exit");
    let count = |name: &str| -> u64 {
        let line = witnessed
            .lines()
            .find_map(|line| line.trim().strip_prefix(name));
        line.expect("the witness counted")
            .trim()
            .parse()
            .expect("a count")
    };
    assert_known(
        &profile,
        "flatline: context tracking",
        count("@in:"),
        total - ended,
    );
}
