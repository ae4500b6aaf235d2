//! Running an experiment: the variants in turn, so that a machine that drifts
//! does not favour one of them.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{
    analyse::analyse,
    hooks,
    model::{Experiment, Interrupted, Variant},
    plan::Planned,
    schedule,
};
use crate::{
    collect::snapshot::Snapshot,
    document::run::Interruption,
    error::Error,
    fix::guard::Guard,
    launch::signals::Blocked,
    measure::{
        plan::{Plan, Subject},
        run::measure,
    },
    probe::settings::Settings,
    profile::{build, model::Profile},
    symbolize::measurement::Measurement,
};

/// What to vary, and how often.
#[derive(Clone, Debug)]
pub struct Design {
    /// What is asked, in words.
    pub question: String,
    /// The variants, the one to compare with first.
    pub variants: Vec<Planned>,
    /// Runs of each variant.
    pub runs: u32,
    /// Runs of each variant before those, which are thrown away.
    pub warm_up: u32,
    /// How long a run may last.
    pub limit: Option<Duration>,
    /// For the shell, before each run.
    pub prepare: Option<String>,
    /// For the shell, after each run.
    pub cleanup: Option<String>,
    /// Which probes.
    pub settings: Settings,
}

/// Where an experiment stands.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The run about to begin, from 1.
    pub run: u32,
    /// Of how many, over all variants.
    pub of: u32,
    /// The variant's name.
    pub variant: &'a str,
    /// Whether it will be thrown away.
    pub is_warm_up: bool,
    /// How long the rest will take, by the runs so far.
    pub left: Option<Duration>,
}

/// Carries an experiment out. Ends early, with what there is, once a run has
/// been interrupted.
///
/// # Errors
/// Whatever a single measurement may report, and [`Error::Environment`] if a fix
/// could not be applied.
pub fn execute(design: &Design, progress: impl FnMut(Progress<'_>)) -> Result<Experiment> {
    let needs_guard = design
        .variants
        .iter()
        .any(|planned| !planned.needs.settings.is_empty());
    let mut run = Running {
        design,
        guard: needs_guard.then(Guard::start).transpose()?,
        variants: design.variants.iter().map(unmeasured).collect(),
        progress,
        began: Instant::now(),
        done: 0,
    };
    // A signal between two runs ends the next one, and what there is is reported.
    let signals = Blocked::begin()?;
    let interrupted = run.all(&signals)?;
    let Running { variants, .. } = run;
    let mut experiment = analyse(design.question.clone(), variants, design.warm_up);
    experiment.interrupted = interrupted;
    Ok(experiment)
}

fn unmeasured(planned: &Planned) -> Variant {
    Variant {
        name: planned.name.clone(),
        description: planned.description.clone(),
        done: planned.needs.notes.clone(),
        profiles: Vec::new(),
    }
}

/// An experiment in progress.
struct Running<'a, P> {
    design: &'a Design,
    guard: Option<Guard>,
    variants: Vec<Variant>,
    progress: P,
    began: Instant,
    done: u32,
}

impl<P: FnMut(Progress<'_>)> Running<'_, P> {
    /// All rounds. What cut it short, if anything did.
    fn all(&mut self, signals: &Blocked) -> Result<Option<Interrupted>> {
        let rounds = self.design.warm_up + self.design.runs;
        for round in 0..rounds {
            let is_warm_up = round < self.design.warm_up;
            for place in schedule::of_round(round, self.design.variants.len()) {
                self.announce(place, rounds, is_warm_up);
                let profile = self.one(place, signals)?;
                if let Some(by) = self.interrupted_by(&profile) {
                    let (runs, of) = (self.done, self.of(rounds));
                    return Ok(Some(Interrupted { by, runs, of }));
                }
                self.done += 1;
                if !is_warm_up {
                    self.variants[place].profiles.push(profile);
                }
            }
        }
        Ok(None)
    }

    /// Runs of so many rounds.
    fn of(&self, rounds: u32) -> u32 {
        rounds * u32::try_from(self.design.variants.len()).unwrap_or(u32::MAX)
    }

    fn announce(&mut self, place: usize, rounds: u32, is_warm_up: bool) {
        let of = self.of(rounds);
        let each = self.began.elapsed().checked_div(self.done);
        (self.progress)(Progress {
            run: self.done + 1,
            of,
            variant: &self.design.variants[place].name,
            is_warm_up,
            left: each.map(|each| each * (of - self.done)),
        });
    }

    /// The signal by which the user has had enough. The time limit is none: it
    /// ends every run.
    fn interrupted_by(&self, profile: &Profile) -> Option<String> {
        let by = profile.exit.interrupted_by.as_ref()?;
        let is_signal = *by != Interruption::Duration || self.design.limit.is_none();
        is_signal.then(|| by.to_string())
    }

    /// One run, with all that goes around it.
    fn one(&mut self, place: usize, signals: &Blocked) -> Result<Profile> {
        let design = self.design;
        let planned = &design.variants[place];
        signals.released(|| {
            hooks::run("--prepare", design.prepare.as_deref())?;
            match &planned.metrics {
                Some(source) => source.clear(planned.command.user.as_ref()),
                None => Ok(()),
            }
        })?;
        let measured = self.changed(place);
        signals.released(|| hooks::run("--cleanup", design.cleanup.as_deref()))?;
        let mut measurement = measured?;
        let snapshot = &measurement.snapshot;
        if let Some(how) = snapshot
            .run
            .prefault
            .as_ref()
            .and_then(|found| found.out_of_memory.clone())
        {
            let name = &planned.name;
            return Err(
                Error::Environment(format!("the variant `{name}` cannot be had: {how}")).into(),
            );
        }
        let ended_well = snapshot.run.ending.code == Some(0);
        let interrupted = snapshot.run.ending.interrupted_by.is_some();
        if !ended_well && !interrupted {
            return Err(failed(planned, snapshot).into());
        }
        let refused = snapshot
            .run
            .prefault
            .as_ref()
            .and_then(|found| found.refused.clone());
        if let Some(why) = refused {
            return Err(Error::Environment(format!(
                "the variant `{}` cannot be had: {why}",
                planned.name
            ))
            .into());
        }
        if let Some(source) = planned
            .metrics
            .as_ref()
            .filter(|_| !interrupted || ended_well)
        {
            let io = signals.released(|| source.read(planned.command.user.as_ref()))?;
            measurement.io = Some(io);
        }
        self.note(place, &measurement.snapshot);
        Ok(build::profile(&measurement))
    }

    /// A measurement with the machine changed as the variant wants it.
    fn changed(&mut self, place: usize) -> Result<Measurement> {
        let planned = &self.design.variants[place];
        let mut command = planned.command.clone();
        if let Some(prefault) = &mut command.conditions.prefault {
            // What the first variant was seen to map is what will be populated.
            let first = self.variants[0].profiles.iter();
            let needed = first.filter_map(|profile| {
                let memory = profile.memory.process?;
                memory.populatable_bytes.or(Some(memory.writable_bytes))
            });
            prefault.needed_bytes = needed.max();
        }
        let mut said = Vec::new();
        if let Some(guard) = &mut self.guard {
            for setting in &planned.needs.settings {
                let before = guard.set(setting)?;
                said.push(format!(
                    "{} set from `{before}` to `{}`, and back after each run",
                    setting.path.display(),
                    setting.value
                ));
            }
        }
        let plan = Plan {
            subject: Subject::Command(Box::new(command)),
            settings: self.design.settings.clone(),
            duration: self.design.limit,
        };
        let measurement = measure(&plan);
        if let Some(guard) = self.guard.as_mut().filter(|_| !said.is_empty()) {
            guard.undo()?;
        }
        for said in said {
            say(&mut self.variants[place].done, said);
        }
        measurement
    }

    /// Takes down what was done to the command.
    fn note(&mut self, place: usize, snapshot: &Snapshot) {
        let Some(found) = &snapshot.run.prefault else {
            return;
        };
        let done = &mut self.variants[place].done;
        let mut names: Vec<&str> = found.locked.iter().map(String::as_str).collect();
        let programs = names.len();
        names.dedup();
        say(
            done,
            format!(
                "mlockall(MCL_CURRENT|MCL_FUTURE) called from outside in {programs} program{} \
                 ({}) before its first instruction; that call is not in the counts",
                if programs == 1 { "" } else { "s" },
                names.join(", ")
            ),
        );
        for changed in found.changed.iter().chain(&found.refused_children) {
            say(done, changed.clone());
        }
    }
}

/// Says a thing once.
fn say(done: &mut Vec<String>, what: String) {
    if !done.contains(&what) {
        done.push(what);
    }
}

/// Why a run that failed did.
fn failed(planned: &Planned, snapshot: &Snapshot) -> Error {
    let errors = snapshot.run.errors.trim_end();
    let name = &planned.name;
    let ending = &snapshot.run.ending;
    let how = match (ending.code, ending.signal) {
        (Some(code), _) => format!("with status {code}"),
        (None, Some(signal)) => format!("by signal {signal}"),
        (None, None) => "in an unknown way".to_owned(),
    };
    Error::TargetNotStarted(if errors.is_empty() {
        let command = snapshot.run.target.command.join(" ");
        format!(
            "a run of the variant `{name}` ended {how}, without a word: try `{command}` by itself"
        )
    } else {
        format!("a run of the variant `{name}` ended {how}: {errors}")
    })
}
