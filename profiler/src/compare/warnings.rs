//! Why sides can be compared only with care. Pure.

use std::collections::BTreeSet;

use super::{
    model::{Basis, Comparison},
    side::Group,
};
use crate::profile::model::Profile;

/// Properties of a run that its counts depend on: what it is, and its value.
type Property = (&'static str, fn(&Profile) -> String);

const PROPERTIES: [Property; 9] = [
    ("kernels", |run| run.host.kernel.clone()),
    ("processors", |run| run.host.arch.clone()),
    ("numbers of CPUs", |run| run.host.cpus.to_string()),
    ("preemption models", |run| {
        known(run.host.preemption.as_deref())
    }),
    ("clock sources", |run| {
        known(run.host.clocksource.as_deref())
    }),
    ("backends", |run| run.backend.name.to_string()),
    ("stack policies", |run| run.backend.stacks.to_string()),
    ("CPUs of the target", |run| {
        run.target.cpus.as_ref().map_or_else(
            || "any".to_owned(),
            |cpus| {
                cpus.iter()
                    .map(u32::to_string)
                    .collect::<Vec<_>>()
                    .join(",")
            },
        )
    }),
    ("versions of modeswitch", |run| run.tool.version.clone()),
];

fn known(value: Option<&str>) -> String {
    value.unwrap_or("not known").to_owned()
}

/// Everything that is to be kept in mind, a sentence for each.
#[must_use]
pub fn all(groups: &[Group], comparisons: &[Comparison]) -> Vec<String> {
    let mut warnings = Vec::new();
    warnings.extend(
        PROPERTIES
            .iter()
            .filter_map(|found| differing(groups, found)),
    );
    warnings.extend(commands(groups));
    for group in groups {
        warnings.extend(of_side(group));
    }
    warnings.extend(uneven(groups, "marked a steady state", |run| {
        run.ledger.rates.steady_total.is_some()
    }));
    warnings.extend(uneven(groups, "told of its I/Os", |run| run.io.is_some()));
    warnings.extend(comparisons.iter().filter_map(lengths));
    warnings
}

/// A property of which not all runs have the same value.
fn differing(groups: &[Group], (what, of): &Property) -> Option<String> {
    let values: Vec<(&str, BTreeSet<String>)> = groups
        .iter()
        .map(|group| {
            let runs = group.profiles.iter();
            (group.label.as_str(), runs.map(of).collect())
        })
        .collect();
    let (_, first) = values.first()?;
    if first.len() == 1 && values.iter().all(|(_, values)| values == first) {
        return None;
    }
    let each = values.iter().map(|(label, values)| {
        let list: Vec<&str> = values.iter().map(String::as_str).collect();
        format!("{label}: {}", list.join(" and "))
    });
    let each: Vec<String> = each.collect();
    Some(format!("different {what} ({})", each.join("; ")))
}

/// Different commands on one side; on two sides they may be the question.
fn commands(groups: &[Group]) -> Option<String> {
    let programs: BTreeSet<&str> = groups
        .iter()
        .flat_map(|group| &group.profiles)
        .map(|run| {
            let word = run.target.command.first();
            word.map_or("", |word| crate::profile::code::base_name(word))
        })
        .collect();
    if programs.len() > 1 {
        let names = programs
            .iter()
            .map(|name| if name.is_empty() { "no command" } else { name });
        let names: Vec<&str> = names.collect();
        return Some(format!("different programs ({})", names.join(", ")));
    }
    None
}

fn of_side(group: &Group) -> Vec<String> {
    let mut warnings = Vec::new();
    let runs = &group.profiles;
    let inexact = runs.iter().filter(|run| !run.accounting.inexact.is_empty());
    let inexact = inexact.count();
    if inexact != 0 {
        warnings.push(format!(
            "the counts of {} are lower bounds{}: its true difference may be another one",
            group.label,
            of_them(inexact, runs.len())
        ));
    }
    let failed = runs
        .iter()
        .filter(|run| run.exit.code.is_some_and(|code| code != 0) || run.exit.signal.is_some());
    let failed = failed.count();
    if failed != 0 {
        warnings.push(format!(
            "the command of {} failed{}",
            group.label,
            of_them(failed, runs.len())
        ));
    }
    let commands: BTreeSet<&[String]> = runs.iter().map(|run| &run.target.command[..]).collect();
    if commands.len() > 1 {
        warnings.push(format!(
            "the runs of {} are of {} different commands",
            group.label,
            commands.len()
        ));
    }
    warnings
}

fn of_them(some: usize, all: usize) -> String {
    if all == 1 {
        String::new()
    } else {
        format!(" in {some} of {all} runs")
    }
}

/// Something that some runs did and others did not.
fn uneven(groups: &[Group], what: &str, has: impl Fn(&Profile) -> bool) -> Option<String> {
    let share = |group: &Group| group.profiles.iter().filter(|run| has(run)).count();
    let did: usize = groups.iter().map(share).sum();
    let runs: usize = groups.iter().map(|group| group.profiles.len()).sum();
    if did == 0 || did == runs {
        return None;
    }
    let each = groups.iter().map(|group| {
        format!(
            "{}: {} of {}",
            group.label,
            share(group),
            group.profiles.len()
        )
    });
    let each: Vec<String> = each.collect();
    Some(format!("not every run {what} ({})", each.join("; ")))
}

fn lengths(found: &Comparison) -> Option<String> {
    let basis = if found.steady {
        found.steady_basis
    } else {
        found.whole_basis
    };
    let how = match basis {
        Basis::PerRun => return None,
        Basis::PerSecond => "per second, since the runs are of different length",
        Basis::PerMillionIos => "per million I/Os, since the runs did different amounts of work",
    };
    Some(format!(
        "{} and {} are compared {how}",
        found.before, found.after
    ))
}
