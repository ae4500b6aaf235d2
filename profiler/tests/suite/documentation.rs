//! Completions by real shells, and manual pages by a real formatter.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use crate::support::{
    command::{run, stderr},
    skip::{has_optional_tool, has_tool},
};

fn completions(shell: &str) -> String {
    let output = run(["completions", shell]);
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).expect("text")
}

/// Runs a program on a text; nothing where it is not installed.
fn fed(program: &str, arguments: &[&str], text: &str) -> Option<(bool, String)> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take().expect("a pipe");
    let bytes = text.to_owned().into_bytes();
    let writer = std::thread::spawn(move || stdin.write_all(&bytes));
    let output = child.wait_with_output().expect("it ends");
    // A program that has seen enough closes its end.
    drop(writer.join().expect("no panic"));
    let said = [output.stdout, output.stderr].concat();
    Some((
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    ))
}

/// What bash offers for the last of these words.
fn offered(words: &[&str]) -> Vec<String> {
    let script = format!(
        "{}\nCOMP_WORDS=({}); COMP_CWORD={}; _modeswitch modeswitch \"${{COMP_WORDS[-1]}}\" \
         \"${{COMP_WORDS[-2]}}\"\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        completions("bash"),
        words
            .iter()
            .map(|word| format!("'{word}'"))
            .collect::<Vec<_>>()
            .join(" "),
        words.len() - 1
    );
    let (succeeded, said) = fed("bash", &["--norc", "-s"], &script).expect("bash is there");
    assert!(succeeded, "{said}");
    said.lines().map(str::to_owned).collect()
}

/// Commands, options and the values of options are completed in bash.
#[test]
fn bash_completes() {
    let (succeeded, said) = fed("bash", &["-n"], &completions("bash")).expect("bash is there");
    assert!(succeeded, "{said}");
    assert_eq!(offered(&["modeswitch", "com"]), ["compare", "completions"]);
    let backends = offered(&["modeswitch", "run", "--backend", "f"]);
    assert!(backends.contains(&"fentry".to_owned()), "{backends:?}");
    assert!(
        backends.iter().all(|name| name.starts_with('f')),
        "{backends:?}"
    );
    assert!(offered(&["modeswitch", "cpu", "--dis"]).contains(&"--disturbance".to_owned()));
}

/// The other shells take their scripts without complaint.
#[test]
fn other_shells_take_their_scripts() {
    for shell in ["zsh", "fish"] {
        if has_optional_tool("other_shells_take_their_scripts", shell, shell) {
            let taken = fed(shell, &["-n"], &completions(shell));
            assert_eq!(taken, Some((true, String::new())), "{shell}");
        }
    }
}

/// Every command has a page, and the formatter has nothing to say against it.
#[test]
fn manual_pages_are_clean() {
    let has_groff = has_tool("manual_pages_are_clean", "groff", "groff-base");
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(["man".as_ref(), folder.path().as_os_str()]);
    assert!(output.status.success(), "{}", stderr(&output));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.path())
        .expect("a folder")
        .flatten()
    {
        let name = entry.file_name().into_string().expect("text");
        let text = std::fs::read_to_string(entry.path()).expect("a page");
        if has_groff {
            let clean = fed("groff", &["-man", "-Tutf8", "-ww", "-z", "-Kutf8"], &text);
            assert_eq!(clean, Some((true, String::new())), "{name}");
        }
        names.push(name);
    }
    for command in [
        "run",
        "attach",
        "cpu",
        "compare",
        "experiment",
        "report",
        "workload",
    ] {
        let name = format!("modeswitch-{command}.1");
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
}
