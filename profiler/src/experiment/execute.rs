//! Running an experiment: the variants in turn, so that a machine that drifts
//! does not favour one of them.

use std::ffi::OsString;

use anyhow::{Context, Result};

use super::{
    compare::compare,
    conclude::conclude,
    model::{Experiment, KIND, Variant},
};
use crate::{
    collect::snapshot::Snapshot,
    error::Error,
    launch::command::{Command, Output},
    measure::{
        plan::{Plan, Subject},
        run::measure,
    },
    probe::settings::Settings,
    profile::{build, model::SCHEMA_VERSION},
};

/// What to vary, and how often.
#[derive(Clone, Debug)]
pub struct Design {
    /// Arguments of the in-tree workload, the same for all variants.
    pub workload: Vec<OsString>,
    /// Runs of each variant.
    pub runs: u32,
    /// Which probes.
    pub settings: Settings,
}

/// One variant before it has run.
struct Planned {
    name: &'static str,
    description: &'static str,
    arguments: [&'static str; 2],
}

/// The in-tree experiment: the block bitmap touched as it is needed, or before.
const BITMAP: [Planned; 2] = [
    Planned {
        name: "lazy",
        description: "the block bitmap is touched as it is needed",
        arguments: ["--bitmap", "lazy"],
    },
    Planned {
        name: "prefault",
        description: "the block bitmap is populated before steady state",
        arguments: ["--bitmap", "prefault"],
    },
];

/// Where an experiment stands.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The run about to begin, from 1.
    pub run: u32,
    /// Of how many, over all variants.
    pub of: u32,
    /// The variant's name.
    pub variant: &'static str,
}

/// Carries an experiment out. Ends early, with what there is, once a run has
/// been interrupted.
///
/// # Errors
/// Whatever a single measurement may report.
pub fn execute(design: &Design, mut progress: impl FnMut(Progress)) -> Result<Experiment> {
    let mut variants: Vec<Variant> = BITMAP
        .iter()
        .map(|planned| Variant {
            name: planned.name.to_owned(),
            description: planned.description.to_owned(),
            profiles: Vec::new(),
        })
        .collect();
    let of = design.runs * 2;
    let mut run = 0;
    'runs: for _ in 0..design.runs {
        for (variant, planned) in variants.iter_mut().zip(&BITMAP) {
            run += 1;
            progress(Progress {
                run,
                of,
                variant: planned.name,
            });
            let plan = Plan {
                subject: Subject::Command(Box::new(command(design, planned)?)),
                settings: design.settings.clone(),
                duration: None,
            };
            let snapshot = measure(&plan)?;
            let profile = build::profile(&snapshot);
            let interrupted = profile.exit.interrupted_by.is_some();
            if !interrupted && profile.exit.code != Some(0) {
                return Err(failed(planned, &snapshot).into());
            }
            variant.profiles.push(profile);
            if interrupted {
                break 'runs;
            }
        }
    }
    let comparison = compare(&variants[0].profiles, &variants[1].profiles);
    let tool = variants[0]
        .profiles
        .first()
        .map(|profile| profile.tool.clone());
    Ok(Experiment {
        schema_version: SCHEMA_VERSION,
        kind: KIND.to_owned(),
        tool: tool.unwrap_or_default(),
        question: "What does prefaulting the block bitmap change?".to_owned(),
        conclusion: conclude(&comparison),
        variants,
        comparison,
    })
}

/// Why a run that failed did.
fn failed(planned: &Planned, snapshot: &Snapshot) -> Error {
    let errors = snapshot.errors.trim_end();
    Error::TargetNotStarted(if errors.is_empty() {
        let command = snapshot.target.command.join(" ");
        format!(
            "a run of the variant `{}` failed without a word: try `{command}` by itself",
            planned.name
        )
    } else {
        format!("a run of the variant `{}` failed: {errors}", planned.name)
    })
}

/// This binary, as the workload of one variant.
fn command(design: &Design, planned: &Planned) -> Result<Command> {
    let own = std::env::current_exe().context("cannot find modeswitch's own file")?;
    let mut arguments = vec![own.into_os_string(), "workload".into()];
    arguments.extend(planned.arguments.map(OsString::from));
    arguments.extend(design.workload.iter().cloned());
    let mut command = Command::find(arguments)?;
    command.output = Output::Kept;
    Ok(command)
}
