//! Where it was measured, how, and how to do it again.

use crate::{
    cpu_list,
    profile::model::Profile,
    report::{
        shell,
        view::{Block, Fact, Section, Tone},
    },
};

/// Characters of a command shown.
const COMMAND: usize = 4_000;

/// The section.
pub(super) fn section(profile: &Profile) -> Section {
    let note = "Put together from the document. It does not record the folder, the environment and the standard input of the command.";
    let blocks = vec![
        Block::Facts(host(profile)),
        Block::prose(Tone::Plain, "To measure it again:"),
        Block::Command(again(profile)),
        Block::prose(Tone::Faint, note),
    ];
    Section::full("host", "Host and command", blocks)
}

/// Facts about the machine and the measurement.
#[must_use]
pub(crate) fn host(profile: &Profile) -> Vec<Fact> {
    let (host, target, backend) = (&profile.host, &profile.target, &profile.backend);
    let unknown = || "unknown: the kernel does not say".to_owned();
    let mut facts = vec![
        Fact::new("measured", &profile.window.start),
        Fact::new("kernel", format!("{} {}", host.kernel, host.arch)),
        Fact::new(
            "CPUs",
            format!("{}, {} NUMA nodes", host.cpus, host.numa_nodes),
        ),
        Fact::new(
            "clock source",
            host.clocksource.clone().unwrap_or_else(unknown),
        ),
        Fact::new(
            "preemption",
            host.preemption.clone().unwrap_or_else(unknown),
        ),
        Fact::new("kernel command line", &host.cmdline),
        Fact::new("backend", format!("{} ({})", backend.name, backend.reason)),
        Fact::new("stacks", backend.stacks.to_string()),
    ];
    if let Some(probe) = &backend.probe {
        facts.push(Fact::new("exit probe", probe));
    }
    if let Some(pid) = target.pid {
        facts.push(Fact::new("process", pid.to_string()));
    }
    if let Some(cpus) = &target.cpus {
        facts.push(Fact::new("target's CPUs", cpu_list::format(cpus)));
    }
    if let Some(user) = &target.user {
        facts.push(Fact::new("user", user));
    }
    if let Some(found) = &profile.prefault {
        let locked = found.locked.join(", ");
        facts.push(Fact::new("memory locked from outside", locked));
        let changed = found.changed.iter();
        facts.extend(changed.map(|what| Fact::new("changed for it", what)));
        let refused = found.refused.iter();
        facts.extend(refused.map(|why| Fact::new("refused", why)));
    }
    let tool = &profile.tool;
    let tool = format!("{} {} ({})", tool.name, tool.version, tool.git);
    facts.push(Fact::new("written by", tool));
    facts
}

/// The command that would measure the same again.
fn again(profile: &Profile) -> String {
    let target = &profile.target;
    let cpus = target.cpus.as_deref().map(cpu_list::format);
    let mut words: Vec<String> = vec!["modeswitch".to_owned()];
    let mut add = |list: &[&str]| words.extend(list.iter().map(|&word| word.to_owned()));
    match (&target.command[..], target.pid, &cpus) {
        ([], Some(pid), _) => add(&["attach", &pid.to_string()]),
        ([], None, Some(cpus)) => add(&["cpu", cpus]),
        ([], None, None) => add(&["run"]),
        ([..], _, cpus) => {
            add(&["run"]);
            if let Some(cpus) = cpus {
                add(&["--cpu", cpus]);
            }
        }
    }
    if !profile.backend.name.is_empty() {
        add(&["--backend", &profile.backend.name]);
    }
    if !profile.backend.stacks.is_empty() {
        add(&["--stacks", &profile.backend.stacks]);
    }
    let extras = [
        (profile.polling.is_some(), "--io-uring"),
        (profile.senders.is_some(), "--senders"),
        (profile.disturbance.is_some(), "--disturbance"),
    ];
    extras
        .iter()
        .filter(|(is_on, _)| *is_on)
        .for_each(|(_, name)| add(&[name]));
    if let Some(timeline) = &profile.timeline {
        add(&[&format!("--timeline={}us", timeline.interval_ns / 1_000)]);
    }
    if let Some(user) = &target.user {
        add(&[&format!("--user={user}")]);
    }
    if !target.command.is_empty() {
        add(&["--"]);
        words.extend(target.command.iter().cloned());
    }
    bounded(&shell::line(&words))
}

/// A command line, cut if it is enormous.
#[must_use]
pub(crate) fn bounded(line: &str) -> String {
    if line.chars().count() <= COMMAND {
        return line.to_owned();
    }
    let begin: String = line.chars().take(COMMAND).collect();
    format!("{begin} … (the whole of it is in the document: target.command)")
}
