//! Hostile and broken inputs, and what becomes of each.
//!
//! `docs/hostile-input.md` lists them. After a change that is meant, write it anew as
//! root with `INSTA_UPDATE=always cargo test -p modeswitch --test suite hostile::`.

use std::{
    ffi::CString,
    fmt::Write as _,
    fs::{self, Permissions},
    os::{
        fd::AsRawFd,
        unix::{
            ffi::OsStrExt,
            fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, lchown, symlink},
            net::UnixListener,
            process::{CommandExt, ExitStatusExt},
        },
    },
    panic::catch_unwind,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::{
        signal::{SigHandler, Signal, kill, signal},
        stat::{Mode, SFlag, makedev, mknod},
    },
    unistd::{Pid, mkfifo},
};
use serde_json::{Value, json};

use crate::{
    formats::data,
    needs_root,
    support::{
        builds,
        command::{assert_fails, measuring, modeswitch, run, stderr},
        snapshot::is_update,
        targets,
    },
};

const USAGE: i32 = 2;
const ENVIRONMENT: i32 = 3;
const TARGET_NOT_STARTED: i32 = 5;
const OUTPUT: i32 = 6;
/// The user `nobody`, who plants things.
const STRANGER: u32 = 65_534;

/// An input, and what is to be found out about it in a folder of its own.
type Case = (&'static str, fn(&Path) -> String);

/// What anybody can try.
const ANYBODY: [Case; 33] = [
    ("document: empty", |at| document(at, b"", "not JSON")),
    ("document: bytes that are no text", |at| {
        document(at, b"\xff\xfe\x00", "not JSON")
    }),
    ("document: cut in the middle", |at| {
        let whole = fs::read(data("workload", "json")).expect("a profile");
        document(at, &whole[..whole.len() / 2], "not JSON")
    }),
    ("document: nested 100,000 deep", |at| {
        document(at, "[".repeat(100_000).as_bytes(), "not JSON")
    }),
    ("document: another program's", |at| {
        document(at, b"{\"a\": 1}", "has no `schema_version`")
    }),
    ("document: of a schema to come", |at| {
        document(at, b"{\"schema_version\": 99}", "schema 99")
    }),
    ("document: a schema that is no number", |at| {
        document(
            at,
            b"{\"schema_version\": \"1\"}",
            "has no `schema_version`",
        )
    }),
    ("document: a count below zero", |at| {
        changed(at, |profile| profile["ledger"]["total"] = json!(-1))
    }),
    ("document: a count that no counter holds", |at| {
        changed(at, |profile| profile["ledger"]["total"] = json!(1e30))
    }),
    ("document: a list in the place of a name", |at| {
        changed(at, |profile| profile["target"]["command"] = json!([[1]]))
    }),
    ("document: a folder", |at| {
        refused(
            &run(["report".as_ref(), at.as_os_str()]),
            USAGE,
            "directory",
        )
    }),
    ("document: a device without an end", |_| {
        refused(&run(["report", "/dev/zero"]), USAGE, "not JSON")
    }),
    ("names with terminal commands, as tables", |at| {
        shown(at, "table", &["\u{1b}", "\u{7}", "\u{9b}", "\u{7f}"])
    }),
    ("names with terminal commands, as Markdown", |at| {
        shown(at, "markdown", &["\u{1b}", "\u{7}", "\u{9b}", "\u{7f}"])
    }),
    ("names with terminal commands, as CSV", |at| {
        shown(at, "csv", &["\u{1b}", "\u{7}", "\u{9b}", "\u{7f}"])
    }),
    ("names with terminal commands, as stacks", |at| {
        shown(at, "folded", &["\u{1b}", "\u{7}", "\u{9b}", "\u{7f}"])
    }),
    ("names with terminal commands, as JSON", |at| {
        shown(
            at,
            "json",
            &["\u{1b}", "\u{7}", "\u{9b}", "\u{7f}", "\u{202e}"],
        )
    }),
    ("names that turn the order of letters", |at| {
        shown(at, "wide", &["\u{202e}", "\u{2066}", "\u{200f}"])
    }),
    ("names with a line of their own", |at| {
        shown(at, "wide", &["\nforged", "\rforged"])
    }),
    ("names that are formulas", |at| {
        shown(at, "csv", &[",=cmd", ",\"=cmd"])
    }),
    ("names with markup", |at| shown(at, "html", &["<script"])),
    ("budget: no TOML", |at| budget(at, "limit = [", "expected")),
    ("budget: a limit that is no number", |at| {
        budget(at, "[[limit]]\ncause = \"syscall\"\nhard = nan\n", "hard")
    }),
    ("budget: a device without an end", |_| {
        let profile = data("workload", "json");
        let arguments = ["check".as_ref(), "--budget".as_ref(), "/dev/zero".as_ref()];
        let arguments = arguments.into_iter().chain([profile.as_os_str()]);
        refused(&run(arguments), USAGE, "too large")
    }),
    ("output: a folder", |at| written(at, at, "folder")),
    ("output: in a folder that is missing", |at| {
        written(at, &at.join("no/out"), "No such file")
    }),
    ("output: a full device", |at| {
        written(at, Path::new("/dev/full"), "No space left")
    }),
    ("output: a name of 300 letters", |at| {
        written(at, &at.join("x".repeat(300)), "name too long")
    }),
    ("output: a socket", |at| {
        let _listener = UnixListener::bind(at.join("out")).expect("a socket");
        written(at, &at.join("out"), "No such device")
    }),
    ("output: a link to itself", |at| {
        symlink("out", at.join("out")).expect("a link");
        written(at, &at.join("out"), "symbolic links")
    }),
    ("output: a link of ours to a secret file", |at| {
        fs::write(at.join("secret"), "old").expect("room");
        set_mode(&at.join("secret"), 0o600);
        symlink("secret", at.join("out")).expect("a link");
        let said = written(at, &at.join("out"), "");
        assert!(at.join("out").is_symlink());
        assert_eq!(mode(&at.join("secret")), 0o600);
        said + ", the link and its target's mode kept"
    }),
    ("output: a file with another name", |at| {
        fs::write(at.join("other"), "old").expect("room");
        fs::hard_link(at.join("other"), at.join("out")).expect("a name");
        let said = written(at, &at.join("out"), "");
        assert_eq!(fs::read(at.join("other")).expect("a file"), b"old");
        said + ", nothing under the other name"
    }),
    ("descriptors by number: they are other files", |at| {
        let other = fs::File::create(at.join("other")).expect("room");
        other.set_len(4096).expect("room");
        fcntl(&other, FcntlArg::F_SETFD(FdFlag::empty())).expect("ours");
        let mut program = Command::new(targets::counts());
        let status = program
            .args(["getppid", "10"])
            .env("MODESWITCH_PHASE_FD", other.as_raw_fd().to_string())
            .status();
        assert!(status.expect("it starts").success());
        assert_eq!(fs::read(at.join("other")).expect("a file"), [0; 4096]);
        "left alone".to_owned()
    }),
];

/// What takes a stranger, or a measurement.
const ROOT: [Case; 21] = [
    ("output: a stranger's link in a shared folder", |at| {
        let shared = shared(at);
        fs::write(at.join("secret"), "old").expect("room");
        plant_link(&at.join("secret"), &shared.join("out"));
        let said = written(at, &shared.join("out"), "may be a trap");
        assert_eq!(fs::read(at.join("secret")).expect("a file"), b"old");
        said
    }),
    ("output: a stranger's link to nothing yet", |at| {
        let shared = shared(at);
        plant_link(&at.join("new"), &shared.join("out"));
        let said = written(at, &shared.join("out"), "may be a trap");
        assert!(!at.join("new").exists());
        said
    }),
    ("output: through a stranger's link to a folder", |at| {
        let shared = shared(at);
        fs::create_dir(at.join("folder")).expect("room");
        plant_link(&at.join("folder"), &shared.join("results"));
        let said = written(at, &shared.join("results/out"), "may be a trap");
        assert!(!at.join("folder/out").exists());
        said
    }),
    ("output: a stranger's file in a shared folder", |at| {
        let out = shared(at).join("out");
        fs::write(&out, "old").expect("room");
        chown(&out, Some(STRANGER), None).expect("root");
        let said = written(at, &out, "may be a trap");
        assert_eq!(fs::read(&out).expect("a file"), b"old");
        said
    }),
    ("output: a stranger's pipe in a shared folder", |at| {
        let out = shared(at).join("out");
        mkfifo(&out, Mode::from_bits_truncate(0o666)).expect("a pipe");
        chown(&out, Some(STRANGER), None).expect("root");
        written(at, &out, "may be a trap")
    }),
    ("output: a stranger's file elsewhere", |at| {
        let out = at.join("out");
        fs::write(&out, "old").expect("room");
        set_mode(&out, 0o640);
        chown(&out, Some(STRANGER), Some(STRANGER)).expect("root");
        let said = written(at, &out, "");
        let status = fs::metadata(&out).expect("a file");
        assert_eq!((status.uid(), status.gid()), (STRANGER, STRANGER));
        assert_eq!(mode(&out), 0o640);
        said + ", mode and owner kept"
    }),
    ("output: a disk", |at| {
        let out = at.join("out");
        mknod(&out, SFlag::S_IFBLK, Mode::empty(), makedev(7, 0)).expect("root");
        written(at, &out, "block device")
    }),
    ("--update: a stranger's link in a shared folder", |at| {
        let shared = shared(at);
        fs::write(at.join("secret"), "").expect("room");
        set_mode(&at.join("secret"), 0o600);
        plant_link(&at.join("secret"), &shared.join("budget"));
        let output = update(&shared.join("budget"));
        let said = refused(&output, OUTPUT, "may be a trap");
        assert_eq!(fs::read(at.join("secret")).expect("a file"), b"");
        said
    }),
    ("--update: a secret file of ours", |at| {
        let budget = at.join("budget");
        fs::write(&budget, "[[limit]]\ncause = \"syscall\"\nhard = 1\n").expect("room");
        set_mode(&budget, 0o600);
        let output = update(&budget);
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(mode(&budget), 0o600);
        "written, mode kept".to_owned()
    }),
    ("--metrics: a link to what its user may not touch", |at| {
        fs::write(at.join("secret"), "{}").expect("room");
        set_mode(&at.join("secret"), 0o600);
        symlink(at.join("secret"), at.join("metrics")).expect("a link");
        let said = refused(&metrics(at), OUTPUT, "Permission denied");
        assert_eq!(fs::read(at.join("secret")).expect("a file"), b"{}");
        said
    }),
    ("--metrics: a pipe", |at| {
        mkfifo(&at.join("metrics"), Mode::from_bits_truncate(0o666)).expect("a pipe");
        refused(&metrics(at), OUTPUT, "not a regular file")
    }),
    ("--metrics: a pipe instead of an answer", |at| {
        set_mode(at, 0o777);
        let output = experiment(
            &at.join("metrics"),
            "mkfifo -m 666 $0 2>/dev/null; true",
            at,
        );
        refused(&output, USAGE, "not a regular file")
    }),
    ("a command that writes 30 MB of errors and fails", |at| {
        let script = "echo first >&2; head -c 30000000 /dev/zero | tr '\\0' x >&2; \
                      echo last >&2; exit 3";
        let output = experiment(&at.join("none"), script, at);
        let said = stderr(&output);
        assert!(said.len() < 1_000_000, "{} bytes", said.len());
        assert!(said.contains("first") && said.contains("last"));
        refused(&output, TARGET_NOT_STARTED, "bytes were not kept")
    }),
    ("a command that writes terminal commands and fails", |at| {
        let script = "printf 'a\\033]52;c;eA==\\007b\\n' >&2; exit 3";
        let output = experiment(&at.join("none"), script, at);
        assert!(!stderr(&output).contains(['\u{1b}', '\u{7}']));
        refused(&output, TARGET_NOT_STARTED, "status 3")
    }),
    ("program: its name is a terminal command", |at| {
        let program = at.join("\u{1b}]0;x\u{7}");
        fs::copy("/bin/true", &program).expect("room");
        let output = measuring("run").arg("--").arg(program).output();
        let output = output.expect("it starts");
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b));
        "measured and reported, without the command".to_owned()
    }),
    ("program: its debug information is a pipe", |at| {
        let program = at.join("program");
        fs::copy(targets::counts(), &program).expect("room");
        fs::write(at.join("debug"), "x").expect("room");
        objcopy(
            &[
                "--strip-debug",
                &format!("--add-gnu-debuglink={}", at.join("debug").display()),
            ],
            &program,
        );
        fs::remove_file(at.join("debug")).expect("ours");
        mkfifo(&at.join("debug"), Mode::from_bits_truncate(0o666)).expect("a pipe");
        counted(&program)
    }),
    ("program: its debug information is noise", |at| {
        let program = builds::code(&["-g", "-O1"], &at.join("code"));
        let noise: Vec<u8> = (0..200_000_u32)
            .map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3])
            .collect();
        fs::write(at.join("noise"), noise).expect("room");
        let noise = at.join("noise");
        let replace = |section| format!("{section}={}", noise.display());
        let update = [".debug_info", ".debug_line", ".debug_abbrev", ".eh_frame"]
            .map(|section| ["--update-section".to_owned(), replace(section)]);
        let words: Vec<&str> = update.iter().flatten().map(String::as_str).collect();
        objcopy(&words, &program);
        counted(&program)
    }),
    ("program: it says that it has 65,535 sections", |at| {
        let program = at.join("program");
        let mut bytes = fs::read(targets::counts()).expect("a program");
        // e_shoff, e_shnum and e_shstrndx.
        bytes[0x28..0x30].copy_from_slice(&(u64::MAX - 7).to_le_bytes());
        bytes[0x3c..0x40].copy_from_slice(&[0xff; 4]);
        fs::write(&program, bytes).expect("room");
        set_mode(&program, 0o755);
        counted(&program)
    }),
    ("command: its file cannot be opened yet, and Ctrl-C", |at| {
        let program = at.join("program");
        fs::copy("/bin/true", &program).expect("room");
        let file = fs::File::open(&program).expect("ours");
        // Whoever opens it waits for us. SAFETY: no handler of ours is replaced.
        unsafe { signal(Signal::SIGIO, SigHandler::SigIgn) }.expect("a signal");
        let flag = libc::F_WRLCK;
        // SAFETY: it takes numbers only.
        let leased = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, flag) };
        assert_eq!(leased, 0, "{}", std::io::Error::last_os_error());
        let mut command = measuring("run");
        let child = command.arg("--").arg(&program).stderr(Stdio::piped());
        let child = child
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let children = format!("/proc/{0}/task/{0}/children", child.id());
        wait_until(|| {
            let children = fs::read_to_string(&children).unwrap_or_default();
            children.split_whitespace().any(|pid| calls(pid, "59 "))
        });
        interrupt(&child);
        let output = child.wait_with_output().expect("it ends");
        refused(&output, TARGET_NOT_STARTED, "not executed yet")
    }),
    ("report: a pipe that nobody reads, and Ctrl-C", |_| {
        let mut command = measuring("run");
        let command = command.args(["--format", "html", "--", "/bin/true"]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let pipe = child.stdout.take().expect("a pipe");
        fcntl(&pipe, FcntlArg::F_SETPIPE_SZ(4096)).expect("a small pipe");
        let pid = child.id().to_string();
        wait_until(|| calls(&pid, "1 0x1 "));
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        assert!(status.contains("SigBlk:\t0000000000000000"), "{status}");
        interrupt(&child);
        let ended = child.wait().expect("it ends");
        assert_eq!(ended.signal(), Some(libc::SIGINT));
        "ended by the signal".to_owned()
    }),
    (
        "attach: with capabilities, to another user's process",
        |at| {
            let program = at.join("modeswitch");
            fs::copy(env!("CARGO_BIN_EXE_modeswitch"), &program).expect("room");
            // Revision 2, effective: CAP_SYSLOG, CAP_PERFMON and CAP_BPF.
            let words = [0x0200_0001_u32, 0, 0, 1 << 2 | 1 << 6 | 1 << 7, 0];
            let value = words.map(u32::to_le_bytes).concat();
            let path = CString::new(program.as_os_str().as_bytes()).expect("a path");
            let name = c"security.capability".as_ptr();
            // SAFETY: all of it is live and as long as it says.
            let set = unsafe {
                libc::setxattr(path.as_ptr(), name, value.as_ptr().cast(), value.len(), 0)
            };
            assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
            let as_stranger = |arguments: &[&str]| {
                let mut command = Command::new(&program);
                let command = command.args(arguments).uid(STRANGER).gid(STRANGER);
                command.output().expect("the binary starts")
            };
            let attach = |pid: u32| {
                let pid = pid.to_string();
                as_stranger(&["attach", "--duration", "50ms", "--format", "json", &pid])
            };
            let experiment = ["experiment", "--fix", "none", "--runs", "1", "--", "true"];
            let experiment = as_stranger(&experiment);
            let report = String::from_utf8_lossy(&experiment.stdout);
            assert!(report.contains("takes CAP_SYS_ADMIN"), "{report}");
            let mut own = Command::new("sleep");
            let mut own = own
                .arg("1000")
                .uid(STRANGER)
                .gid(STRANGER)
                .spawn()
                .expect("it starts");
            let seen = attach(own.id());
            own.kill().and_then(|()| own.wait()).expect("ours");
            assert!(seen.status.success(), "{}", stderr(&seen));
            // Why the kinds of page faults are unknown, and not that a file is closed to us.
            let profile = String::from_utf8_lossy(&seen.stdout);
            assert!(profile.contains("takes CAP_SYS_ADMIN"), "{profile}");
            refused(
                &attach(std::process::id()),
                ENVIRONMENT,
                "may not trace process",
            )
        },
    ),
];

#[test]
fn hostile_inputs() {
    assert_listed("What anybody can try", &ANYBODY);
}

#[test]
fn root_hostile_inputs() {
    needs_root!("root_hostile_inputs");
    assert_listed("What takes a stranger, or a measurement", &ROOT);
}

/// Tries each, prints what became of it, and holds that against the documentation.
#[track_caller]
fn assert_listed(title: &str, cases: &[Case]) {
    let mut table = format!("## {title}\n\n| input | outcome |\n| --- | --- |\n");
    for (input, outcome) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        set_mode(folder.path(), 0o755);
        // The rest is tried all the same.
        let outcome = catch_unwind(|| outcome(folder.path()));
        let outcome = outcome.unwrap_or_else(|_panic| "FAILED".to_owned());
        println!("{input}: {outcome}");
        writeln!(table, "| {input} | {outcome} |").expect("memory");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/hostile-input.md");
    let text = fs::read_to_string(&path).expect("the documentation");
    let start = text.find(&format!("## {title}\n")).expect("a section");
    let length = text[start + 1..].find("\n## ").map(|next| next + 2);
    let end = length.map_or(text.len(), |length| start + length);
    if is_update() {
        let after = if end < text.len() { "\n" } else { "" };
        let text = [&text[..start], &table, after, &text[end..]].concat();
        fs::write(path, text).expect("ours");
    } else {
        assert_eq!(text[start..end].trim_end(), table.trim_end());
    }
}

/// A command that fails with these words, and how.
#[track_caller]
fn refused(output: &Output, status: i32, words: &str) -> String {
    assert_fails(output, status, &[words]);
    format!("refused (status {status}): “{words}”")
}

/// A document that is refused.
fn document(at: &Path, bytes: &[u8], words: &str) -> String {
    let path = at.join("document.json");
    fs::write(&path, bytes).expect("room");
    refused(&run(["report".as_ref(), path.as_os_str()]), USAGE, words)
}

/// A profile that is good but for one thing.
fn changed(at: &Path, change: impl FnOnce(&mut Value)) -> String {
    let text = fs::read(data("workload", "json")).expect("a profile");
    let mut profile = serde_json::from_slice(&text).expect("JSON");
    change(&mut profile);
    document(at, profile.to_string().as_bytes(), "damaged profile")
}

/// A profile with hostile names, in a format that must not have any of these.
fn shown(at: &Path, format: &str, never: &[&str]) -> String {
    let name = "=cmd\u{1b}]52;c;eA==\u{7}\u{9b}2J\u{7f}\u{202e}a\u{2066}\u{200f}b\nforged\rforged\
                <script>x</script>";
    let text = fs::read(data("stacks", "json")).expect("a profile");
    let mut profile: Value = serde_json::from_slice(&text).expect("JSON");
    profile["target"]["command"] = json!([name]);
    for thread in profile["ledger"]["by_thread"]
        .as_array_mut()
        .expect("threads")
    {
        thread["comm"] = json!(name);
    }
    for row in profile["ledger"]["by_code"].as_array_mut().expect("code") {
        row["symbol"] = json!(name);
    }
    let path = at.join("profile.json");
    fs::write(&path, profile.to_string()).expect("room");
    let output = run(["report", "--format", format, &path.to_string_lossy()]);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = String::from_utf8(output.stdout).expect("text");
    assert!(said.contains("forged"), "the name is not shown at all");
    for harm in never {
        assert!(!said.contains(harm), "{harm:?} in {said}");
    }
    if format == "json" {
        let read: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(read["target"]["command"], json!([name]));
        return "shown as escapes, nothing lost".to_owned();
    }
    "shown as text".to_owned()
}

fn budget(at: &Path, text: &str, words: &str) -> String {
    let path = at.join("budget.toml");
    fs::write(&path, text).expect("room");
    let profile = data("workload", "json");
    let words_of = [
        "check".as_ref(),
        "--budget".as_ref(),
        path.as_os_str(),
        profile.as_os_str(),
    ];
    refused(&run(words_of), USAGE, words)
}

fn update(budget: &Path) -> Output {
    let profile = data("workload", "json");
    run([
        "check".as_ref(),
        "--update".as_ref(),
        "--budget".as_ref(),
        budget.as_os_str(),
        profile.as_os_str(),
    ])
}

/// A report written to a place: refused with these words, or written if there are
/// none. Nothing else is left in the folder.
fn written(at: &Path, to: &Path, words: &str) -> String {
    let names = || -> Vec<PathBuf> {
        let entries = fs::read_dir(at).expect("a folder");
        let mut names: Vec<PathBuf> = entries
            .map(|entry| entry.expect("readable").path())
            .collect();
        names.retain(|name| name.file_name() != to.file_name());
        names.sort();
        names
    };
    let before = names();
    let profile = data("workload", "json");
    let output = run([
        "report".as_ref(),
        "-o".as_ref(),
        to.as_os_str(),
        profile.as_os_str(),
    ]);
    assert_eq!(names(), before);
    if words.is_empty() {
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(fs::metadata(to).expect("written").len() > 100);
        return "written".to_owned();
    }
    refused(&output, OUTPUT, words)
}

/// An experiment of a shell's script, as the stranger, who chose the file with its
/// numbers: `$0` in the script.
fn experiment(metrics: &Path, script: &str, at: &Path) -> Output {
    let mut command = modeswitch();
    command.args([
        "experiment",
        "--fix",
        "none",
        "--runs",
        "1",
        "--user=nobody",
    ]);
    if metrics.file_name().is_some_and(|name| name == "metrics") {
        command.arg("--metrics").arg(metrics);
    }
    command
        .args(["--", "/bin/sh", "-c", script])
        .arg(metrics)
        .current_dir(at)
        .stdin(Stdio::null())
        .output()
        .expect("the binary starts")
}

fn metrics(at: &Path) -> Output {
    experiment(&at.join("metrics"), "true", at)
}

/// A program that is measured, whatever its file says.
fn counted(program: &Path) -> String {
    let output = measuring("run")
        .arg("--no-propagate-exit")
        .args(["--format", "json", "--"])
        .arg(program)
        .args(["getppid", "1000"])
        .output()
        .expect("the binary starts");
    assert!(output.status.success(), "{}", stderr(&output));
    let profile: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let total = profile["ledger"]["total"].as_u64().expect("a count");
    assert!(total > 10, "{total}");
    "measured and reported".to_owned()
}

fn objcopy(options: &[&str], program: &Path) {
    let status = Command::new("objcopy").args(options).arg(program).status();
    assert!(status.expect("objcopy comes with the compiler").success());
}

/// Whether a process is inside a system call, by the beginning of its number and
/// arguments.
fn calls(pid: &str, call: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/syscall")).is_ok_and(|now| now.starts_with(call))
}

fn wait_until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn interrupt(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
    kill(pid, Signal::SIGINT).expect("it still runs");
}

/// A folder in which anybody may create files, as `/tmp` is.
fn shared(at: &Path) -> PathBuf {
    let shared = at.join("shared");
    fs::create_dir(&shared).expect("room");
    set_mode(&shared, 0o1777);
    shared
}

fn plant_link(target: &Path, link: &Path) {
    symlink(target, link).expect("a link");
    lchown(link, Some(STRANGER), Some(STRANGER)).expect("root");
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("ours");
}

fn mode(path: &Path) -> u32 {
    let status = fs::metadata(path).expect("a file");
    assert!(!status.file_type().is_fifo());
    status.permissions().mode() & 0o7777
}
