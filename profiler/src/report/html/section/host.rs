//! Where it was measured, how, and how to do it again.

use maud::{Markup, html};

use crate::{
    cpu_list,
    profile::model::Profile,
    report::html::{page::Section, shell, table::facts},
};

/// Characters of a command shown.
const COMMAND: usize = 4_000;

/// The section.
#[must_use]
pub fn section(profile: &Profile) -> Section {
    let body = html! {
        (facts(host(profile)))
        h3 { "Again" }
        pre { code { (again(profile)) } }
        p.note {
            "Put together from the document. It does not record the folder, the environment and the standard input of the command."
        }
    };
    Section::new("host", "Host and command", body)
}

/// Facts about the machine and the measurement.
#[must_use]
pub fn host(profile: &Profile) -> Vec<(&'static str, String)> {
    let (host, target, backend) = (&profile.host, &profile.target, &profile.backend);
    let unknown = || "unknown: the kernel does not say".to_owned();
    let mut rows = vec![
        ("measured", profile.window.start.clone()),
        ("kernel", format!("{} {}", host.kernel, host.arch)),
        (
            "CPUs",
            format!("{}, {} NUMA nodes", host.cpus, host.numa_nodes),
        ),
        (
            "clock source",
            host.clocksource.clone().unwrap_or_else(unknown),
        ),
        (
            "preemption",
            host.preemption.clone().unwrap_or_else(unknown),
        ),
        ("kernel command line", host.cmdline.clone()),
        ("backend", format!("{} ({})", backend.name, backend.reason)),
        ("stacks", backend.stacks.to_string()),
    ];
    if let Some(probe) = &backend.probe {
        rows.push(("exit probe", probe.clone()));
    }
    if let Some(pid) = target.pid {
        rows.push(("process", pid.to_string()));
    }
    if let Some(cpus) = &target.cpus {
        rows.push(("target's CPUs", cpu_list::format(cpus)));
    }
    if let Some(user) = &target.user {
        rows.push(("user", user.clone()));
    }
    if let Some(found) = &profile.prefault {
        rows.push(("memory locked from outside", found.locked.join(", ")));
        rows.extend(
            found
                .changed
                .iter()
                .map(|what| ("changed for it", what.clone())),
        );
        rows.extend(found.refused.iter().map(|why| ("refused", why.clone())));
    }
    let tool = &profile.tool;
    rows.push((
        "written by",
        format!("{} {} ({})", tool.name, tool.version, tool.git),
    ));
    rows
}

/// The command that would measure the same again.
#[must_use]
pub fn again(profile: &Profile) -> String {
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
pub fn bounded(line: &str) -> String {
    if line.chars().count() <= COMMAND {
        return line.to_owned();
    }
    let begin: String = line.chars().take(COMMAND).collect();
    format!("{begin} … (the whole of it is in the document: target.command)")
}

/// The ways in which runs of an experiment can be started again.
#[must_use]
pub fn again_block(lines: &[String]) -> Markup {
    html! { @for line in lines { pre { code { (line) } } } }
}
