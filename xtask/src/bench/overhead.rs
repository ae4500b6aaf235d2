//! What counting one system call costs, beside other ways to do it.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{getppid::Loop, tools};

/// How long a contestant is given to attach before the loop runs.
const SETTLING: Duration = Duration::from_millis(1500);

/// Ours may cost at most this much of an empty program.
const MOST_OF_FLOOR: f64 = 1.5;
/// And this much less than bpftrace's kernel stacks.
const LEAST_BELOW_STACKS: f64 = 10.0;

/// One way to count, and what the loop took under it in each round.
struct Contestant {
    name: &'static str,
    kind: Kind,
    nanoseconds: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nothing,
    Floor,
    Modeswitch(&'static str),
    Perf,
    Bpftrace(&'static str),
}

/// Everybody, the reference first.
const FIELD: [(&str, Kind); 10] = [
    ("no probe", Kind::Nothing),
    ("empty program, raw sys_exit (floor)", Kind::Floor),
    ("modeswitch", Kind::Modeswitch("off")),
    ("modeswitch --stacks sample", Kind::Modeswitch("sample")),
    ("modeswitch --stacks user", Kind::Modeswitch("user")),
    ("modeswitch --stacks all", Kind::Modeswitch("all")),
    ("perf stat -e raw_syscalls:sys_enter", Kind::Perf),
    ("bpftrace @ = count()", Kind::Bpftrace("@ = count();")),
    ("bpftrace @[ustack] = count()", USER_STACKS),
    ("bpftrace @[kstack] = count()", KERNEL_STACKS),
];

const USER_STACKS: Kind = Kind::Bpftrace("@[ustack] = count();");
const KERNEL_STACKS: Kind = Kind::Bpftrace("@[kstack] = count();");

/// Runs everybody in turn and prints the table. What targets were missed.
pub(super) fn run(modeswitch: &Path, cpu: usize, rounds: u32) -> Result<Vec<String>> {
    let mut field: Vec<Contestant> = FIELD
        .into_iter()
        .filter(|(name, kind)| {
            let there = is_there(*kind);
            if !there {
                println!("left out: {name}: the program is not installed");
            }
            there
        })
        .map(|(name, kind)| Contestant {
            name,
            kind,
            nanoseconds: Vec::new(),
        })
        .collect();
    let mut target = Loop::start(cpu)?;
    for _ in 0..rounds {
        for contestant in &mut field {
            let nanoseconds = measure(contestant.kind, modeswitch, &mut target)
                .with_context(|| format!("measuring \"{}\"", contestant.name))?;
            contestant.nanoseconds.push(nanoseconds);
        }
    }
    print(&field, cpu, rounds);
    Ok(judge(&field))
}

fn is_there(kind: Kind) -> bool {
    match kind {
        Kind::Perf => tools::is_there("perf"),
        Kind::Bpftrace(_) => tools::is_there("bpftrace"),
        Kind::Nothing | Kind::Floor | Kind::Modeswitch(_) => true,
    }
}

/// Nanoseconds per system call under one way to count.
fn measure(kind: Kind, modeswitch: &Path, target: &mut Loop) -> Result<f64> {
    let pid = target.pid().to_string();
    let mut command = match kind {
        Kind::Nothing => return target.run(),
        Kind::Floor => {
            let _held = tools::attach_floor()?;
            std::thread::sleep(SETTLING);
            return target.run();
        }
        Kind::Modeswitch(stacks) => {
            let mut command = Command::new(modeswitch);
            command.args([
                "attach",
                "--backend",
                "tracepoint",
                "--stacks",
                stacks,
                &pid,
            ]);
            command
        }
        Kind::Perf => {
            let mut command = Command::new("perf");
            command.args(["stat", "-e", "raw_syscalls:sys_enter", "-p", &pid]);
            command
        }
        Kind::Bpftrace(action) => {
            let probe = "tracepoint:raw_syscalls:sys_enter";
            let mut command = Command::new("bpftrace");
            command.args(["-e", &format!("{probe} /pid == {pid}/ {{ {action} }}")]);
            command
        }
    };
    let mut counting = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run {command:?}"))?;
    std::thread::sleep(SETTLING);
    if let Some(status) = counting.try_wait()? {
        bail!("{command:?} ended by itself: {status}");
    }
    let nanoseconds = target.run();
    kill(Pid::from_raw(i32::try_from(counting.id())?), Signal::SIGINT)?;
    counting.wait()?;
    nanoseconds
}

/// What a contestant adds to a call, in each round.
fn added(contestant: &Contestant, reference: &Contestant) -> Vec<f64> {
    let rounds = contestant.nanoseconds.iter().zip(&reference.nanoseconds);
    rounds.map(|(with, without)| with - without).collect()
}

fn print(field: &[Contestant], cpu: usize, rounds: u32) {
    println!("\nwhat counting a system call costs (CPU {cpu}, {rounds} rounds in turn)");
    println!(
        "{:38} {:>9} {:>9}  {:>19}  {:>7}",
        "", "ns/call", "added", "range of added", "× floor"
    );
    let Some(reference) = field.first() else {
        return;
    };
    let floor = median_added(field, Kind::Floor).unwrap_or(f64::NAN);
    for contestant in field {
        let added = added(contestant, reference);
        let (least, most) = tools::range(&added);
        let median = tools::median(&added);
        println!(
            "{:38} {:9.1} {median:9.1}  {:>19}  {:7.2}",
            contestant.name,
            tools::median(&contestant.nanoseconds),
            format!("{least:.1} to {most:.1}"),
            median / floor
        );
    }
}

/// The median of what one kind adds.
fn median_added(field: &[Contestant], kind: Kind) -> Option<f64> {
    let reference = field.first()?;
    let contestant = field.iter().find(|contestant| contestant.kind == kind)?;
    Some(tools::median(&added(contestant, reference)))
}

/// What targets were missed.
fn judge(field: &[Contestant]) -> Vec<String> {
    let mut missed = Vec::new();
    let ours = median_added(field, Kind::Modeswitch("off")).unwrap_or(f64::NAN);
    let mut check = |name: &str, holds: bool| {
        println!("{} {name}", if holds { "ok    " } else { "MISSED" });
        if !holds {
            missed.push(name.to_owned());
        }
    };
    if let Some(floor) = median_added(field, Kind::Floor) {
        let name = format!("modeswitch adds at most {MOST_OF_FLOOR} × an empty program");
        check(&name, ours <= MOST_OF_FLOOR * floor);
    }
    if let Some(stacks) = median_added(field, KERNEL_STACKS) {
        let name = format!("modeswitch adds {LEAST_BELOW_STACKS} × less than kernel stacks");
        check(&name, ours * LEAST_BELOW_STACKS <= stacks);
    }
    if let Some(theirs) = median_added(field, USER_STACKS)
        && let Some(ours) = median_added(field, Kind::Modeswitch("user"))
    {
        check(
            "modeswitch's user stacks add less than bpftrace's",
            ours < theirs,
        );
    }
    missed
}
