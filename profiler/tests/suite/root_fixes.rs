//! Fixes from outside, on programs that know nothing of them.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    needs_root,
    support::{
        command::{assert_fails, measuring, stderr},
        profile::from_output,
    },
};

/// Pages that the program touches, each once.
const PAGES: u64 = 2_000;
/// System calls of its own.
const CALLS: u64 = 500;

/// Builds a program of known counts. Nothing where there is no C compiler or
/// no static library.
fn program(folder: &Path, name: &str, flags: &[&str]) -> Option<PathBuf> {
    let source = folder.join("known.c");
    let text = format!(
        "#include <stdlib.h>\n#include <unistd.h>\n#include <sys/syscall.h>\n\
         #include <sys/mman.h>\n\
         int main(void) {{ size_t n = {PAGES} * 4096UL;\n\
         char *p = mmap(0, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\n\
         if (p == MAP_FAILED) return 1;\n\
         madvise(p, n, MADV_NOHUGEPAGE);\n\
         for (size_t i = 0; i < n; i += 4096) p[i] = 1;\n\
         for (int i = 0; i < {CALLS}; i++) syscall(SYS_getppid);\n\
         return 0; }}\n"
    );
    std::fs::write(&source, text).expect("written");
    let path = folder.join(name);
    let mut compiler = Command::new("cc");
    compiler
        .arg("-O1")
        .args(flags)
        .arg(&source)
        .arg("-o")
        .arg(&path);
    let built = compiler.stderr(Stdio::null()).status().ok()?;
    built.success().then_some(path)
}

fn experiment(fixes: &[&str], command: &[&str]) -> Value {
    let mut run = measuring("experiment");
    for fix in fixes {
        run.args(["--fix", fix]);
    }
    run.args(["--runs", "1", "--format", "json", "--"])
        .args(command);
    from_output(&run.output().expect("the binary starts")).0
}

/// A program stopped and continued under the tracer ends as it would by itself.
#[test]
fn root_prefault_lets_signals_through() {
    needs_root!("root_prefault_lets_signals_through");
    let script = "trap 'exit 0' TERM; (while kill -0 $$; do kill -STOP $$; kill -CONT $$; \
                  kill -TERM $$; done) 2>/dev/null & wait; exit 1";
    let found = experiment(&["prefault"], &["sh", "-c", script]);
    assert_eq!(found["variants"][1]["profiles"][0]["exit"]["code"], 0);
}

/// A setting of the machine is made for the variant's runs and put back, also
/// when the profiler is killed.
#[test]
fn root_settings_are_put_back_even_after_sigkill() {
    needs_root!("root_settings_are_put_back_even_after_sigkill");
    let setting = Path::new("/proc/sys/vm/stat_interval");
    let Ok(before) = std::fs::read_to_string(setting) else {
        return;
    };
    let other = if before.trim() == "3" { "4" } else { "3" };
    let fix = format!("sysctl:vm.stat_interval={other}");
    let folder = tempfile::tempdir().expect("a folder");
    let seen = folder.path().join("seen");
    let copy = format!("cat {} >> {}", setting.display(), seen.display());
    experiment(&[&fix], &["sh", "-c", &copy]);
    let text = std::fs::read_to_string(&seen).expect("the runs have written");
    assert_eq!(text, format!("{before}{other}\n"));
    assert_eq!(std::fs::read_to_string(setting).expect("readable"), before);

    let script = format!(
        "read x < {}; [ $x != {other} ] || exec sleep 30",
        setting.display()
    );
    let mut run = measuring("experiment");
    run.args(["--fix", &fix, "--", "sh", "-c", &script]);
    let mut running = run
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let value = || std::fs::read_to_string(setting).expect("readable");
    while value() == before {
        assert!(
            running.try_wait().expect("a child").is_none(),
            "it has ended early"
        );
        std::thread::yield_now();
    }
    // Another one must not interfere.
    let mut second = measuring("experiment");
    second.args(["--runs", "1", "--fix", &fix, "--", "true"]);
    assert_fails(
        &second.output().expect("the binary starts"),
        3,
        &["another experiment"],
    );
    running.kill().expect("killed");
    running.wait().expect("gone");
    while value() != before {
        std::thread::yield_now();
    }
}

/// Two commands are compared; the second one's page faults are told.
#[test]
fn root_two_commands() {
    needs_root!("root_two_commands");
    let folder = tempfile::tempdir().expect("a folder");
    let Some(path) = program(folder.path(), "known", &[]) else {
        return;
    };
    let mut run = measuring("experiment");
    run.args(["--before", "true", "--after"]).arg(&path);
    let output = run.output().expect("the binary starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("Page faults"), "{text}{}", stderr(&output));
    for word in ["rose from", "first_touch", "before", "after", "5 runs"] {
        assert!(text.contains(word), "`{word}` is not in:\n{text}");
    }
}
