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

/// Entries of a cause in the only run of a variant.
fn count(experiment: &Value, variant: usize, cause: &str, detail: Option<&str>) -> u64 {
    let rows = &experiment["variants"][variant]["profiles"][0]["ledger"]["by_cause"];
    let rows = rows.as_array().expect("a list").iter();
    rows.filter(|row| row["cause"] == cause && detail.is_none_or(|it| row["detail"] == it))
        .filter_map(|row| row["count"].as_u64())
        .sum()
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

/// Prefaulted from outside, a program makes the same system calls, to the unit,
/// and not one page fault: static or not, position-independent or not. The call
/// made for it is not in its counts.
#[test]
fn root_prefault_is_exact_for_every_kind_of_program() {
    needs_root!("root_prefault_is_exact_for_every_kind_of_program");
    let folder = tempfile::tempdir().expect("a folder");
    let kinds: [(&str, &[&str]); 4] = [
        ("static", &["-static", "-no-pie"]),
        ("static-pie", &["-static-pie"]),
        ("dynamic", &["-no-pie"]),
        ("pie", &["-pie", "-fPIE"]),
    ];
    let mut tried = 0;
    for (name, flags) in kinds {
        let Some(path) = program(folder.path(), name, flags) else {
            continue;
        };
        tried += 1;
        let found = experiment(&["prefault"], &[path.to_str().expect("a plain path")]);
        assert!(count(&found, 0, "page_fault", None) >= PAGES, "{name}");
        assert_eq!(count(&found, 1, "page_fault", None), 0, "{name}");
        assert_eq!(
            count(&found, 1, "syscall", Some("getppid")),
            CALLS,
            "{name}"
        );
        assert_eq!(count(&found, 1, "syscall", Some("mlockall")), 0, "{name}");
        let calls = [0, 1].map(|variant| count(&found, variant, "syscall", None));
        assert_eq!(calls[0], calls[1], "{name}: the same system calls");
    }
    assert!(tried != 0 || program(folder.path(), "any", &[]).is_none());
}

/// The command is followed from exec to exec; what it creates only on request.
#[test]
fn root_prefault_follows_execs_and_children_on_request() {
    needs_root!("root_prefault_follows_execs_and_children_on_request");
    let folder = tempfile::tempdir().expect("a folder");
    let Some(path) = program(folder.path(), "known", &[]) else {
        return;
    };
    let path = path.to_str().expect("a plain path");
    let chain = format!("exec env -i sh -c 'exec {path}'");
    let found = experiment(&["prefault"], &["sh", "-c", &chain]);
    assert_eq!(count(&found, 1, "page_fault", None), 0, "an exec chain");
    let child = format!("{path}; true");
    let found = experiment(&["prefault", "prefault:children"], &["sh", "-c", &child]);
    assert!(
        count(&found, 1, "page_fault", None) >= PAGES,
        "a child is left alone"
    );
    assert!(
        count(&found, 2, "page_fault", None) < 100,
        "unless asked for"
    );
    // The shell may have some of its own.
    let calls = [0, 1, 2].map(|variant| count(&found, variant, "syscall", Some("getppid")));
    assert!(calls[0] >= CALLS, "{calls:?}");
    assert_eq!(calls, [calls[0]; 3], "and the same system calls");
}

/// A program under a seccomp filter is left alone, unharmed, and the reason is
/// given.
#[test]
fn root_prefault_says_why_it_cannot() {
    needs_root!("root_prefault_says_why_it_cannot");
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("filtered.c");
    let mark = folder.path().join("mark");
    let text = "#include <unistd.h>\n#include <sys/prctl.h>\n#include <linux/seccomp.h>\n\
                #include <linux/filter.h>\n\
                int main(int c, char **v) {\n\
                struct sock_filter f = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);\n\
                struct sock_fprog p = {1, &f};\n\
                prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);\n\
                if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p)) return 1;\n\
                return execvp(v[1], v + 1); }\n";
    std::fs::write(&source, text).expect("written");
    let path = folder.path().join("filtered");
    let built = Command::new("cc")
        .arg(&source)
        .arg("-o")
        .arg(&path)
        .status();
    if !built.is_ok_and(|status| status.success()) {
        return;
    }
    let mut run = measuring("experiment");
    run.args(["--runs", "1", "--fix", "prefault", "--"])
        .arg(&path);
    run.arg("touch").arg(&mark);
    let output = run.output().expect("the binary starts");
    assert_fails(&output, 3, &["prefault", "touch", "seccomp", "unharmed"]);
    assert!(mark.exists(), "the program did its work");
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
