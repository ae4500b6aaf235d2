//! The same counts with FRED and without.
//!
//! QEMU does not emulate FRED. Bochs does, if it was configured to: there the same
//! kernel and the same files are booted as in QEMU, and the programs of known counts
//! must come out the same, row for row.

use std::{
    collections::BTreeMap,
    env,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use fs_err::{self as fs, File};
use modeswitch_object::process;
use tabled::{builder::Builder, settings::Style};

use super::{
    QEMU,
    cache::Cache,
    guest::{Limits, Signals},
    initramfs,
    kernels::Kernel,
};
use crate::{install::find_program, workspace};

/// Names the Bochs to use.
const VARIABLE: &str = "MODESWITCH_BOCHS";
/// Where Debian's isolinux and syslinux-common put what boots from a CD.
const LOADER: [&str; 2] = [
    "/usr/lib/ISOLINUX/isolinux.bin",
    "/usr/lib/syslinux/modules/bios/ldlinux.c32",
];
const INIT: &str = include_str!("fred.sh");
/// FRED is on by default from Linux 7.1 on. The clock must be one that can be read
/// without a system call.
const COMMAND_LINE: &str = "console=ttyS0 clocksource=tsc tsc=reliable panic=-1 oops=panic fred=on";
const BACKENDS: [&str; 4] = ["auto", "tracepoint", "audit", "kprobe"];
const STEP: Duration = Duration::from_millis(200);

/// Source file, mode and arguments: few rounds, since a second in Bochs takes a
/// minute.
const PROGRAMS: [&str; 16] = [
    "counts getppid 1000",
    "counts touch 200",
    "counts fork 5",
    "counts exec 3",
    "counts threads 2 100",
    "counts spin 300",
    "counts signals 20",
    "counts int80 50",
    "causes ud 10",
    "causes gp 10",
    "causes de 10",
    "causes bp 10",
    "causes db 10",
    "causes seccomp 20",
    "causes ptrace 10",
    "causes vfork 3",
];

/// A count that is known: program, phase, cause and detail, each of which may be
/// left open (`*`).
type Known = (&'static str, &'static str, &'static str, &'static str, u64);

/// With the first `exec` and the last call of each program, but for its setting up.
const KNOWN: [Known; 37] = [
    ("getppid", "steady", "syscall", "*", 1000),
    ("getppid", "*", "syscall", "execve", 1),
    ("getppid", "*", "syscall", "exit_group", 1),
    ("getppid", "*", "new_task", "*", 1),
    // All of them: one that is counted twice has another kind.
    ("touch", "steady", "page_fault", "*", 200),
    ("fork", "*", "syscall", "clone", 5),
    ("fork", "*", "syscall", "exit_group", 6),
    ("fork", "*", "new_task", "first_return", 6),
    ("exec", "*", "syscall", "vfork", 3),
    // What its children become.
    ("true", "*", "syscall", "execve", 3),
    ("true", "*", "syscall", "exit_group", 3),
    ("true", "*", "new_task", "first_return", 3),
    ("threads", "*", "syscall", "getppid", 200),
    ("threads", "*", "syscall", "clone3", 2),
    ("threads", "*", "syscall", "exit", 2),
    ("threads", "*", "syscall", "exit_group", 1),
    ("threads", "*", "new_task", "first_return", 3),
    ("signals", "steady", "syscall", "kill", 20),
    ("signals", "steady", "syscall", "rt_sigreturn", 20),
    ("int80", "steady", "syscall", "ia32:getppid", 50),
    ("ud", "steady", "exception", "invalid_opcode", 10),
    ("ud", "steady", "syscall", "rt_sigreturn", 10),
    ("gp", "steady", "exception", "general_protection", 10),
    ("gp", "steady", "syscall", "rt_sigreturn", 10),
    ("de", "steady", "exception", "divide_error", 10),
    ("de", "steady", "syscall", "rt_sigreturn", 10),
    ("bp", "steady", "exception", "breakpoint", 10),
    ("bp", "steady", "syscall", "rt_sigreturn", 10),
    ("db", "steady", "exception", "debug", 10),
    ("db", "steady", "syscall", "rt_sigreturn", 10),
    ("seccomp", "steady", "syscall", "getppid", 20),
    ("ptrace", "*", "syscall", "getppid", 10),
    ("vfork", "*", "syscall", "vfork", 3),
    ("vfork", "*", "syscall", "execve", 1),
    ("vfork", "*", "syscall", "exit_group", 4),
    ("vfork", "*", "new_task", "first_return", 4),
    ("*", "*", "unclassified", "*", 0),
];

/// What one guest said.
#[derive(Debug, Default)]
struct Said {
    has_fred: bool,
    /// By backend, program, phase, cause and detail.
    rows: BTreeMap<[String; 5], u64>,
    notes: Vec<String>,
}

/// Why it cannot be done here, if so.
fn lacking() -> Option<String> {
    let Some(bochs) = env::var_os(VARIABLE) else {
        return Some(format!("{VARIABLE} names no Bochs with FRED"));
    };
    let mut files = LOADER.iter().map(PathBuf::from).chain([bochs.into()]);
    if let Some(absent) = files.find(|file| !file.is_file()) {
        return Some(format!("there is no {}", absent.display()));
    }
    find_program("xorriso")
        .is_none()
        .then(|| "there is no xorriso".to_owned())
}

/// Boots both machines, prints the table, and returns whether it is right.
pub(super) fn run(
    cache: &Cache,
    kernel: &Kernel,
    bin: &Path,
    limits: Limits,
    signals: &Signals,
) -> Result<bool> {
    if let Some(reason) = lacking() {
        eprintln!("SKIPPED fred: {reason}");
        return Ok(true);
    }
    let folder = cache.run_folder()?;
    let archive = folder.path().join("initramfs");
    fs::write(&archive, files(folder.path(), bin)?)?;
    let mut machines = Vec::new();
    for has_fred in [false, true] {
        let console = folder.path().join(format!("console.{has_fred}"));
        let mut command = if has_fred {
            bochs(folder.path(), kernel, &archive, &console)?
        } else {
            qemu(kernel, &archive, &console)
        };
        eprintln!("lab: booting {}, FRED: {has_fred}", kernel.release);
        let said = watch(&mut command, &console, limits, signals)?;
        ensure!(
            said.has_fred == has_fred,
            "the guest says of FRED: {}",
            said.has_fred
        );
        for note in &said.notes {
            eprintln!("lab: {note}");
        }
        machines.push(said);
    }
    let (text, is_right) = compare(&machines);
    println!(
        "Known counts on {} without FRED and with it\n{text}",
        kernel.release
    );
    Ok(is_right)
}

/// The archive: busybox, modeswitch with its libraries, the programs, the script.
fn files(folder: &Path, bin: &Path) -> Result<Vec<u8>> {
    let modeswitch = folder.join("modeswitch");
    let mut strip = Command::new("strip");
    process::run(strip.arg("-o").arg(&modeswitch).arg(bin.join("modeswitch")))?;
    let mut found = vec![
        (
            "bin/busybox".to_owned(),
            find_program("busybox").context("no busybox")?,
        ),
        ("bin/modeswitch".to_owned(), modeswitch.clone()),
    ];
    let output = Command::new("ldd")
        .arg(&modeswitch)
        .output()
        .context("cannot start ldd")?;
    let text = String::from_utf8_lossy(&output.stdout);
    for library in text
        .split_ascii_whitespace()
        .filter_map(|word| word.strip_prefix('/'))
    {
        found.push((library.to_owned(), Path::new("/").join(library)));
    }
    let sources = workspace::root().join("profiler/tests/targets");
    for name in ["counts", "causes"] {
        let program = folder.join(name);
        let mut cc = Command::new("cc");
        cc.args(["-O1", "-static", "-s", "-pthread", "-I"])
            .arg(workspace::root().join("include"));
        process::run(
            cc.arg("-o")
                .arg(&program)
                .arg(sources.join(name).with_extension("c")),
        )?;
        found.push((format!("targets/{name}"), program));
    }
    let mut contents = vec![
        ("init".to_owned(), INIT.as_bytes().to_vec()),
        (
            "programs".to_owned(),
            (PROGRAMS.join("\n") + "\n").into_bytes(),
        ),
    ];
    for (name, file) in found {
        let content = fs::read(&file)?;
        contents.push((name, content));
    }
    Ok(initramfs::of(&["dev", "proc", "sys", "named"], &contents))
}

/// A machine with no more than what the other one has.
fn qemu(kernel: &Kernel, archive: &Path, console: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", QEMU, "-accel", "tcg", "-cpu", "max"]);
    command.args([
        "-m",
        "1024",
        "-display",
        "none",
        "-no-reboot",
        "-append",
        COMMAND_LINE,
    ]);
    command
        .arg("-kernel")
        .arg(&kernel.image)
        .arg("-initrd")
        .arg(archive);
    command
        .arg("-serial")
        .arg(format!("file:{}", console.display()));
    command
}

/// Its BIOS boots from a CD, on which a boot loader starts the kernel.
fn bochs(folder: &Path, kernel: &Kernel, archive: &Path, console: &Path) -> Result<Command> {
    let tree = folder.join("cd");
    fs::create_dir_all(&tree)?;
    let copy = |from: &Path, name: &str| fs::copy(from, tree.join(name));
    copy(&kernel.image, "vmlinuz")?;
    copy(archive, "initrd")?;
    copy(Path::new(LOADER[0]), "isolinux.bin")?;
    copy(Path::new(LOADER[1]), "ldlinux.c32")?;
    let menu = format!(
        "default lab\nprompt 0\nlabel lab\n kernel vmlinuz\n append initrd=initrd {COMMAND_LINE}\n"
    );
    fs::write(tree.join("isolinux.cfg"), menu)?;
    let image = folder.join("cd.iso");
    let mut xorriso = Command::new("xorriso");
    xorriso
        .args(["-report_about", "WARNING", "-as", "mkisofs", "-quiet", "-o"])
        .arg(&image);
    xorriso.args(["-b", "isolinux.bin", "-c", "boot.cat", "-no-emul-boot"]);
    xorriso
        .args(["-boot-load-size", "4", "-boot-info-table"])
        .arg(&tree);
    process::run(&mut xorriso)?;
    let program = PathBuf::from(env::var_os(VARIABLE).context("no Bochs")?);
    let shared = program.with_file_name("../share/bochs");
    let settings = format!(
        "cpu: model=wildcat_lake, count=1, ips=50000000\nmegs: 1024\n\
         romimage: file={shared}/BIOS-bochs-latest\n\
         vgaromimage: file={shared}/VGABIOS-lgpl-latest.bin\n\
         display_library: nogui\n\
         ata0-master: type=cdrom, path={image}, status=inserted\nboot: cdrom\n\
         com1: enabled=1, mode=file, dev={console}\nclock: sync=none\nlog: {log}\n\
         panic: action=fatal\n",
        shared = shared.display(),
        image = image.display(),
        console = console.display(),
        log = folder.join("bochs.log").display(),
    );
    let file = folder.join("bochsrc");
    fs::write(&file, settings)?;
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL"])
        .arg(program)
        .args(["-q", "-f"])
        .arg(file);
    Ok(command)
}

/// Runs a machine until the script is done.
fn watch(command: &mut Command, console: &Path, limits: Limits, signals: &Signals) -> Result<Said> {
    let output = File::create(console.with_extension("out"))?;
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(output.into_file())
        .process_group(0);
    let name = process::describe(command);
    let mut machine = command
        .spawn()
        .with_context(|| format!("cannot start `{name}`"))?;
    let begin = Instant::now();
    let ending = loop {
        let has_ended = machine
            .try_wait()
            .context("cannot wait for the machine")?
            .is_some();
        let text = fs::read(console).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        if text.lines().any(|line| line.trim_end() == "LAB done") {
            break Ok(said(&text));
        }
        if has_ended || begin.elapsed() > limits.total || signals.arrived() {
            let lines: Vec<&str> = text.lines().collect();
            let tail = lines[lines.len().saturating_sub(20)..].join("\n  | ");
            break Err(format!("`{name}` did not get to its end:\n  | {tail}"));
        }
        thread::sleep(STEP);
    };
    // It may be on its way out already.
    let _ = machine.kill();
    let _ = machine.wait();
    match ending {
        Ok(said) => Ok(said),
        Err(why) => bail!(why),
    }
}

/// Reads a console.
fn said(text: &str) -> Said {
    let mut said = Said::default();
    for line in text.lines() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words[..] {
            ["LAB", "fred"] => said.has_fred = true,
            ["LAB", "row", backend, program, phase, cause, detail, count] => {
                let key = [backend, program, phase, cause, detail].map(str::to_owned);
                *said.rows.entry(key).or_default() += count.parse::<u64>().unwrap_or(0);
            }
            ["LAB", "status", _, "0"] => {}
            ["LAB", "note" | "status", ..] => said.notes.push(line.trim_end().to_owned()),
            _ => {}
        }
    }
    said
}

impl Said {
    /// The sum of the rows that a pattern stands for; nothing if there are none.
    fn count(&self, backend: &str, pattern: [&str; 4]) -> Option<u64> {
        let pattern = [backend, pattern[0], pattern[1], pattern[2], pattern[3]];
        let is_meant = |key: &[String; 5]| {
            let mut pairs = pattern.iter().zip(key);
            pairs.all(|(wanted, found)| *wanted == "*" || wanted == found)
        };
        let rows = self.rows.iter().filter(|(key, _)| is_meant(key));
        rows.map(|(_, count)| *count).reduce(|a, b| a + b)
    }
}

/// The table, and whether every count in it is what it should be.
fn compare(machines: &[Said]) -> (String, bool) {
    let mut builder = Builder::default();
    builder.push_record(["program", "known"].into_iter().chain(BACKENDS));
    let mut is_right = true;
    let mut add = |name: String, known: String, cells: Vec<(String, bool)>| {
        is_right &= cells.iter().all(|(_, is_well)| *is_well);
        let mark = |(text, is_well): (String, bool)| if is_well { text } else { text + " WRONG" };
        builder.push_record([name, known].into_iter().chain(cells.into_iter().map(mark)));
    };
    let say = |count: Option<u64>| count.map_or("-".to_owned(), |count| count.to_string());
    for (program, phase, cause, detail, known) in KNOWN {
        let cells = BACKENDS.map(|backend| {
            let pattern = [program, phase, cause, detail];
            let counts: Vec<_> = machines
                .iter()
                .map(|said| said.count(backend, pattern))
                .collect();
            // Tracepoints need not see exceptions: but alike on both.
            let may_lack = backend == "tracepoint" && cause == "exception";
            let is_known = |count: &Option<u64>| match count {
                None => may_lack || known == 0,
                Some(count) => *count == known,
            };
            let is_well = counts.iter().all(is_known) && counts.windows(2).all(|w| w[0] == w[1]);
            (
                counts.into_iter().map(say).collect::<Vec<_>>().join(" / "),
                is_well,
            )
        });
        let name = format!("{program}: {cause} {detail}");
        add(name, known.to_string(), cells.into());
    }
    // A good part of the ticks of a program that spins find it in user mode, and there
    // are no more than the kernel has counted.
    let cells = BACKENDS.map(|backend| {
        let counts = machines.iter().map(|said| {
            let timer = ["spin", "*", "interrupt", "local_timer"];
            let counted = said.count(backend, timer).unwrap_or(0);
            let ticks = said.count(backend, ["spin", "-", "witness", "timer"]);
            let ticks = ticks.unwrap_or(0);
            (
                format!("{counted} of {ticks}"),
                counted <= ticks && counted * 4 > ticks,
            )
        });
        let (texts, well): (Vec<_>, Vec<_>) = counts.unzip();
        (texts.join(" / "), well.into_iter().all(|is_well| is_well))
    });
    add(
        "spin: ticks by /proc/interrupts".to_owned(),
        "a part".to_owned(),
        cells.into(),
    );
    // The other calls only ask where memory ends.
    let cells = BACKENDS.map(|backend| {
        let counts: Vec<_> = machines
            .iter()
            .map(|said| {
                let made = said.count(backend, ["all", "-", "allocation", "calls"]);
                let made = made.unwrap_or(0);
                let calls = ["mmap", "brk", "mremap", "shmat"]
                    .iter()
                    .filter_map(|call| said.count(backend, ["*", "*", "syscall", call]));
                (made, calls.sum::<u64>().saturating_sub(made))
            })
            .collect();
        let is_well = counts
            .iter()
            .all(|&(made, rest)| made != 0 && rest == counts[0].1);
        let texts = counts.iter().map(|(made, rest)| format!("{made}+{rest}"));
        let texts: Vec<_> = texts.collect();
        (texts.join(" / "), is_well)
    });
    add(
        "calls that made memory + others".to_owned(),
        "the same".to_owned(),
        cells.into(),
    );
    let table = builder.build().with(Style::psql()).to_string();
    (table, is_right)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A console with every known count, in lines broken as a serial line breaks them.
    fn console(getppid: u64, timer: &str) -> String {
        let mut lines = vec![
            "[    1.0] kernel".to_owned(),
            "LAB status auto 0".to_owned(),
        ];
        for backend in BACKENDS {
            for (program, phase, cause, detail, known) in KNOWN {
                let known = if program == "getppid" && phase == "steady" {
                    getppid
                } else {
                    known
                };
                let phase = if phase == "*" { "unmarked" } else { phase };
                if known != 0 && (backend, cause) != ("tracepoint", "exception") {
                    lines.push(format!(
                        "LAB row {backend} {program} {phase} {cause} {detail} {known}"
                    ));
                }
            }
            lines.push(format!(
                "LAB row {backend} spin steady interrupt local_timer {timer}"
            ));
            lines.push(format!("LAB row {backend} spin - witness timer 80"));
            lines.push(format!("LAB row {backend} all - allocation calls 9"));
        }
        lines.join("\r\n")
    }

    /// The same counts are right; one that differs, on either machine, is not, nor are
    /// timer interrupts that were not seen.
    #[test]
    fn each_count_must_be_known_and_the_same() {
        let good = || said(&console(1000, "70"));
        let (text, is_right) = compare(&[good(), good()]);
        assert!(is_right, "{text}");
        for bad in [console(999, "70"), console(1000, "0"), console(1000, "81")] {
            let (text, is_right) = compare(&[good(), said(&bad)]);
            assert!(!is_right && text.contains("WRONG"), "{text}");
            assert!(!compare(&[said(&bad), good()]).1);
        }
        let unclassified = "LAB row auto bp steady unclassified stub_asm_fred_entrypoint_user 7";
        let (_, is_right) = compare(&[good(), said(&(console(1000, "70") + "\n" + unclassified))]);
        assert!(!is_right);
    }
}
