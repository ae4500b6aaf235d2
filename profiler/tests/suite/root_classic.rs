//! Beside the classic one-liner: `bpftrace -e 'kprobe:… { @[kstack] = count(); }'`
//! on the same run.

use std::{collections::BTreeMap, path::Path};

use crate::{
    needs_root,
    support::{
        bpftrace::{Frames, Witness},
        command,
        known::{assert_known, cannot_be_known},
        profile::{Json, from_output},
        skip::{has_tool, skip_here},
        targets,
    },
};

/// A run of a command with a backend.
fn run(
    backend: &str,
    options: &[&str],
    program: &Path,
    arguments: &[&str],
) -> Result<Json, String> {
    let mut command = command::modeswitch();
    command.args(["run", "--format", "json", "--backend", backend]);
    command.args(options).arg("--").arg(program).args(arguments);
    let output = command.output().expect("the binary starts");
    if output.status.code() == Some(3) {
        return Err(command::stderr(&output));
    }
    Ok(from_output(&output))
}

/// The function whose calls are returns to user mode, if it can be probed here.
fn probed(backend: &str) -> Result<String, String> {
    let profile = run(backend, &[], Path::new("/bin/true"), &[])?;
    let probe = profile.0["backend"]["probe"].as_str();
    probe.map(str::to_owned).ok_or_else(|| {
        let reason = &profile.0["backend"]["reason"];
        format!("this kernel has no hook on the return to user mode: {reason}")
    })
}

/// Our kernel stacks, in bpftrace's form.
fn stacks(profile: &Json, function: &str) -> BTreeMap<Frames, u64> {
    // A stack that collides with another in the kernel's map is kept without its
    // innermost frame, which here is the same for all.
    let first = format!("{function}+0x1");
    let mut stacks = BTreeMap::new();
    for row in profile.0["ledger"]["kernel_stacks"]
        .as_array()
        .expect("a list")
    {
        let frames = row["frames"].as_array().expect("a list").iter();
        let frames = frames.map(|frame| {
            let frame = frame.as_str()?.replace("[not kept]", &first);
            let (name, offset) = frame.rsplit_once("+0x")?;
            Some((name.to_owned(), u64::from_str_radix(offset, 16).ok()?))
        });
        let frames = frames.collect::<Option<Frames>>().expect("named frames");
        *stacks.entry(frames).or_default() += row["count"].as_u64().expect("a count");
    }
    stacks
}

/// Returns to user mode: all entries but those that do not return there.
fn returns(profile: &Json) -> u64 {
    let ends = ["exit", "exit_group"].map(|call| profile.count("syscall", call));
    profile.0["ledger"]["total"].as_u64().expect("a count")
        - ends.iter().sum::<u64>()
        - profile.of_cause("nmi")
}

/// The kprobe on the classic function, with its stacks aggregated in the
/// kernel, prints what the one-liner prints: stack for stack and count for count.
#[test]
fn root_classic_stacks() {
    needs_root!("root_classic_stacks");
    let name = "classic stacks";
    let function = match probed("kprobe") {
        Ok(function) => function,
        Err(reason) => {
            cannot_be_known(name, "no kprobes");
            return skip_here("root_classic_stacks", &reason);
        }
    };
    if !has_tool("root_classic_stacks", "bpftrace", "bpftrace") {
        return;
    }
    let witness = Witness::start(&function, "counts").expect("a witness");
    let profile = run(
        "kprobe",
        &["--stacks", "all"],
        targets::counts(),
        &["fork", "20"],
    );
    let profile = profile.expect("it could just now");
    let theirs = witness.stacks();
    let ours = stacks(&profile, &function);
    assert_eq!(profile.missed(), 0);
    assert_known(&profile, name, theirs.values().sum(), ours.values().sum());
    assert_eq!(ours, theirs);
    assert!(ours.len() >= 3, "several ways back: {ours:?}");
    assert_eq!(returns(&profile), ours.values().sum::<u64>());
}

/// Unmodified fio, with a submission thread and polled I/O where the device
/// can: its returns are those that the one-liner counts on the same run.
#[test]
fn root_fio_beside_bpftrace() {
    needs_root!("root_fio_beside_bpftrace");
    let name = "fio: returns";
    let function = match probed("auto") {
        Ok(function) => function,
        Err(reason) => {
            cannot_be_known(name, "no kprobes for bpftrace");
            return skip_here("root_fio_beside_bpftrace", &reason);
        }
    };
    let fio = Path::new("/usr/bin/fio");
    let tools = [("fio", "fio"), ("bpftrace", "bpftrace")];
    if !tools
        .iter()
        .all(|(program, package)| has_tool("root_fio_beside_bpftrace", program, package))
    {
        return;
    }
    let file = polled_device();
    let filename = format!("--filename={file}");
    let mut arguments = vec!["--name=polled", "--ioengine=io_uring", "--sqthread_poll=1"];
    arguments.extend([
        "--rw=randread",
        "--bs=512",
        "--iodepth=16",
        "--number_ios=5000",
    ]);
    arguments.extend(["--direct=1", "--size=64M", "--output=/dev/null", &filename]);
    if file != "/dev/zero" {
        arguments.push("--hipri=1");
    }
    let witness = Witness::start(&function, "fio").expect("a witness");
    let profile = run("auto", &[], fio, &arguments).expect("it could just now");
    let theirs: u64 = witness.stacks().values().sum();
    profile.assert_accounted();
    assert_eq!(profile.0["exit"]["code"], 0, "fio did its work");
    assert!(theirs > 100, "the one-liner saw fio: {theirs}");
    assert_known(&profile, name, theirs, returns(&profile));
}

/// A device that can poll. The lab has one.
fn polled_device() -> String {
    let devices = ["nullb0", "nvme0n1"];
    let can_poll = |name: &&str| {
        let file = format!("/sys/block/{name}/queue/io_poll");
        std::fs::read_to_string(file).is_ok_and(|text| text.trim() == "1")
    };
    let found = devices.iter().find(|name| can_poll(name));
    found.map_or_else(|| "/dev/zero".to_owned(), |name| format!("/dev/{name}"))
}
