//! The grammar of the command line: where the command begins.

use crate::{
    needs_root,
    support::command::{assert_fails, measuring, run, stderr},
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
