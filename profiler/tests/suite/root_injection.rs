//! Locking memory from outside, in every kind of program and in every way to
//! start one: the program does what it would by itself, and its page faults are
//! gone; or it is left alone, and the reason is given.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    needs_root,
    support::{
        builds,
        command::{assert_fails, backend, measuring, stderr},
        control_group::ControlGroup,
        profile::from_output,
        skip::{has_tool, skip_here},
    },
};

/// Pages that `inject work` touches, each once.
const PAGES: u64 = 2_000;
/// `getppid` calls of it.
const CALLS: u64 = 500;

/// The program, and the file that it writes to: both open to every user.
struct Target {
    folder: tempfile::TempDir,
    program: String,
    lines: PathBuf,
}

impl Target {
    /// Built as usual.
    #[track_caller]
    fn new() -> Self {
        Self::built("cc", &[])
    }

    #[track_caller]
    fn built(compiler: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        allow(folder.path(), 0o755);
        let mut all = vec!["-O1", "-Wall", "-Werror", "-pthread"];
        all.extend(options);
        let program = builds::build(compiler, &all, "inject.c", &folder.path().join("inject"));
        let lines = folder.path().join("lines");
        fs::write(&lines, "").expect("written");
        allow(&lines, 0o666);
        Self {
            program: program.to_str().expect("a plain path").to_owned(),
            folder,
            lines,
        }
    }

    fn file(&self) -> &str {
        self.lines.to_str().expect("a plain path")
    }

    /// What it has written since: the lines, and the KiB locked of each.
    fn said(&self) -> Vec<(String, u64)> {
        let text = fs::read_to_string(&self.lines).expect("readable");
        fs::write(&self.lines, "").expect("written");
        let parts = text.lines().map(|line| {
            let (said, locked) = line.split_once(" locked=").expect("a whole line");
            (said.to_owned(), locked.parse().expect("a number"))
        });
        parts.collect()
    }
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
}

/// One run each of the command as it is and with the fixes. `options` go to
/// modeswitch.
#[track_caller]
fn experiment(options: &[&str], fixes: &[&str], command: &[&str]) -> Value {
    let mut run = measuring("experiment");
    for fix in fixes {
        run.args(["--fix", fix]);
    }
    run.args(["--runs", "1", "--format", "json"]).args(options);
    run.arg("--").args(command);
    from_output(&run.output().expect("the binary starts")).0
}

/// Entries of a cause in the only run of a variant.
fn count(experiment: &Value, variant: usize, cause: &str, detail: Option<&str>) -> u64 {
    let rows = &experiment["variants"][variant]["profiles"][0]["ledger"]["by_cause"];
    let rows = rows.as_array().expect("a list").iter();
    rows.filter(|row| row["cause"] == cause && detail.is_none_or(|it| row["detail"] == it))
        .filter_map(|row| row["count"].as_u64())
        .sum()
}

/// What becomes of a command's page faults.
#[track_caller]
fn assert_prefaulted(what: &str, target: &Target, options: &[&str], command: &[&str]) -> Value {
    let found = experiment(options, &["prefault"], command);
    let said = target.said();
    assert_eq!(said.len(), 2, "{what}: once in each run: {said:?}");
    let [(before, unlocked), (after, locked)] = [&said[0], &said[1]];
    assert_eq!(before, after, "{what}: it has done the same work");
    assert_eq!(*unlocked, 0, "{what}");
    assert!(*locked >= PAGES * 4, "{what}: {locked} KiB are locked");
    assert!(count(&found, 0, "page_fault", None) >= PAGES, "{what}");
    assert_eq!(count(&found, 1, "page_fault", None), 0, "{what}");
    for variant in [0, 1] {
        let profile = &found["variants"][variant]["profiles"][0];
        assert_eq!(profile["exit"]["code"], 0, "{what}");
        let calls = count(&found, variant, "syscall", Some("getppid"));
        assert!(calls >= CALLS, "{what}: {calls}");
    }
    let calls = [0, 1].map(|it| count(&found, it, "syscall", Some("getppid")));
    assert_eq!(calls[0], calls[1], "{what}: the same calls");
    assert_eq!(count(&found, 1, "syscall", Some("mlockall")), 0, "{what}");
    found
}

/// Static or not, position-independent or not, with one C library or another: a
/// program makes the same system calls, to the unit, and not one page fault.
#[test]
fn root_prefault_reaches_every_kind_of_program() {
    needs_root!("root_prefault_reaches_every_kind_of_program");
    let mut kinds: Vec<(&str, &str, &[&str])> = vec![
        ("static", "cc", &["-static", "-no-pie"]),
        ("static PIE", "cc", &["-static-pie"]),
        ("dynamic", "cc", &["-no-pie"]),
        ("dynamic PIE", "cc", &["-pie", "-fPIE"]),
    ];
    let test = "root_prefault_reaches_every_kind_of_program";
    if has_tool(test, "musl-gcc", "musl-tools") {
        kinds.push(("static musl", "musl-gcc", &["-static"]));
    }
    for (name, compiler, options) in kinds {
        let target = Target::built(compiler, options);
        let command = [target.program.as_str(), "work", target.file()];
        let found = assert_prefaulted(name, &target, &[], &command);
        let calls = [0, 1].map(|it| count(&found, it, "syscall", None));
        assert_eq!(calls[0], calls[1], "{name}: the same system calls");
    }
}

/// However a program comes to be executed, by the command's own process or by a
/// thread of it: its memory is locked. Other processes' is not.
#[test]
fn root_prefault_follows_every_way_to_execute() {
    needs_root!("root_prefault_follows_every_way_to_execute");
    let target = Target::new();
    let (program, file) = (target.program.as_str(), target.file());
    let chain = format!("exec env INJECT=1 {program} work {file}");
    assert_prefaulted("exec chain", &target, &[], &["sh", "-c", &chain]);
    let script = target.folder.path().join("script");
    fs::write(&script, format!("#!{program} work\n")).expect("written");
    allow(&script, 0o755);
    let script = script.to_str().expect("a plain path");
    assert_prefaulted("script", &target, &[], &[script, file]);
    let command = [program, "thread-exec", program, "work", file];
    assert_prefaulted("a thread's exec", &target, &[], &command);
    let command = [program, "threads", file];
    assert_prefaulted("threads at work", &target, &[], &command);
}

/// What was locked at most is known to the page, also of a program that is gone in a
/// moment and has given its memory back by then; and where it is not known, no number
/// is given.
#[test]
fn root_locked_memory_is_exact() {
    needs_root!("root_locked_memory_is_exact");
    let target = Target::new();
    let command = [target.program.as_str(), "passing", target.file()];
    let found = experiment(&[], &["prefault"], &command);
    let said = target.said();
    assert_eq!(said.len(), 2, "{said:?}");
    let [before, after] = [0, 1].map(|it| &found["variants"][it]["profiles"][0]);
    let locked = |profile: &Value| profile["memory"]["process"]["locked_bytes"].clone();
    assert_eq!(locked(after).as_u64(), Some(said[1].1 * 1024), "{said:?}");
    // Ten looks, 50 ms apart, are taken for enough: only a slow machine comes to that.
    let ns = before["window"]["duration_ns"].as_u64().expect("a time");
    if ns < 450_000_000 {
        assert!(locked(before).is_null(), "{before}");
    }
}

/// A program is started with the registers that it always is started with.
#[test]
fn root_prefault_leaves_the_registers_alone() {
    needs_root!("root_prefault_leaves_the_registers_alone");
    let folder = tempfile::tempdir().expect("a folder");
    let options = ["-O1", "-static", "-nostdlib", "-no-pie"];
    let program = folder.path().join("registers");
    let program = builds::build("cc", &options, "registers.c", &program);
    let file = folder.path().join("values");
    fs::write(&file, "").expect("written");
    let paths = [&program, &file].map(|path| path.to_str().expect("a plain path"));
    experiment(&[], &["prefault"], &paths);
    let values = fs::read(&file).expect("readable");
    assert_eq!(values.len(), 2 * 16 * 8, "two runs have written");
    let (before, after) = values.split_at(16 * 8);
    assert_eq!(before, after);
}

/// What the command creates is left alone unless asked for: processes by fork,
/// and those that borrow memory until they execute a program.
#[test]
fn root_prefault_reaches_children_on_request() {
    needs_root!("root_prefault_reaches_children_on_request");
    let target = Target::new();
    let (program, file) = (target.program.as_str(), target.file());
    let by_shell = format!("{program} work {file}; true");
    let commands: [&[&str]; 2] = [
        &["sh", "-c", &by_shell],
        &[program, "spawn", program, "work", file],
    ];
    for command in commands {
        let found = experiment(&[], &["prefault", "prefault:children"], command);
        let said = target.said();
        let locked: Vec<bool> = said.iter().map(|(_, locked)| *locked != 0).collect();
        assert_eq!(locked, [false, false, true], "{command:?}");
        assert!(said.iter().all(|(line, _)| *line == said[0].0), "{said:?}");
        let faults = [0, 1, 2].map(|it| count(&found, it, "page_fault", None));
        assert!(faults[1] >= PAGES, "{command:?}: {faults:?}");
        assert!(faults[2] < 100, "{command:?}: {faults:?}");
        let calls = [0, 1, 2].map(|it| count(&found, it, "syscall", Some("getppid")));
        assert!(calls[0] >= CALLS, "{calls:?}");
        assert_eq!(calls, [calls[0]; 3], "{command:?}: the same calls");
        // A child's first return is that, and no call.
        for (cause, details) in [
            ("new_task", &["first_return"][..]),
            ("syscall", &["clone", "clone3", "fork", "vfork"]),
        ] {
            let of = |it| {
                details
                    .iter()
                    .map(|d| count(&found, it, cause, Some(d)))
                    .sum()
            };
            let births: [u64; 3] = [0, 1, 2].map(of);
            assert_eq!(births, [births[0]; 3], "{command:?}: {cause}");
        }
    }
}

/// A thread whose entries were in the caches when the call was made for it: that call's
/// return is not taken for one of them.
#[test]
fn root_prefault_call_is_not_the_programs() {
    needs_root!("root_prefault_call_is_not_the_programs");
    let target = Target::new();
    let (program, file) = (target.program.as_str(), target.file());
    let command = [program, "signalled", program, "work", file];
    let found = experiment(&[], &["prefault"], &command);
    let returns = [0, 1].map(|it| count(&found, it, "syscall", Some("rt_sigreturn")));
    assert_eq!(returns, [10; 2]);
}

/// What a command leaves running is let go with its end: it goes on, and no later run
/// takes it for its own.
#[test]
fn root_prefault_lets_go_of_what_is_left() {
    needs_root!("root_prefault_lets_go_of_what_is_left");
    let target = Target::new();
    let (program, file) = (&target.program, target.file());
    // It waits for the end of the command, and works on beside the next run.
    let wait = "while kill -0 $P 2>/dev/null; do sleep 0.05; done; sleep 0.5";
    let work = format!("for i in 1 2 3; do {program} work {file}; sleep 0.2; done");
    let script =
        format!("P=$$; export P; setsid sh -c '{wait}; {work}' >/dev/null 2>&1 & sleep 0.5");
    let mut run = measuring("experiment");
    run.args(["--fix", "prefault:children", "--runs", "2", "--"]);
    run.args(["sh", "-c", &script]);
    let output = run.output().expect("the binary starts");
    let lines = || {
        fs::read_to_string(&target.lines)
            .expect("readable")
            .lines()
            .count()
    };
    // The limit only keeps a failure from lasting for ever.
    let patience = Instant::now() + Duration::from_mins(2);
    while lines() < 12 {
        assert!(
            Instant::now() < patience,
            "{}: {}",
            lines(),
            stderr(&output)
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    let said = target.said();
    assert!(said.iter().all(|(_, locked)| *locked == 0), "{said:?}");
}

/// Asserts that the fix was refused for a reason, and that the program did its
/// work all the same, unlocked, in `runs` runs.
#[track_caller]
fn assert_left_alone(target: &Target, output: &Output, words: &[&str], runs: usize) {
    assert_fails(output, 3, words);
    let said = target.said();
    assert_eq!(said.len(), runs, "{said:?}: {}", stderr(output));
    assert!(said.iter().all(|(_, locked)| *locked == 0), "{said:?}");
}

/// A program under a filter of system calls, which may kill for the one that
/// would be made for it, is left unharmed.
#[test]
fn root_prefault_stays_out_of_seccomp_filters() {
    needs_root!("root_prefault_stays_out_of_seccomp_filters");
    let target = Target::new();
    for filter in ["kill", "deny"] {
        let mut run = measuring("experiment");
        run.args(["--runs", "1", "--fix", "prefault", "--"]);
        run.args([&target.program, filter, &target.program, "work"]);
        let output = run.arg(&target.lines).output().expect("the binary starts");
        let words = ["`prefault`", "inject", "seccomp", "unharmed"];
        assert_left_alone(&target, &output, &words, 2);
    }
}

/// The limit on locked memory is lifted where it may be, which is said.
#[test]
fn root_prefault_lifts_the_limit_on_locked_memory() {
    let name = "root_prefault_lifts_the_limit_on_locked_memory";
    needs_root!("root_prefault_lifts_the_limit_on_locked_memory");
    let lifted = Command::new("sh")
        .args(["-c", "ulimit -l 64; prlimit --pid $$ --memlock=unlimited"])
        .output();
    if !lifted.is_ok_and(|output| output.status.success()) {
        return skip_here(name, "this root lacks CAP_SYS_RESOURCE");
    }
    let target = Target::new();
    let limited = format!(
        "ulimit -l 64; exec setpriv --reuid=65534 --clear-groups {} work {}",
        target.program,
        target.file()
    );
    let found = assert_prefaulted("limited", &target, &[], &["sh", "-c", &limited]);
    let done = found["variants"][1]["done"].to_string();
    assert!(done.contains("RLIMIT_MEMLOCK raised from 64 KiB"), "{done}");
}

/// What modeswitch needs to measure at all.
const CAPABILITIES: &str = "+bpf,+perfmon,+syslog,+dac_read_search";

/// modeswitch itself by a user who has these capabilities and no others: nothing
/// if this system cannot do that.
fn as_nobody(before: &str, target: &Target, words: &[&str]) -> Option<Output> {
    let own = target.folder.path().join("modeswitch");
    fs::copy(env!("CARGO_BIN_EXE_modeswitch"), &own).expect("copied");
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!(
        "{before} exec setpriv --reuid=65534 --clear-groups --inh-caps={CAPABILITIES} \
         --ambient-caps={CAPABILITIES} \"$@\""
    ));
    shell.arg("sh").arg(&own).arg("experiment").args(backend());
    shell.args(["--runs", "1", "--fix", "prefault", "--"]);
    let output = shell.args(words).output().expect("a shell");
    // An older setpriv has not heard of these capabilities, some systems hide the
    // kernel's addresses from everybody, and up to 5.10 maps count as locked memory.
    let said = stderr(&output);
    (!["setpriv:", "symbol addresses", "create map"]
        .iter()
        .any(|word| said.contains(word)))
    .then_some(output)
}

/// Where the limit may not be lifted, a lock below it would make some later
/// mmap fail: so there is none, and the program is left unharmed.
#[test]
fn root_prefault_without_privileges_respects_the_limit() {
    let name = "root_prefault_without_privileges_respects_the_limit";
    needs_root!("root_prefault_without_privileges_respects_the_limit");
    let target = Target::new();
    let words = [target.program.as_str(), "work", target.file()];
    let Some(output) = as_nobody("ulimit -l 64;", &target, &words) else {
        return skip_here(name, "no user can be given the capabilities");
    };
    let said = ["`prefault`", "64 KiB", "RLIMIT_MEMLOCK", "unharmed"];
    assert_left_alone(&target, &output, &said, 2);
}

/// A setuid program keeps its privileges, and is prefaulted.
#[test]
fn root_prefault_keeps_setuid() {
    let name = "root_prefault_keeps_setuid";
    needs_root!("root_prefault_keeps_setuid");
    let target = Target::new();
    allow(Path::new(&target.program), 0o4755);
    let words = [target.program.as_str(), "work", target.file()];
    let plain = Command::new("setpriv")
        .args(["--reuid=65534", "--clear-groups"])
        .args(words)
        .status();
    let works = plain.is_ok_and(|status| status.success());
    if !works || !target.said()[0].0.contains("euid=0") {
        return skip_here(name, "setuid does nothing in the temporary folder");
    }
    let chain = ["setpriv", "--reuid=65534", "--clear-groups"];
    let chain: Vec<&str> = chain.into_iter().chain(words).collect();
    let found = experiment(&[], &["prefault"], &chain);
    let said = target.said();
    assert!(said.len() == 2 && said[0].0 == said[1].0, "{said:?}");
    assert!(said[1].0.contains("euid=0") && said[1].1 != 0, "{said:?}");
    assert_eq!(count(&found, 1, "page_fault", None), 0);

    // Whoever may not trace it would take its privileges away: it is not started.
    if let Some(output) = as_nobody("", &target, &words) {
        let said = ["setuid", "CAP_SYS_PTRACE", "sudo"];
        assert_left_alone(&target, &output, &said, 0);
    }
}

/// Little memory for a program that maps much: it is left alone, by what its
/// first runs have mapped, however short they were.
#[test]
fn root_prefault_fits_the_control_group() {
    let name = "root_prefault_fits_the_control_group";
    needs_root!("root_prefault_fits_the_control_group");
    let group = match ControlGroup::with_memory(64 << 20) {
        Ok(group) => group,
        Err(why) => return skip_here(name, &why),
    };
    let target = Target::new();
    let inside = |mode: &str| {
        let (program, file) = (&target.program, target.file());
        let join = format!("echo $$ > {}", group.members().display());
        let script = format!("{join}; exec {program} {mode} 512 {file}");
        let mut run = measuring("experiment");
        run.args(["--runs", "1", "--fix", "prefault", "--"]);
        run.args(["sh", "-c", &script]);
        run.output().expect("the binary starts")
    };
    let output = inside("sparse");
    let words = ["`prefault`", "inject", "control group", "MiB", "unharmed"];
    assert_left_alone(&target, &output, &words, 2);

    // One that maps more than it did before cannot be known; what happened is said.
    let output = inside("later");
    let said = stderr(&output);
    assert_fails(
        &output,
        3,
        &["`prefault`", "want of memory", "control group"],
    );
    assert_eq!(target.said().len(), 1, "the first variant's: {said}");
}
