//! Faults, system calls and allocations are traced to the lines they come from,
//! however the program was built and whatever has become of it.

use std::{
    collections::BTreeSet, ffi::OsStr, os::unix::fs::PermissionsExt, path::Path, process::Command,
};

use serde_json::Value;

use crate::{
    needs_root,
    support::{
        builds::{build, code, folder, line},
        command,
        profile::{Json, from_output},
        skip,
    },
};

/// Pages that each touched buffer has, but for the one touched by its maker.
const PAGES: u64 = 299;

#[track_caller]
fn measured<S: AsRef<OsStr>>(options: &[&str], words: &[S]) -> Json {
    let mut command = command::measuring("run");
    command.args(["--format", "json"]).args(options);
    let profile = from_output(&command.arg("--").args(words).output().expect("it starts"));
    assert_eq!(profile.0["exit"]["code"], 0, "{}", profile.0["exit"]);
    profile
}

fn list<'a>(profile: &'a Json, table: &str, name: &str) -> &'a [Value] {
    profile.0[table][name].as_array().expect("a list")
}

/// Entries of a cause that come from a function at a line of a file.
fn at(profile: &Json, cause: &str, function: &str, file: &str, line: u64) -> u64 {
    list(profile, "ledger", "by_code")
        .iter()
        .filter(|row| {
            let in_file = row["file"]
                .as_str()
                .is_some_and(|path| path.ends_with(file));
            let symbol = row["symbol"].as_str().unwrap_or("");
            row["cause"] == cause && symbol.ends_with(function) && in_file && row["line"] == line
        })
        .filter_map(|row| row["count"].as_u64())
        .sum()
}

/// There is no name, and the reason says this word.
#[track_caller]
fn assert_unnamed(row: &Value, word: &str) {
    assert_eq!(row["symbol"], Value::Null, "{row}");
    let reason = row["reason"].as_str();
    assert!(reason.is_some_and(|why| why.contains(word)), "{row}");
}

#[track_caller]
fn assert_touched(profile: &Json, times: u64) {
    let expected = line("code.c", "touch");
    let found = at(profile, "page_fault", "touch_pages", "code.c", expected);
    let rows = &list(profile, "ledger", "by_code");
    assert!(
        found >= times * PAGES,
        "{found}: {:?}",
        &rows[..rows.len().min(3)]
    );
}

/// Asserts that memory was made at a marked line, by a call.
#[track_caller]
fn assert_made(profile: &Json, expected: &str, call: &str) {
    let rows = list(profile, "memory", "allocations");
    let found = rows.iter().any(|row| {
        row["allocated_at"]
            .as_str()
            .is_some_and(|site| site == expected)
            && row["call"] == call
            && row["bytes"].as_u64() >= Some(300 * 4096)
    });
    let sites: Vec<&Value> = rows.iter().map(|row| &row["allocated_at"]).collect();
    assert!(found, "no {call} at {expected}: {sites:?}");
}

#[track_caller]
fn assert_all_made(profile: &Json) {
    for (mark, via, call) in [
        ("malloc", "malloc", "mmap"),
        ("mmap", "mmap", "mmap"),
        ("brk", "sbrk", "brk"),
    ] {
        let line = line("code.c", mark);
        let site = format!("make_by_{mark} at code.c:{line} (via {via})");
        assert_made(profile, &site, call);
    }
}

/// Position-independent or not, dynamic or static, with frame pointers or
/// without: the lines are the same.
#[test]
fn root_code_of_every_build() {
    needs_root!("root_code_of_every_build");
    let folder = folder("root_code_of_every_build");
    for (name, options) in [
        ("pie", &["-fPIE", "-pie"][..]),
        ("no-pie", &["-no-pie"]),
        ("frame-pointers", &["-fno-omit-frame-pointer"]),
        ("no-frame-pointers", &["-O2", "-fomit-frame-pointer"]),
        ("static", &["-static", "-DNO_DLOPEN"]),
        ("static-pie", &["-static-pie", "-DNO_DLOPEN"]),
    ] {
        println!("{name}");
        let profile = measured(&[], &[code(options, &folder.join(name))]);
        assert_touched(&profile, 3);
        let bare = line("code.c", "bare");
        assert_eq!(at(&profile, "syscall", "bare_calls", "code.c", bare), 500);
        assert_all_made(&profile);
    }
}

/// With musl instead of the GNU C library, which comes without unwind tables.
#[test]
fn root_code_with_musl() {
    needs_root!("root_code_with_musl");
    if !skip::has_tool("root_code_with_musl", "musl-gcc", "musl-tools") {
        return;
    }
    let to = folder("root_code_with_musl").join("musl");
    let options = ["-O1", "-static", "-DNO_DLOPEN", "-fno-omit-frame-pointer"];
    let profile = measured(&[], &[build("musl-gcc", &options, "code.c", &to)]);
    // Its `sbrk` makes no memory.
    assert_touched(&profile, 2);
    let bare = line("code.c", "bare");
    assert_eq!(at(&profile, "syscall", "bare_calls", "code.c", bare), 500);
}

/// A stripped program: no name, but the place in it, and the reason.
#[test]
fn root_code_that_is_stripped() {
    needs_root!("root_code_that_is_stripped");
    let folder = folder("root_code_that_is_stripped");
    let whole = code(&[], &folder.join("whole"));
    let stripped = folder.join("stripped");
    let mut strip = Command::new("strip");
    strip.arg("-o").arg(&stripped).arg(&whole);
    assert!(strip.status().expect("strip starts").success());
    let profile = measured(&[], &[&stripped]);
    let row = &list(&profile, "ledger", "by_code")[0];
    assert_unnamed(row, "stripped");
    // The address is the one that tools for the whole program understand.
    let address = row["module_address"].as_str().expect("an address");
    let mut tool = Command::new("addr2line");
    tool.args(["-f", "-e"]).arg(&whole).arg(address);
    let words = tool.output().expect("addr2line starts").stdout;
    let words = String::from_utf8_lossy(&words).into_owned();
    let expected = format!("code.c:{}", line("code.c", "touch"));
    assert!(
        words.contains("touch_pages") && words.contains(&expected),
        "{words}"
    );
}

/// A program that deletes itself at once, and one in a mount namespace that is
/// gone when it has ended.
#[test]
fn root_code_that_is_gone() {
    needs_root!("root_code_that_is_gone");
    let folder = folder("root_code_that_is_gone");
    let program = code(&[], &folder.join("deleted"));
    let profile = measured(&[], &[program.as_os_str(), "deleted".as_ref()]);
    assert!(!program.exists());
    assert_touched(&profile, 3);
    assert_all_made(&profile);

    let program = code(&[], &folder.join("program"));
    let hidden = folder.join("hidden");
    std::fs::create_dir_all(&hidden).expect("a folder");
    // Afterwards it lives on for some looks of the profiler, as a service would.
    let script = format!(
        "mount -t tmpfs none {0} && cp {1} {0}/inner && {0}/inner && exec {0}/inner lasting",
        hidden.display(),
        program.display()
    );
    let profile = measured(&[], &["unshare", "-m", "sh", "-c", &script]);
    assert!(!hidden.join("inner").exists(), "the namespace is gone");
    assert_touched(&profile, 3);
}

/// Chains of programs and forked children each have their own lines.
#[test]
fn root_code_of_children() {
    needs_root!("root_code_of_children");
    let program = code(&[], &folder("root_code_of_children").join("program"));
    let script = format!("{0} work; exec {0} fork", program.display());
    let profile = measured(&[], &["sh", "-c", &script]);
    assert_touched(&profile, 4);
    assert_all_made(&profile);
}

/// A process that executes a program again and again, each time at other addresses,
/// has a row for each instruction and not for each address, and every instruction is
/// looked up.
#[test]
fn root_code_of_many_execs() {
    needs_root!("root_code_of_many_execs");
    let again = r#"[ "$0" -gt 0 ] || exit 0; exec /bin/sh -c "$1" $(($0 - 1)) "$1""#;
    let profile = measured(&[], &["/bin/sh", "-c", again, "300", again]);
    assert_eq!(profile.count("syscall", "execve"), 301);
    profile.assert_accounted();
    let mut instructions = BTreeSet::new();
    for row in list(&profile, "ledger", "by_code") {
        let reason = row["reason"].as_str().unwrap_or_default();
        assert!(!reason.contains("not looked up"), "{row}");
        if !row["module_address"].is_null() {
            let names = ["cause", "detail", "tgid", "module", "module_address"];
            let instruction = names.map(|name| row[name].to_string());
            assert!(instructions.insert(instruction), "{row}");
        }
    }
    let mappings = list(&profile, "memory", "by_mapping").iter();
    let stacks = mappings.filter(|row| row["kind"] == "stack").count();
    assert_eq!(stacks, 1, "stacks in one row");
}

/// A library opened later, and code that no file holds: named if the program
/// left a map, and else said to be nameless.
#[test]
fn root_code_that_comes_later() {
    needs_root!("root_code_that_comes_later");
    let folder = folder("root_code_that_comes_later");
    let program = code(&[], &folder.join("program"));
    let options = ["-O1", "-shared", "-fPIC"];
    let library = build("cc", &options, "library.c", &folder.join("library.so"));
    let words = [program.as_os_str(), "dlopen".as_ref(), library.as_os_str()];
    let profile = measured(&[], &words);
    let expected = line("library.c", "library");
    let found = at(
        &profile,
        "page_fault",
        "library_touch",
        "library.c",
        expected,
    );
    assert!(found >= PAGES, "{found}");

    let first = |profile: &Json| list(profile, "ledger", "by_code")[0].clone();
    let named = measured(
        &[],
        &[program.as_os_str(), "made".as_ref(), "named".as_ref()],
    );
    let row = first(&named);
    assert_eq!(row["symbol"], "a made function", "{row}");
    let map = format!("/tmp/perf-{}.map", row["tgid"]);
    std::fs::remove_file(map).expect("the program left it");
    let row = first(&measured(&[], &[program.as_os_str(), "made".as_ref()]));
    assert_unnamed(&row, "perf map");
}

/// A Rust program: its names are demangled, and a vector is made where the
/// program makes it and not where the standard library does.
#[test]
fn root_code_in_rust() {
    needs_root!("root_code_in_rust");
    let to = folder("root_code_in_rust").join("vector");
    for options in [&["-Copt-level=0"][..], &["-Copt-level=2"]] {
        let profile = measured(&[], &[build("rustc", options, "vector.rs", &to)]);
        let expected = line("vector.rs", "touch");
        let found = at(
            &profile,
            "page_fault",
            "touch_vector",
            "vector.rs",
            expected,
        );
        assert!(found >= PAGES, "{found}");
        let expected = format!("vector.rs:{}", line("vector.rs", "vector"));
        let rows = list(&profile, "memory", "allocations").iter();
        let sites: Vec<&str> = rows
            .filter_map(|row| row["allocated_at"].as_str())
            .collect();
        let is_right = |site: &&str| site.contains("make_vector") && site.contains(&expected);
        assert!(sites.iter().any(is_right), "{sites:?}");
    }
}

/// With stacks asked for, a program with frame pointers has its whole chain, in all its
/// threads, also where the C library has no symbols: without the package that has them.
#[test]
fn root_user_stacks() {
    needs_root!("root_user_stacks");
    let folder = folder("root_user_stacks");
    // GCC leaves frame pointers out of leaf functions, whatever it is told.
    let options = ["-fno-omit-frame-pointer", "-O0"];
    let program = code(&options, &folder.join("program"));
    let with_symbols = "true";
    let without = "mkdir -p /usr/lib/debug && mount -t tmpfs none /usr/lib/debug";
    for (mode, callers) in [
        ("work", ["work", "main"]),
        ("thread", ["bare_calls", "in_thread"]),
    ] {
        for prepare in [with_symbols, without] {
            let script = format!("{prepare} && exec \"$@\"");
            let mut command = Command::new("unshare");
            command.args(["-m", "sh", "-c", &script, "sh"]);
            let tool = command::measuring("run");
            command.arg(tool.get_program()).args(tool.get_args());
            command.args(["--stacks", "all", "--format", "json", "--"]);
            let output = command.arg(&program).arg(mode).output();
            let profile = from_output(&output.expect("unshare starts"));
            let stacks = list(&profile, "ledger", "user_stacks").iter();
            let first = |stack: &Value| stack["frames"][0].as_str().map(str::to_owned);
            let mut of_calls = stacks
                .filter(|stack| first(stack).is_some_and(|name| name.starts_with("bare_calls ")));
            let whole = of_calls.next().expect("the calls have a stack");
            let frames: Vec<&str> = whole["frames"]
                .as_array()
                .expect("a list")
                .iter()
                .filter_map(|frame| frame.as_str()?.split(' ').next())
                .collect();
            assert!(frames.windows(2).any(|two| two == callers), "{frames:?}");
            assert_eq!(whole["truncated"], Value::Null, "{prepare}: {whole}");
            assert_eq!(whole["count"], 500);
        }
    }
}

/// What strangers leave lying about ends neither the measurement nor the
/// program: a program whose debug information is damaged, and hostile maps.
#[test]
fn root_damaged_files_are_survived() {
    needs_root!("root_damaged_files_are_survived");
    let folder = folder("root_damaged_files_are_survived");
    let program = code(&[], &folder.join("program"));
    for section in [
        ".debug_info",
        ".debug_line",
        ".debug_abbrev",
        ".eh_frame",
        ".symtab",
    ] {
        let damaged = folder.join("damaged");
        damage(&program, section, &damaged);
        let profile = measured(&[], &[&damaged]);
        assert_eq!(profile.count("syscall", "getppid"), 500, "{section}");
        assert!(!list(&profile, "ledger", "by_code").is_empty());
    }
}

/// Copies a program and fills one of its sections with ones.
fn damage(program: &Path, section: &str, to: &Path) {
    let output = Command::new("readelf").args(["-SW"]).arg(program).output();
    let text = String::from_utf8_lossy(&output.expect("readelf starts").stdout).into_owned();
    let found = text.lines().find_map(|line| {
        let rest = line.split_once(&format!("{section} "))?.1;
        let words: Vec<&str> = rest.split_whitespace().collect();
        let hex = |word: &str| usize::from_str_radix(word, 16).ok();
        Some((hex(words.get(2)?)?, hex(words.get(3)?)?))
    });
    let (offset, size) = found.expect("the section is there");
    let mut bytes = std::fs::read(program).expect("the program");
    bytes[offset..offset + size].fill(0xff);
    std::fs::write(to, bytes).expect("room");
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o755)).expect("allowed");
}
