//! Pages balanced between NUMA nodes: told from lazy allocation, and compared with
//! what the kernel has counted of the whole machine. The lab has such a machine.

use std::{
    fs,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    needs_root,
    support::{
        command,
        known::{assert_known_of, assert_within, cannot_be_known},
        profile::{Json, faults, from_output},
        setting::{HUGE_PAGES, Settings},
        skip::{has_tool, skip_here},
    },
};

const BALANCING: &str = "/proc/sys/kernel/numa_balancing";
/// How long after its start a thread's memory is first looked at, and how often: at
/// least that often, since the kernel looks more rarely, up to once a minute, at a
/// program whose pages are where they should be.
const PACE: [&str; 3] = ["scan_delay_ms", "scan_period_min_ms", "scan_period_max_ms"];

/// NUMA balancing on or off, at a pace that a test can wait for.
///
/// # Errors
/// Why it cannot be had here.
fn balancing(on: bool) -> Result<Settings, String> {
    if modeswitch::kernel::numa::nodes() < 2 {
        return Err("this machine has one NUMA node".to_owned());
    }
    let mut settings = Settings::default();
    settings
        .set(BALANCING, if on { "1" } else { "0" })
        .map_err(|error| format!("{BALANCING}: {error}"))?;
    for name in PACE {
        let path = format!("/sys/kernel/debug/sched/numa_balancing/{name}");
        if let Err(error) = settings.set(&path, "100") {
            // It takes longer then.
            println!("{path}: {error}");
        }
    }
    // One of these pages would have one hint for 512.
    if let Err(error) = settings.set(HUGE_PAGES, "madvise") {
        println!("{HUGE_PAGES}: {error}");
    }
    Ok(settings)
}

/// Pages of fio's map of blocks read, a bit for each: few enough that even a slow
/// machine reads each page's blocks many times over.
const MAP_PAGES: u64 = (8 << 30) / 512 / 8 / 4096;

const DEVICE: &str = "/dev/nullb0";

/// What fio is told to do: to poll.
const POLLING: [&str; 12] = [
    "--name=poll",
    "--output=/dev/null",
    "--readonly",
    "--size=8G",
    "--rw=randread",
    "--bs=512",
    "--direct=1",
    "--ioengine=io_uring",
    "--sqthread_poll=1",
    "--hipri=1",
    "--iodepth=16",
    "--thread",
];

/// Unmodified fio, polling for so many seconds.
fn fio(seconds: &str) -> Json {
    let mut measuring = command::measuring("run");
    measuring.args(["--format", "json", "--", "fio"]);
    measuring.arg(format!("--filename={DEVICE}")).args(POLLING);
    measuring.args(["--time_based", &format!("--runtime={seconds}")]);
    from_output(&measuring.output().expect("the binary starts"))
}

/// The same, until the kernel has taken so many pages away and seen them used again:
/// how long that takes is the kernel's affair, and on a busy machine more so.
fn fio_until_hints(hints: u64) -> Json {
    let before = machines_hints();
    let folder = TempDir::new().expect("a folder");
    let pid_file = folder.path().join("pid");
    // fio that was told to end has a status of its own.
    let script =
        r#"pid=$1; shift; fio "$@" & echo $! >"$pid.new"; mv "$pid.new" "$pid"; wait; exit 0"#;
    let mut measuring = command::measuring("run");
    measuring.args(["--format", "json", "--", "sh", "-c", script, "sh"]);
    measuring.arg(&pid_file);
    measuring.arg(format!("--filename={DEVICE}")).args(POLLING);
    measuring.args(["--time_based", "--runtime=120"]);
    let running = measuring
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let ends = Instant::now() + Duration::from_secs(100);
    while machines_hints() - before < hints && Instant::now() < ends {
        thread::sleep(Duration::from_millis(200));
    }
    let pid = fs::read_to_string(&pid_file).expect("fio was started");
    let pid = Pid::from_raw(pid.trim().parse().expect("a number"));
    kill(pid, Signal::SIGTERM).expect("fio takes the signal");
    from_output(&running.wait_with_output().expect("it ends"))
}

/// NUMA-hint faults on the whole machine since it started.
fn machines_hints() -> u64 {
    let text = fs::read_to_string("/proc/vmstat").expect("the machine's counters");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("numa_hint_faults "));
    line.expect("a kernel with NUMA balancing")
        .parse()
        .expect("a number")
}

/// The mapping of fio's map of blocks, which it makes in `axmap_new`.
#[track_caller]
fn block_map(profile: &Json) -> Value {
    let rows = profile.0["memory"]["by_mapping"].as_array();
    let mut rows: Vec<&Value> = rows.expect("a list").iter().collect();
    rows.retain(|row| {
        let site = row["allocated_at"].as_str().unwrap_or_default();
        site.starts_with("axmap_new") && site.contains("malloc")
    });
    // Each level of it has a mapping of its own.
    rows.sort_by_key(|row| row["bytes"].as_u64());
    let makers: Vec<&Value> = profile.0["memory"]["by_mapping"]
        .as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .map(|row| &row["allocated_at"])
        .take(8)
        .collect();
    assert!(!rows.is_empty(), "the map is not among {makers:?}");
    rows.last().map_or(Value::Null, |row| (*row).clone())
}

fn advice(profile: &Json) -> Vec<(String, String)> {
    let list = profile.0["advice"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list.map(|piece| (text(&piece["finding"]), text(&piece["fix"])))
        .collect()
}

/// A comparison with the kernel's count, by where that comes from.
fn check<'a>(profile: &'a Json, source: &str) -> Option<&'a Value> {
    let checks = profile.0["accounting"]["cross_checks"].as_array();
    let mut checks = checks.expect("a list").iter();
    checks.find(|check| check["source"] == source)
}

/// Asserts that our count is the kernel's, where the kernel can be asked, and that
/// of what the whole machine had, next to nothing is nobody's.
#[track_caller]
fn assert_explained(profile: &Json, name: &str, threads: u64) {
    let machine = check(profile, "/proc/vmstat numa_hint_faults");
    let machine = machine.expect("the machine's own count is there");
    let number = |check: &Value, field: &str| check[field].as_u64().expect("a count");
    let of_machine = format!("{name}: the machine's");
    println!("{machine}");
    match check(profile, "task_numa_fault") {
        Some(target) => {
            let (ours, theirs) = (number(target, "ours"), number(target, "theirs"));
            if threads == 1 {
                assert_known_of("page_fault", profile, name, theirs, ours);
            } else {
                // Two threads may meet one hint.
                assert_within(name, theirs, theirs + theirs / 100, ours);
            }
            // What happened between looking at the counter and opening the window: the
            // longer that takes, the more. The target's own are told to the unit above.
            let (seen, all) = (number(machine, "ours"), number(machine, "theirs"));
            let meanwhile = (all / 100).max(8);
            assert!(seen <= all && all - seen <= meanwhile, "{machine}");
            assert_eq!(machine["verdict"], "consistent");
        }
        None => cannot_be_known(&of_machine, "no fentry on task_numa_fault"),
    }
}

/// The page faults of fio's polling thread are the balancer's doing: several on each
/// page of a map that it filled before the first I/O. It is told to stay on a node,
/// and not to populate what is there.
#[test]
fn root_numa_hints_of_fio() {
    needs_root!("root_numa_hints_of_fio");
    let test = "root_numa_hints_of_fio";
    if !has_tool(test, "fio", "fio") {
        return;
    }
    let balancing = match balancing(true) {
        Ok(balancing) => balancing,
        Err(reason) => return skip_here(test, &reason),
    };
    let profile = fio_until_hints(8 * MAP_PAGES);
    drop(balancing);
    profile.assert_accounted();
    let map = block_map(&profile);
    let hints = map["by_kind"]["numa_hint"].as_u64().unwrap_or(0);
    let pages = map["distinct_pages"].as_u64().expect("a count");
    assert!(pages >= MAP_PAGES, "{map}");
    assert!(hints > pages, "{map}");
    assert!(map["faults_per_page"].as_f64() > Some(2.0), "{map}");
    assert!(
        map["by_kind"]["first_touch"].as_u64() <= Some(pages),
        "{map}"
    );
    assert_explained(&profile, "NUMA hints, fio", 3);
    let advice = advice(&profile);
    assert!(advice[0].0.starts_with("NUMA balancing"), "{advice:?}");
    assert!(advice[0].1.contains("kernel.numa_balancing"), "{advice:?}");
    for (_, fix) in &advice {
        assert!(!fix.contains("MADV_POPULATE_WRITE"), "{advice:?}");
    }
}

/// Without balancing, the same map has one fault a page.
#[test]
fn root_numa_balancing_switched_off() {
    needs_root!("root_numa_balancing_switched_off");
    let test = "root_numa_balancing_switched_off";
    if !has_tool(test, "fio", "fio") {
        return;
    }
    let balancing = match balancing(false) {
        Ok(balancing) => balancing,
        Err(reason) => return skip_here(test, &reason),
    };
    let profile = fio("2");
    drop(balancing);
    profile.assert_accounted();
    let map = block_map(&profile);
    assert_eq!(map["faults_per_page"].as_f64(), Some(1.0), "{map}");
    assert_eq!(profile.count("page_fault", "numa_hint"), 0);
    assert!(check(&profile, "/proc/vmstat numa_hint_faults").is_none());
    let advice = advice(&profile);
    let is_numa = |(finding, _): &(String, String)| finding.contains("NUMA");
    assert!(!advice.iter().any(is_numa), "{advice:?}");
}

/// One thread that walks over its memory: each hint is one fault, and the kernel has
/// counted as many.
#[test]
fn root_numa_hints_to_the_unit() {
    needs_root!("root_numa_hints_to_the_unit");
    let balancing = match balancing(true) {
        Ok(balancing) => balancing,
        Err(reason) => return skip_here("root_numa_hints_to_the_unit", &reason),
    };
    let profile = faults(&[], &["walk", "3"]);
    drop(balancing);
    profile.assert_accounted();
    let hints = profile.count_in("page_fault", "numa_hint", "steady");
    assert!(hints >= 8192, "{hints} on 8,192 pages");
    assert_explained(&profile, "NUMA hints, one thread", 1);
}

/// Lazy allocation is called lazy allocation, also where pages are balanced.
#[test]
fn root_numa_and_lazy_allocation() {
    needs_root!("root_numa_and_lazy_allocation");
    let test = "root_numa_and_lazy_allocation";
    let balancing = match balancing(true) {
        Ok(balancing) => balancing,
        Err(reason) => return skip_here(test, &reason),
    };
    let mut measuring = command::measuring("run");
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("lazy.json");
    let own = env!("CARGO_BIN_EXE_modeswitch");
    measuring
        .arg("--save")
        .arg(&file)
        .args(["--", own, "workload"]);
    measuring.args(["--file", DEVICE, "--size", "32G", "--bitmap", "malloc"]);
    let output = measuring.args(["--ios", "4000"]).output();
    let output = output.expect("the binary starts");
    drop(balancing);
    assert!(output.status.success(), "{}", command::stderr(&output));
    let profile = crate::support::profile::from_file(&file);
    let touches = profile.count_in("page_fault", "first_touch", "steady");
    let hints = profile.count_in("page_fault", "numa_hint", "steady");
    assert!(touches > 1000 && hints < touches / 4, "{touches}, {hints}");
    let advice = advice(&profile);
    assert!(advice[0].0.contains("first time"), "{advice:?}");
    assert!(advice[0].1.contains("MADV_POPULATE_WRITE"), "{advice:?}");
}
