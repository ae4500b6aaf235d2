//! Which machines the tests run on, and with which backends.

use anyhow::{Result, bail};

use super::guest::Machine;
use super::kernels::Wanted;

/// All that `modeswitch run --backend` takes.
const BACKENDS: [&str; 7] = [
    "auto",
    "tracepoint",
    "fentry",
    "fentry-prepare",
    "kprobe",
    "kprobe-fpregs",
    "audit",
];
/// Beside `auto`, the backends of kernels since 6.8.
const NEWER_BACKENDS: [&str; 3] = ["tracepoint", "kprobe", "audit"];
/// Up to 6.7 there is another function to hook.
const OLDER_BACKENDS: [&str; 4] = ["tracepoint", "kprobe", "audit", "fentry-prepare"];
/// Modules of the suite with programs of known counts.
const KNOWN_COUNTS: &[&str] = &["root_counts", "root_causes", "root_interrupts"];

/// These, and what else stands or falls with the kernel rather than with our code.
const OF_THE_KERNEL: &[&str] = &[
    "root_advice",
    "root_causes",
    "root_classic",
    "root_counts",
    "root_faults",
    "root_interruption",
    "root_interrupts",
    "root_lives",
    "root_losses",
    "root_memory",
    "root_perf",
    "root_polled",
    "root_polling",
];

/// The tests, once for one backend.
#[derive(Debug, Clone)]
pub(super) struct Round {
    pub(super) backend: String,
    /// Only tests in these modules; empty stands for all.
    pub(super) modules: &'static [&'static str],
}

/// One kind of machine.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    /// Empty for the plain machine.
    pub(super) name: &'static str,
    pub(super) kernels: Vec<Wanted>,
    pub(super) machine: Machine,
    pub(super) rounds: Vec<Round>,
}

/// The rounds that a list of backends such as `auto,kprobe` stands for.
pub(super) fn rounds(backends: &str) -> Result<Vec<Round>> {
    let names: Vec<&str> = match backends {
        // The other hooks are not on every kernel.
        "all" => vec!["tracepoint", "fentry", "kprobe", "audit"],
        list => list.split(',').map(str::trim).collect(),
    };
    names
        .into_iter()
        .map(|name| {
            if !BACKENDS.contains(&name) {
                bail!("no backend `{name}`: there are {}", BACKENDS.join(", "));
            }
            Ok(round(name, &[]))
        })
        .collect()
}

fn round(backend: &str, modules: &'static [&'static str]) -> Round {
    Round {
        backend: backend.to_owned(),
        modules,
    }
}

fn scenario(
    name: &'static str,
    kernels: &str,
    machine: Machine,
    rounds: Vec<Round>,
) -> Result<Scenario> {
    Ok(Scenario {
        name,
        kernels: Wanted::list(kernels)?,
        machine,
        rounds,
    })
}

/// The rounds of a kernel: `auto` with the tests in some modules, the backends with those
/// of known counts. fentry is what these kernels' `auto` is.
fn rounds_of(auto: &'static [&'static str], backends: &[&str]) -> Vec<Round> {
    let known = backends.iter().map(|backend| round(backend, KNOWN_COUNTS));
    std::iter::once(round("auto", auto)).chain(known).collect()
}

/// The known counts alone, with each backend on each promised kernel, so many times.
pub(super) fn known(plain: &Machine, times: usize) -> Result<Vec<Scenario>> {
    let older = rounds_of(KNOWN_COUNTS, &OLDER_BACKENDS);
    let newer = rounds_of(KNOWN_COUNTS, &NEWER_BACKENDS);
    let once = [
        scenario("", "5.10,6.1", plain.clone(), older)?,
        scenario("", "6.12,newest", plain.clone(), newer)?,
    ];
    Ok(vec![once; times].concat())
}

/// What has to hold before a change goes in. `plain` is the usual machine.
pub(super) fn all(plain: &Machine) -> Result<Vec<Scenario>> {
    let with = |cpus, arguments: &str| Machine {
        cpus,
        append: format!("{} {arguments}", plain.append),
        ..plain.clone()
    };
    let rounds = |backends| rounds_of(OF_THE_KERNEL, backends);
    let losses = |backend| round(backend, &["root_losses", "root_lives"]);
    let flat = |backend| round(backend, &["root_flatline"]);
    Ok(vec![
        scenario("", "5.10,6.1", plain.clone(), rounds(&OLDER_BACKENDS))?,
        // Its neighbours have the rounds with kprobes and with the audit.
        scenario("", "6.12", plain.clone(), rounds(&["tracepoint"]))?,
        scenario("", "newest", plain.clone(), rounds(&NEWER_BACKENDS))?,
        scenario(
            "preempt=full, x32 calls",
            "6.1,newest",
            with(plain.cpus, "preempt=full syscall.x32=y"),
            vec![losses("auto"), losses("tracepoint")],
        )?,
        scenario(
            "no poll queues",
            "5.10",
            with(plain.cpus, "lab.poll_queues=0"),
            // Whether a program can be stopped and changed has nothing to do with the
            // drive: this kernel is booted anyway. CI's own is a new one.
            vec![round("auto", &["root_fallback", "root_injection"])],
        )?,
        scenario(
            "no poll queues",
            "newest",
            with(plain.cpus, "lab.poll_queues=0"),
            vec![round("auto", &["root_fallback"])],
        )?,
        scenario(
            "two NUMA nodes",
            "6.1,newest",
            Machine {
                numa: true,
                cpus: 4,
                ..plain.clone()
            },
            vec![
                round("auto", &["root_numa", "root_fixes_reach_the_command"]),
                round("tracepoint", &["root_numa"]),
            ],
        )?,
        scenario(
            "nohz_full",
            "6.1",
            with(
                4,
                "isolcpus=nohz,domain,managed_irq,2,3 nohz_full=2,3 rcu_nocbs=2,3",
            ),
            vec![flat("auto"), flat("tracepoint")],
        )?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backends_are_read_and_nonsense_is_refused() {
        assert_eq!(rounds("all").unwrap().len(), 4);
        let names: Vec<String> = rounds("kprobe, auto")
            .unwrap()
            .into_iter()
            .map(|round| round.backend)
            .collect();
        assert_eq!(names, ["kprobe", "auto"]);
        assert!(rounds("kprobe,").is_err());
    }
}
