//! fio's own numbers: making it write them, and reading them.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, Permissions},
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use workload::summary::{IoSummary, LatencyNs};

use super::own_metrics::{Form, Source};

/// Whether a command is fio, by its name.
#[must_use]
pub fn is_fio(arguments: &[OsString]) -> bool {
    let name = arguments.first().map(Path::new);
    name.and_then(Path::file_name) == Some(OsStr::new("fio"))
}

/// fio's arguments so that it writes JSON, and where to. What the user said of
/// its output stays: another form is written in addition, and a file of the
/// user's is read instead of one of ours.
///
/// # Errors
/// If there is no room for a temporary file.
pub fn with_json(arguments: &[OsString], other_user: bool) -> Result<(Vec<OsString>, Source)> {
    let mut words: Vec<OsString> = arguments.to_vec();
    let (mut output, mut has_format) = (None, false);
    for place in 1..words.len() {
        let (name, value) = option(&words, place);
        if name == b"output" {
            output = value;
        } else if name == b"output-format" {
            has_format = true;
            let formats = value.unwrap_or_default();
            if !contains(formats.as_bytes(), b"json") {
                let joined = words[place].as_bytes().contains(&b'=');
                let place = if joined { place } else { place + 1 };
                if let Some(word) = words.get_mut(place) {
                    word.push(",json");
                }
            }
        }
    }
    if !has_format {
        words.insert(1, "--output-format=json".into());
    }
    if let Some(path) = output {
        let source = Source {
            form: Form::Fio,
            path: path.into(),
            _folder: None,
        };
        return Ok((words, source));
    }
    let folder = tempfile::Builder::new()
        .prefix("modeswitch-fio-")
        .tempdir()
        .context("cannot create a folder for fio's numbers")?;
    let path = folder.path().join("fio.json");
    File::create(&path).context("cannot create a file for fio's numbers")?;
    if other_user {
        // The user who runs fio is not us.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o711))?;
        fs::set_permissions(&path, Permissions::from_mode(0o666))?;
    }
    let mut word = OsString::from("--output=");
    word.push(&path);
    words.insert(1, word);
    let source = Source {
        form: Form::Fio,
        path,
        _folder: Some(Arc::new(folder)),
    };
    Ok((words, source))
}

/// The name and the value of the option at a place: `--name=value`, or `--name
/// value` with the value in the next place.
fn option(words: &[OsString], place: usize) -> (&[u8], Option<OsString>) {
    let Some(word) = words[place].as_bytes().strip_prefix(b"--") else {
        return (b"", None);
    };
    match word.iter().position(|&byte| byte == b'=') {
        Some(equals) => {
            let value = OsStr::from_bytes(&word[equals + 1..]).to_owned();
            (&word[..equals], Some(value))
        }
        None => (word, words.get(place + 1).cloned()),
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "fio version")]
    version: String,
    jobs: Vec<Job>,
}

#[derive(Deserialize)]
struct Job {
    #[serde(default)]
    error: u64,
    #[serde(default)]
    read: Direction,
    #[serde(default)]
    write: Direction,
    #[serde(default)]
    trim: Direction,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Direction {
    iops: f64,
    total_ios: u64,
    /// Milliseconds.
    runtime: u64,
    /// From an I/O's submission to its completion.
    clat_ns: Latency,
    /// From its preparation to its completion: never less.
    lat_ns: Latency,
}

impl Direction {
    /// The latencies to go by. With `sqthread_poll` fio takes no time stamp at
    /// submission, and its completion latencies are times since it started:
    /// those are known by being longer than the whole.
    fn latency(&self) -> Option<&Latency> {
        if self.clat_ns.mean <= self.lat_ns.mean {
            Some(&self.clat_ns)
        } else if self.lat_ns.percentile.is_empty() {
            None
        } else {
            Some(&self.lat_ns)
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Latency {
    max: u64,
    mean: f64,
    percentile: BTreeMap<String, u64>,
}

impl Latency {
    fn percentile(&self, wanted: f64) -> Option<u64> {
        self.percentile.iter().find_map(|(key, &value)| {
            let key: f64 = key.parse().ok()?;
            ((key - wanted).abs() < 1e-6).then_some(value)
        })
    }
}

/// fio's numbers over all jobs and directions. Percentiles of several jobs
/// cannot be put together: the worst of them is taken, and that is noted.
///
/// # Errors
/// What is wrong with the text.
pub fn understand(text: &str) -> Result<IoSummary, String> {
    // Other forms of output may stand around it, and warnings before it.
    let start = text.find("{\n").or_else(|| text.find('{'));
    let end = text.rfind('}');
    let json = start
        .zip(end)
        .and_then(|(start, end)| text.get(start..=end))
        .ok_or("there is no JSON in it")?;
    let document: Document = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let parts: Vec<&Direction> = document
        .jobs
        .iter()
        .flat_map(|job| [&job.read, &job.write, &job.trim])
        .filter(|part| part.total_ios != 0)
        .collect();
    if parts.is_empty() {
        return Err("no I/O is in it".to_owned());
    }
    let worst =
        |of: &dyn Fn(&Direction) -> Option<u64>| parts.iter().filter_map(|part| of(part)).max();
    let percentile = |wanted: f64| worst(&|part| part.latency()?.percentile(wanted));
    let mut notes = Vec::new();
    if parts.len() > 1 {
        notes.push(format!(
            "fio reports {} jobs or directions apart: IOPS are their sum, each percentile is the \
             worst of theirs (`--group_reporting` makes it one)",
            parts.len()
        ));
    }
    if parts
        .iter()
        .any(|part| part.clat_ns.mean > part.lat_ns.mean)
    {
        notes.push(
            "fio gives completion latencies longer than the total ones, as it does with \
             sqthread_poll: they are no latencies, and the total ones are used if fio gives their \
             percentiles (`--lat_percentiles=1`), else none"
                .to_owned(),
        );
    }
    Ok(IoSummary {
        target: document.version,
        ios: parts.iter().map(|part| part.total_ios).sum(),
        iops: parts.iter().map(|part| part.iops).sum(),
        errors: document.jobs.iter().map(|job| job.error).sum(),
        duration_ns: worst(&|part| Some(part.runtime * 1_000_000)).unwrap_or(0),
        latency_ns: LatencyNs {
            p50: percentile(50.0),
            p90: percentile(90.0),
            p99: percentile(99.0),
            p999: percentile(99.9),
            p9999: percentile(99.99),
            p99999: percentile(99.999),
            max: worst(&|part| Some(part.latency()?.max)),
        },
        notes,
        ..IoSummary::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    /// A plain fio is made to write JSON; what the user said stays said.
    #[test]
    fn output_options_of_the_user_stay() {
        let (plain, source) = with_json(&words("/usr/bin/fio --name=a"), false).expect("room");
        assert_eq!(plain[2], "--output-format=json");
        assert!(plain[1].as_bytes().starts_with(b"--output="));
        assert!(source.path.is_file());
        let path = source.path.clone();
        drop(source);
        assert!(!path.exists(), "the file goes with its last user");
        let (own, source) =
            with_json(&words("fio --output mine --output-format=terse j"), false).expect("room");
        assert_eq!(own, words("fio --output mine --output-format=terse,json j"));
        assert_eq!(source.path, Path::new("mine"));
        let (json, _) = with_json(&words("fio --output-format json+ j"), false).expect("room");
        assert_eq!(json[2..], words("--output-format json+ j"));
        assert!(is_fio(&words("/usr/bin/fio x")) && !is_fio(&words("fiona x")));
    }

    /// What fio 3.33 wrote for one job of random reads.
    #[test]
    fn real_output_is_understood() {
        let text = include_str!("../../tests/data/fio-3.33-randread.json");
        let found = understand(text).expect("understood");
        assert_eq!(found.target, "fio-3.33");
        assert_eq!(found.errors, 0);
        assert!(found.ios > 0 && found.iops > 0.0 && found.notes.is_empty());
        let latency = found.latency_ns;
        assert!(latency.p50 <= latency.p99 && latency.p99 <= latency.p9999);
        assert!(latency.p9999.is_some() && latency.p9999 <= latency.max);
        assert_eq!(latency.p99999, None, "not in fio's usual list");
        // Other output around it does no harm.
        let around = format!("fio: a warning\n{text}\nanother form\n");
        assert_eq!(understand(&around), Ok(found));
    }

    /// A completion latency above the total one is none: the total one's
    /// percentiles are used if they are there.
    #[test]
    fn impossible_latencies_are_left_out() {
        let text = |percentile: &str| {
            format!(
                r#"{{"fio version": "x", "jobs": [{{"read": {{"iops": 9.0, "total_ios": 9,
                "clat_ns": {{"mean": 628e6, "max": 9, "percentile": {{"99.000000": 700}}}},
                "lat_ns": {{"mean": 12e3, "max": 5, {percentile} "x": 0}}}}}}]}}"#
            )
        };
        let without = understand(&text("")).expect("understood");
        assert_eq!(
            (without.latency_ns.p99, without.latency_ns.max),
            (None, None)
        );
        assert_eq!(without.notes.len(), 1);
        let total = r#""percentile": {"99.000000": 40},"#;
        let with = understand(&text(total)).expect("understood");
        assert_eq!(
            (with.latency_ns.p99, with.latency_ns.max),
            (Some(40), Some(5))
        );
    }

    /// What fio 3.33 wrote for two jobs that read and write.
    #[test]
    fn several_jobs_are_put_together() {
        let text = include_str!("../../tests/data/fio-3.33-two-jobs.json");
        let found = understand(text).expect("understood");
        let json: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let sum: u64 = (0..2)
            .flat_map(|job| ["read", "write"].map(|way| (job, way)))
            .filter_map(|(job, way)| json["jobs"][job][way]["total_ios"].as_u64())
            .sum();
        assert_eq!(found.ios, sum);
        assert_eq!(found.notes.len(), 1);
        assert!(understand("{\"fio version\": \"x\", \"jobs\": []}").is_err());
    }
}
