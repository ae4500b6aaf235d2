//! The same against the same: how often that is taken for a difference.

use std::{path::Path, process::Command, time::Instant};

use anyhow::{Context as _, Result, ensure};
use modeswitch_object::process;
use serde_json::Value;

/// Runs of each of the two variants.
const RUNS: u32 = 20;
/// Steady state of each run, in milliseconds.
const STEADY_MS: u32 = 100;
/// In one experiment the chance of finding anything, over all its numbers.
const LEVEL: f64 = 0.05;
/// More findings than would happen by chance this often are too many.
const UNLIKELY: f64 = 0.01;

/// Runs that many experiments, prints what each found, and fails if more found a
/// difference than the stated confidence allows.
pub(super) fn run(modeswitch: &Path, experiments: u32) -> Result<()> {
    println!(
        "{experiments} experiments of the in-tree workload with itself, {RUNS} runs against \
         {RUNS} of {STEADY_MS} ms each"
    );
    let most = most_allowed(experiments);
    let began = Instant::now();
    let mut found = 0;
    for number in 1..=experiments {
        let document = experiment(modeswitch)?;
        let judged = judgements(&document);
        ensure!(!judged.is_empty(), "an experiment judged nothing");
        let differing: Vec<String> = judged
            .iter()
            .filter(|number| number.differs)
            .map(|number| format!("{} (p = {:.4})", number.name, number.p))
            .collect();
        found += u32::from(!differing.is_empty());
        let least = judged.iter().map(|number| number.p).fold(1.0, f64::min);
        println!(
            "{number:4}  {} numbers judged, least p {least:.4}, adjusted {:.4}: {}",
            judged.len(),
            judged
                .iter()
                .map(|number| number.adjusted)
                .fold(1.0, f64::min),
            if differing.is_empty() {
                "no difference".to_owned()
            } else {
                differing.join(", ")
            }
        );
    }
    println!(
        "{found} of {experiments} reported a difference, in {:.0} s; {:.1} are to be expected at \
         most, and up to {most} happen by chance",
        began.elapsed().as_secs_f64(),
        f64::from(experiments) * LEVEL
    );
    ensure!(
        found <= most,
        "differences are invented: {found} of {experiments} experiments found one"
    );
    Ok(())
}

fn experiment(modeswitch: &Path) -> Result<Value> {
    let mut command = Command::new(modeswitch);
    command.args(["experiment", "--fix", "none", "--format", "json"]);
    command.args(["--runs", &RUNS.to_string()]);
    command.args(["--duration", &format!("{STEADY_MS}ms")]);
    let output = process::output(&mut command)?;
    serde_json::from_slice(&output).context("the experiment wrote no JSON")
}

/// One number that was judged.
struct Judged {
    name: String,
    p: f64,
    adjusted: f64,
    differs: bool,
}

fn judgements(document: &Value) -> Vec<Judged> {
    let comparison = &document["comparison"];
    let rows = ["totals", "metrics"].map(|list| comparison[list].as_array());
    let judged = rows.into_iter().flatten().flatten().filter_map(|row| {
        let name = row["cause"].as_str().or_else(|| row["metric"].as_str());
        Some(Judged {
            name: name?.to_owned(),
            p: row["judgement"]["p"].as_f64()?,
            adjusted: row["judgement"]["adjusted_p"].as_f64()?,
            differs: row["judgement"]["differs"].as_bool()?,
        })
    });
    judged.collect()
}

/// The most of so many experiments that may find a difference where there is
/// none, before that is too unlikely.
fn most_allowed(experiments: u32) -> u32 {
    let count = f64::from(experiments);
    let mut term = (1.0 - LEVEL).powf(count);
    let mut up_to = term;
    let mut most = 0;
    while 1.0 - up_to >= UNLIKELY && most < experiments {
        term *= (count - f64::from(most)) / (f64::from(most) + 1.0) * LEVEL / (1.0 - LEVEL);
        up_to += term;
        most += 1;
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 20 experiments four may find something (more happens 26 times in
    /// 10,000), of 100 eleven (more: 43 times).
    #[test]
    fn chance_has_its_bounds() {
        assert_eq!(most_allowed(20), 4);
        assert_eq!(most_allowed(100), 11);
    }

    /// Only what was judged counts.
    #[test]
    fn judgements_are_read() {
        let document = serde_json::json!({"comparison": {
            "totals": [
                {"cause": "syscall", "judgement": {"p": 0.5, "adjusted_p": 1.0, "differs": false}},
                {"cause": "nmi", "judgement": null},
            ],
            "metrics": [
                {"metric": "iops", "judgement": {"p": 0.001, "adjusted_p": 0.006, "differs": true}},
                {"metric": "latency_p50", "judgement": {"p": 0.5, "adjusted_p": null, "differs": false}},
            ],
        }});
        let found = judgements(&document);
        let names: Vec<&str> = found.iter().map(|number| number.name.as_str()).collect();
        assert_eq!(names, ["syscall", "iops"]);
        assert!(found[1].differs && !found[0].differs);
    }
}
