//! The grammar of the command line: where the command begins, and where results go.

use std::{io::Write, process::Stdio};

use clap::Parser;
use modeswitch::cli::Cli;

use crate::{
    formats::data,
    needs_root,
    support::{
        command::{assert_fails, measuring, modeswitch, run, stderr},
        profile::{from_file, from_output},
    },
};

/// Everything from the first word that is no option belongs to the command, and its
/// own `--` too; `--` before the command changes nothing.
#[test]
fn root_cli_command_without_dashes() {
    needs_root!("root_cli_command_without_dashes");
    for dashes in [&[][..], &["--"][..]] {
        let output = measuring("run")
            .args(["--stacks", "off"])
            .args(dashes)
            .args(["echo", "--stacks", "all", "--", "x"])
            .output()
            .expect("the binary starts");
        let text = String::from_utf8_lossy(&output.stdout);
        let said = stderr(&output);
        assert!(text.starts_with("--stacks all -- x\n"), "{text}{said}");
        assert!(text.contains("entries in"), "{text}{said}");
    }
}

/// Options of modeswitch stand before the command; what stands there and is none
/// is not taken for the command's.
#[test]
fn options_stand_before_the_command() {
    assert_fails(&run(["run", "--nonsense", "true"]), 2, &["--nonsense"]);
    let output = run(["run", "no-such-command", "--cpu", "4000"]);
    assert_fails(&output, 5, &["no-such-command"]);
    let output = run(["experiment", "--fix", "none", "no-such-command", "--runs"]);
    assert_fails(&output, 5, &["no-such-command"]);
    let output = run(["experiment", "--bitmap", "lazy", "true"]);
    assert_fails(&output, 2, &["--bitmap", "in-tree workload"]);
}

/// What `-o` meant before is told where it would differ now, before anything is
/// measured.
#[test]
fn output_files_have_a_format() {
    let told = ["--save", "--format"];
    assert_fails(&run(["run", "-o", "/tmp/x.txt", "true"]), 2, &told);
    let markdown = ["run", "--format", "markdown", "-o", "/tmp/x.json", "true"];
    assert_fails(&run(markdown), 2, &told);
    let profile = data("workload", "json");
    let profile = profile.to_str().expect("text");
    assert_fails(&run(["compare", "-o", "x", profile, profile]), 2, &told);
    let check = ["check", "-o", "x", profile, "--baseline", profile];
    assert_fails(&run(check), 2, &told);
    let both = ["run", "--format", "json", "--save", "-", "true"];
    assert_fails(&run(both), 2, &["standard output", "--format json"]);
}

/// Each command writes to a file what it would print, and `-` is standard output.
#[test]
fn output_files_hold_what_is_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("out");
    let path = file.to_str().expect("text");
    let profile = data("workload", "json");
    let profile = profile.to_str().expect("text");
    let other = folder.path().join("other.json");
    std::fs::copy(profile, &other).expect("copied");
    let other = other.to_str().expect("text");
    for command in [
        &["report", profile][..],
        &["compare", profile, other],
        &["check", profile, "--baseline", other],
    ] {
        for format in ["table", "json"] {
            let in_format = [command, &["--format", format]].concat();
            let printed = run(&in_format);
            assert!(!printed.stdout.is_empty(), "{}", stderr(&printed));
            let to_file = run([&in_format[..], &["-o", path]].concat());
            assert!(to_file.stdout.is_empty(), "{command:?}");
            assert_eq!(to_file.status, printed.status, "{}", stderr(&to_file));
            let written = std::fs::read(&file).expect("written");
            assert_eq!(written, printed.stdout, "{command:?}");
            let to_stdout = run([&in_format[..], &["-o", "-"]].concat());
            assert_eq!(to_stdout.stdout, printed.stdout, "{command:?}");
        }
        let document = run([command, &["--format", "json"]].concat()).stdout;
        let saved = run([command, &["--save", "-", "--format", "table", "-o", path]].concat());
        assert_eq!(saved.stdout, document, "{command:?}");
    }
}

/// Standard input is read where `-` is given, through a pipe or from a file, and once.
#[test]
fn dash_is_standard_input() {
    let profile = data("workload", "json");
    let path = profile.to_str().expect("text");
    let expected = run(["report", path]).stdout;
    let piped = |arguments: &[&str]| {
        let mut child = modeswitch()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut stdin = child.stdin.take().expect("piped");
        let bytes = std::fs::read(&profile).expect("there");
        // Who reads nothing closes the pipe.
        let writer = std::thread::spawn(move || stdin.write_all(&bytes));
        let output = child.wait_with_output().expect("it ends");
        drop(writer.join().expect("no panic"));
        output
    };
    assert_eq!(piped(&["report", "-"]).stdout, expected);
    let file = std::fs::File::open(&profile).expect("there");
    let output = modeswitch().args(["report", "-"]).stdin(file).output();
    assert_eq!(output.expect("the binary starts").stdout, expected);
    let compared = piped(&["compare", "before=-", path]);
    assert!(compared.status.success(), "{}", stderr(&compared));
    assert_fails(&piped(&["report", "-", "-"]), 2, &["given twice"]);
    let updated = piped(&["check", path, "--budget", "-", "--update"]);
    assert_fails(&updated, 2, &["--update", "give a file"]);
}

/// A document on standard output is not mixed with what the command writes there;
/// in a file, or as a table, the command keeps its standard output.
#[test]
fn root_cli_documents_are_not_mixed() {
    needs_root!("root_cli_documents_are_not_mixed");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("out.json");
    let path = file.to_str().expect("text");
    let measured = |options: &[&str]| {
        let mut command = measuring("run");
        command.args(options).args(["echo", "hi there"]);
        command.output().expect("the binary starts")
    };
    let output = measured(&["--format", "json"]);
    assert!(from_output(&output).0["ledger"]["total"].is_u64());
    assert_eq!(stderr(&output), "hi there\n");
    let output = measured(&["--format", "markdown", "-o", path.trim_end_matches(".json")]);
    assert_eq!(output.stdout, b"hi there\n");
    let output = measured(&["--format", "json", "-o", path]);
    assert_eq!(output.stdout, b"hi there\n");
    let saved = from_file(&file);
    assert!(saved.0["ledger"]["total"].is_u64());
    let output = measured(&["--save", path]);
    assert!(output.stdout.starts_with(b"hi there\n"));
    // What cannot be written is not lost.
    let output = measured(&["--format", "table", "-o", "/dev/full"]);
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("entries in"));
}

/// Short options are those of `perf` and `hyperfine`, and stand for the long ones.
#[test]
fn short_options() {
    for (short, long) in [
        ("run -C 1 x -C 2", "run --cpu 1 x -C 2"),
        ("attach -p 7", "attach --pid 7"),
        ("cpu -C 1-2", "cpu --cpu 1-2"),
        (
            "experiment -r 3 -w 1 -C 0 x",
            "experiment --runs 3 --warmup 1 --cpu 0 x",
        ),
        ("experiment -w 1", "experiment --warm-up 1"),
        (
            "-q check -r 3 -C 0 --budget b -- x",
            "check --quiet --runs 3 --cpu 0 --budget b -- x",
        ),
    ] {
        let parsed = |line: &str| {
            let words = std::iter::once("modeswitch").chain(line.split(' '));
            format!(
                "{:?}",
                Cli::try_parse_from(words).expect("it is understood")
            )
        };
        assert_eq!(parsed(short), parsed(long));
    }
    for wrong in [
        "attach",
        "attach -p 7 8",
        "cpu",
        "cpu -C 1 2",
        "-v -q attach 7",
    ] {
        let words = std::iter::once("modeswitch").chain(wrong.split(' '));
        assert!(Cli::try_parse_from(words).is_err(), "{wrong}");
    }
}

/// Colours are used where they are wanted, in a pipe and in a file too.
#[test]
fn colours_by_choice() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("out");
    let path = file.to_str().expect("text");
    let profile = data("workload", "json");
    let profile = profile.to_str().expect("text");
    for (choice, has_colour) in [("auto", false), ("always", true), ("never", false)] {
        let report = ["report", "--color", choice, "--format", "table", profile];
        let printed = run(report).stdout;
        assert_eq!(printed.contains(&0x1b), has_colour, "{choice}");
        let written = run([&report[..], &["-o", path]].concat());
        assert!(written.status.success(), "{}", stderr(&written));
        assert_eq!(std::fs::read(&file).expect("written"), printed, "{choice}");
    }
}

/// The version names the sources and the eBPF programs.
#[test]
fn version_names_what_it_was_built_from() {
    let text = String::from_utf8(run(["--version"]).stdout).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], concat!("modeswitch ", env!("CARGO_PKG_VERSION")));
    assert!(lines[1].starts_with("commit "), "{text}");
    let digest = lines[2]
        .strip_prefix("eBPF object sha256:")
        .expect("a digest");
    assert!(digest.len() == 64 && digest.bytes().all(|digit| digit.is_ascii_hexdigit()));
}
