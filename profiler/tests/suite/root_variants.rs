//! What is done to each variant of an experiment, what is told of it, and what
//! becomes of an experiment that goes wrong.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{
    needs_root,
    support::{
        command::{assert_fails, measuring, modeswitch, stderr},
        profile::{from_file, from_output},
        skip::has_tool,
    },
};

/// An experiment of one run each, with a script for the shell.
fn experiment(options: &[&str], script: &str) -> Output {
    let mut run = measuring("experiment");
    run.args(["--runs", "1", "--format", "json"]).args(options);
    run.args(["--", "sh", "-c", script]);
    run.output().expect("the binary starts")
}

/// A folder, and a file in it.
fn file(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    (folder, path)
}

/// What a script that adds lines to a file has seen in each variant.
#[track_caller]
fn seen(fixes: &[&str], script: &str) -> Vec<String> {
    let (_folder, lines) = file("lines");
    let options: Vec<&str> = fixes.iter().flat_map(|fix| ["--fix", fix]).collect();
    let script = format!("{{ {script}; }} >> {}", lines.display());
    from_output(&experiment(&options, &script));
    let text = fs::read_to_string(&lines).expect("the runs have written");
    text.lines().map(str::to_owned).collect()
}

/// The last of the machine's nodes.
fn last_node() -> usize {
    let nodes = (0..64)
        .take_while(|node| Path::new(&format!("/sys/devices/system/node/node{node}")).exists());
    nodes.count().saturating_sub(1)
}

/// Each fix reaches the command, and the first variant is without any.
#[test]
fn root_fixes_reach_the_command() {
    needs_root!("root_fixes_reach_the_command");
    let cpus = modeswitch::measure::affinity::allowed();
    let all = modeswitch::cpu_list::format(&cpus);
    let one = cpus.last().expect("a CPU").to_string();
    let status = |name: &str| format!("sed -n 's/^{name}:[[:space:]]*//p' /proc/self/status");
    let pin = format!("pin:{one}");
    let found = seen(&[&pin], &status("Cpus_allowed_list"));
    assert_eq!(found, [all, one]);
    if fs::read_to_string("/proc/self/status").is_ok_and(|text| text.contains("THP_enabled")) {
        assert_eq!(seen(&["no-thp"], &status("THP_enabled")), ["1", "0"]);
    }
    assert_eq!(seen(&["env:A=b c"], "echo \"$A.\""), [".", "b c."]);
    if Path::new("/proc/self/numa_maps").exists() {
        let policy = "sed -n '/stack/s/^[^ ]* \\([^ ]*\\).*/\\1/p' /proc/self/numa_maps";
        let node = last_node();
        let bind = format!("bind-numa:{node}");
        let found = seen(&["no-numa-balancing", &bind], policy);
        assert_eq!(found, ["default", "local", &format!("bind:{node}")]);
        let list = format!("/sys/devices/system/node/node{node}/cpulist");
        let list = fs::read_to_string(list).expect("readable");
        let found = seen(&[&bind], &status("Cpus_allowed_list"));
        assert_eq!(found.last().map(String::as_str), Some(list.trim()));
    }
}

/// Huge pages are switched on for the variant's runs, and back.
#[test]
fn root_huge_pages_for_a_variant() {
    needs_root!("root_huge_pages_for_a_variant");
    let setting = "/sys/kernel/mm/transparent_hugepage/enabled";
    let Ok(before) = fs::read_to_string(setting) else {
        return;
    };
    let found = seen(&["thp"], &format!("cat {setting}"));
    assert_eq!(found, [before.trim_end(), "[always] madvise never"]);
    assert_eq!(fs::read_to_string(setting).expect("readable"), before);
}

/// A command's own numbers are read after each run, between what is to be run
/// before and after; what differs is told from what does not, and a run unlike
/// the others is named and kept.
#[test]
fn root_own_numbers_and_what_is_run_around_them() {
    needs_root!("root_own_numbers_and_what_is_run_around_them");
    let (folder, saved) = file("experiment.json");
    // The third run of the first variant is the odd one; the other is faster.
    let script = "read n < n; n=$((n + 1)); echo $n > n; echo run >> log; \
                  iops=$((1000 + n % 7)); [ $n = 5 ] && iops=50000; \
                  [ -z \"$FAST\" ] || iops=$((90000 + n)); \
                  echo \"{\\\"iops\\\": $iops, \\\"latency_ns\\\": {\\\"p99\\\": 1000}}\" > numbers";
    fs::write(folder.path().join("n"), "0\n").expect("written");
    let mut run_it = measuring("experiment");
    run_it.current_dir(folder.path());
    run_it.args(["--metrics", "numbers", "--fix", "env:FAST=1"]);
    run_it.args(["--prepare", "echo before >> log"]);
    run_it.args(["--cleanup", "echo after >> log", "--save"]);
    run_it.arg(&saved).args(["--", "sh", "-c", script]);
    let output = run_it.output().expect("the binary starts");
    assert!(output.status.success(), "{}", stderr(&output));
    let log = fs::read_to_string(folder.path().join("log")).expect("readable");
    assert_eq!(log, "before\nrun\nafter\n".repeat(10));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for said in [
        "IOPS rose from",
        "latency p99 did not change measurably",
        "Runs unlike the others of their variant",
        "IOPS of run 3 of baseline was 50,000",
    ] {
        assert!(text.contains(said), "`{said}` is not in:\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "no colours in a pipe");

    // The same document on a narrow terminal: everything in 70 columns.
    let test = "root_own_numbers_and_what_is_run_around_them";
    if has_tool(test, "script", "bsdutils") {
        let show = format!(
            "stty cols 70 rows 40; NO_COLOR=1 {} report {}",
            env!("CARGO_BIN_EXE_modeswitch"),
            saved.display()
        );
        let shown = Command::new("script")
            .args(["-qec", &show, "/dev/null"])
            .stdin(Stdio::null())
            .output()
            .expect("a terminal");
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(shown.contains("IOPS rose from"), "{shown}");
        for line in shown.lines() {
            for cell in line.split('|').filter(|cell| cell.contains('…')) {
                let rest = cell.trim().trim_start_matches('…');
                let is_number = rest.starts_with(|letter: char| letter.is_ascii_digit());
                assert!(!is_number, "a number is cut, not a name: {shown}");
            }
            let columns = line.trim_end().chars().count();
            assert!(columns <= 70, "{columns} columns: {line}");
        }
    }
}

/// What fio has written, wherever it was started from, is understood: it is
/// told to make 256 reads.
#[test]
fn root_numbers_of_a_hidden_fio() {
    needs_root!("root_numbers_of_a_hidden_fio");
    if !has_tool("root_numbers_of_a_hidden_fio", "fio", "fio") {
        return;
    }
    let (folder, numbers) = file("fio.json");
    let metrics = format!("fio:{}", numbers.display());
    let script = format!(
        "cd {} && fio --name=a --filename=data --size=1M --bs=4k --rw=randread \
         --ioengine=psync --output-format=json --output={}",
        folder.path().display(),
        numbers.display()
    );
    fs::write(folder.path().join("data"), vec![1; 1 << 20]).expect("written");
    let options = ["--metrics", metrics.as_str(), "--fix", "none"];
    let found = from_output(&experiment(&options, &script)).0;
    for variant in [0, 1] {
        let profile = &found["variants"][variant]["profiles"][0];
        assert_eq!(profile["io"]["ios"], 256, "{}", profile["io"]);
    }
    // Numbers that are not there are no zeros.
    let output = experiment(&options, "true");
    assert_fails(&output, 2, &["fio:FILE"]);
}

/// Interrupted in the middle, an experiment puts the setting back and reports
/// the runs that had come to their end.
#[test]
fn root_an_interrupted_experiment_tells_what_it_has() {
    needs_root!("root_an_interrupted_experiment_tells_what_it_has");
    let setting = Path::new("/proc/sys/vm/overcommit_kbytes");
    let value = || fs::read_to_string(setting).expect("readable");
    if value().trim() != "0" {
        return;
    }
    let (_folder, mark) = file("mark");
    let script = format!(
        "read x < {}; [ $x = 0 ] || {{ echo > {}; exec sleep 60; }}",
        setting.display(),
        mark.display()
    );
    let mut command = measuring("experiment");
    // Zero and a page more are the same to the kernel while its mode is not 2.
    command.args(["--fix", "sysctl:vm.overcommit_kbytes=4"]);
    command.args(["--format", "json", "--", "sh", "-c", &script]);
    let running = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    while !mark.exists() {
        std::thread::yield_now();
    }
    let pid = Pid::from_raw(i32::try_from(running.id()).expect("a pid"));
    kill(pid, Signal::SIGINT).expect("it still runs");
    let output = running.wait_with_output().expect("it ends");
    assert_eq!(value().trim(), "0", "{}", stderr(&output));
    let found = from_output(&output).0;
    assert_eq!(found["interrupted"]["by"], "SIGINT");
    assert_eq!(found["interrupted"]["runs"], 1);
    let runs = |variant: usize| {
        let profiles: &Value = &found["variants"][variant]["profiles"];
        profiles.as_array().map(Vec::len)
    };
    assert_eq!([runs(0), runs(1)], [Some(1), Some(0)]);
    let conclusion = found["conclusion"].as_str().expect("words");
    assert!(conclusion.contains("nothing can be told"), "{conclusion}");
}

/// A variant that fails is named with how it ended and what it said; a run that
/// is prepared wrongly is none.
#[test]
fn root_a_variant_that_fails_is_named() {
    needs_root!("root_a_variant_that_fails_is_named");
    let pair = |after: &str| {
        let mut run = measuring("experiment");
        run.args(["--before", "true", "--after", after]);
        run.output().expect("the binary starts")
    };
    let output = pair("echo no disk >&2; exit 7");
    assert_fails(&output, 5, &["`after`", "status 7", "no disk"]);
    assert_fails(&pair("kill -9 $$"), 5, &["`after`", "signal 9"]);
    let output = experiment(&["--fix", "none", "--prepare", "exit 3"], "true");
    assert_fails(&output, 5, &["--prepare", "exit status: 3"]);
}

/// What cannot be had is refused before anything runs, with its own status.
#[test]
fn root_impossible_variants_are_refused() {
    needs_root!("root_impossible_variants_are_refused");
    let (_folder, mark) = file("mark");
    let cases: [(&[&str], i32, &str); 8] = [
        (&["--fix", "prefetch"], 2, "no-numa-balancing"),
        (&["--fix", "thp:1"], 2, "takes no value"),
        (&["--fix", "bind-numa:63"], 2, "no NUMA node 63"),
        (&["--fix", "pin:4000"], 2, "CPU 4000"),
        (&["--fix", "sysctl:no.such=1"], 2, "no setting"),
        (&["--fix", "none", "--fix", "none"], 2, "two variants"),
        (&[], 2, "two variants at least"),
        (
            &["--fix", "sysctl:kernel.osrelease=1"],
            3,
            "kernel/osrelease",
        ),
    ];
    for (options, status, word) in cases {
        let mut run = modeswitch();
        run.args(["experiment", "--runs", "1"]).args(options);
        run.args(["--", "sh", "-c", &format!("echo >> {}", mark.display())]);
        let output = run.output().expect("the binary starts");
        assert_fails(&output, status, &[word]);
        // The last one's first variant may have run.
        assert!(status == 3 || !mark.exists(), "{options:?}");
    }
    let nobody = Command::new("setpriv")
        .args(["--reuid=65534", "--clear-groups", "--inh-caps=-all", "cat"])
        .arg(env!("CARGO_BIN_EXE_modeswitch"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if nobody.is_ok_and(|status| status.success()) {
        let output = Command::new("setpriv")
            .args(["--reuid=65534", "--clear-groups", "--inh-caps=-all"])
            .arg(env!("CARGO_BIN_EXE_modeswitch"))
            .args(["experiment", "--fix", "prefault", "--", "true"])
            .output()
            .expect("it starts");
        assert_fails(&output, 3, &["CAP_BPF", "sudo"]);
    }
}

/// Page faults in steady state of each variant's runs.
fn steady_faults(experiment: &Value) -> Vec<(String, u64)> {
    let variants = experiment["variants"].as_array().expect("a list").iter();
    let runs = variants.flat_map(|variant| {
        let profiles = variant["profiles"].as_array().expect("a list").iter();
        let faults = profiles.map(|profile| {
            let rows = profile["ledger"]["by_cause"].as_array().expect("a list");
            rows.iter()
                .filter(|row| row["cause"] == "page_fault")
                .filter_map(|row| row["phases"]["steady"].as_u64())
                .sum()
        });
        faults.map(|faults| (variant["name"].as_str().expect("a name").to_owned(), faults))
    });
    runs.collect()
}

/// The classic question: page faults in steady state are gone from what is
/// populated beforehand, private or shared; sharing alone does not do it. The
/// sentence says so.
#[test]
fn root_the_classic_question() {
    needs_root!("root_the_classic_question");
    let (_folder, saved) = file("experiment.json");
    let kinds = "malloc,private-populate,shared,shared-populate";
    let mut experiment = measuring("experiment");
    experiment.args(["--bitmap", kinds, "--duration", "100ms", "--save"]);
    experiment.arg(&saved).args(["--", "--size", "1G"]);
    let output = experiment.output().expect("the binary starts");
    assert!(output.status.success(), "{}", stderr(&output));
    let found = from_file(&saved).0;
    for (name, faults) in steady_faults(&found) {
        assert_eq!(faults == 0, name.ends_with("populate"), "{name}: {faults}");
    }
    let conclusion = found["conclusion"].as_str().expect("words");
    for name in ["private-populate", "shared-populate"] {
        let mut parts = conclusion.split(name).skip(1);
        let said = parts.next().expect("it is told").split(';').next();
        let said = said.expect("words");
        let is_told = said.contains("Page faults (first_touch") && said.contains(" to 0 per run");
        assert!(is_told, "{name}{said}\n{conclusion}");
    }
}

/// The other kinds. Where there are no huge pages, that is said.
#[test]
fn root_other_kinds_of_bitmap() {
    needs_root!("root_other_kinds_of_bitmap");
    let mut experiment = measuring("experiment");
    experiment.args(["--bitmap", "lazy,prefault,huge", "--runs", "1"]);
    experiment.args([
        "--duration",
        "100ms",
        "--format",
        "json",
        "--",
        "--size",
        "1G",
    ]);
    let found = from_output(&experiment.output().expect("the binary starts")).0;
    for (name, faults) in steady_faults(&found) {
        assert_eq!(faults == 0, name != "lazy", "{name}: {faults}");
    }
    // The bitmap of a GiB of blocks is 256 KiB, far from a huge page.
    let notes = &found["variants"][2]["profiles"][0]["io"]["notes"];
    assert!(notes.to_string().contains("no huge pages"), "{notes}");
}
