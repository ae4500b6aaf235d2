//! What the workload achieves beside fio, on the same file.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result, bail};
use fs_err::File;
use modeswitch_object::process;
use serde_json::Value;

use super::tools;

/// Ours must reach this much of fio's I/Os per second.
const LEAST_OF_FIO: f64 = 0.95;
/// Size of the sparse file, of which nothing is ever on the disk.
const FILE_BYTES: u64 = 64 << 30;
/// How long each run lasts.
const SECONDS: u32 = 2;

/// Runs both in turn and prints the table. What targets were missed.
pub(super) fn run(modeswitch: &Path, cpu: usize, rounds: u32) -> Result<Vec<String>> {
    if !tools::is_there("fio") {
        println!("left out: fio is not installed (Debian: apt-get install fio)");
        return Ok(Vec::new());
    }
    let sq_cpu = usize::from(cpu == 0);
    let folder = tempfile::tempdir_in("/var/tmp").context("cannot make a folder in /var/tmp")?;
    let path = folder.path().join("sparse");
    File::create(&path)
        .and_then(|file| file.set_len(FILE_BYTES))
        .with_context(|| format!("cannot make {}", path.display()))?;
    let mut fio = Vec::new();
    let mut lazy = Vec::new();
    let mut prefault = Vec::new();
    for _ in 0..rounds {
        fio.push(fio_iops(&path, cpu, sq_cpu)?);
        lazy.push(own_iops(modeswitch, &path, cpu, sq_cpu, "lazy")?);
        prefault.push(own_iops(modeswitch, &path, cpu, sq_cpu, "prefault")?);
    }
    let reference = tools::median(&fio);
    println!("\nI/Os per second, 512 B random reads of a sparse file ({rounds} rounds in turn)");
    for (name, values) in [
        ("fio", &fio),
        ("workload, lazy", &lazy),
        ("workload, prefault", &prefault),
    ] {
        let (least, most) = tools::range(values);
        let median = tools::median(values);
        println!(
            "{name:20} {median:12.0}  ({least:.0} to {most:.0})  × fio {:.2}",
            median / reference
        );
    }
    let mut missed = Vec::new();
    let name = format!("the workload reaches {LEAST_OF_FIO} × fio");
    let holds = tools::median(&lazy) >= LEAST_OF_FIO * reference;
    println!("{} {name}", if holds { "ok    " } else { "MISSED" });
    if !holds {
        missed.push(name);
    }
    Ok(missed)
}

/// fio with the workload's options.
fn fio_iops(path: &Path, cpu: usize, sq_cpu: usize) -> Result<f64> {
    let mut command = Command::new("fio");
    command.args([
        "--name=bench",
        "--ioengine=io_uring",
        "--rw=randread",
        "--bs=512",
    ]);
    command.args(["--iodepth=64", "--iodepth_batch_submit=16"]);
    command.args([
        "--iodepth_batch_complete_min=1",
        "--iodepth_batch_complete_max=16",
    ]);
    command.args([
        "--fixedbufs",
        "--registerfiles",
        "--direct=1",
        "--time_based",
    ]);
    command.args(["--sqthread_poll=1", "--output-format=json"]);
    command.arg(format!("--filename={}", path.display()));
    command.arg(format!("--sqthread_poll_cpu={sq_cpu}"));
    command.arg(format!("--cpus_allowed={cpu}"));
    command.arg(format!("--runtime={SECONDS}"));
    let output = process::output(&mut command)?;
    let report: Value = serde_json::from_slice(&output).context("fio wrote no JSON")?;
    number(&report["jobs"][0]["read"]["iops"])
}

/// The in-tree workload.
fn own_iops(
    modeswitch: &Path,
    path: &Path,
    cpu: usize,
    sq_cpu: usize,
    bitmap: &str,
) -> Result<f64> {
    let mut command = Command::new(modeswitch);
    command.args([
        "workload", "--mode", "sqpoll", "--format", "json", "--bitmap", bitmap,
    ]);
    command.arg("--file").arg(path);
    command.args(["--cpu", &cpu.to_string(), "--sq-cpu", &sq_cpu.to_string()]);
    command.args(["--duration", &format!("{SECONDS}s")]);
    let output = process::output(&mut command)?;
    let report: Value = serde_json::from_slice(&output).context("no JSON")?;
    number(&report["iops"])
}

fn number(value: &Value) -> Result<f64> {
    match value.as_f64() {
        Some(number) if number > 0.0 => Ok(number),
        _ => bail!("a run reported no I/Os per second"),
    }
}
