//! Building twice must build once.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::step;
use crate::ebpf_object::process;
use crate::workspace;

pub(super) fn check() -> Result<()> {
    step::quietly(&mut build())?;
    // Writes the index, as people's prompts and editors do all day.
    let mut git = Command::new("git");
    git.args(["status", "--short"])
        .current_dir(workspace::root());
    // Where there is no git, its index cannot be in the way.
    let _ = git.output();

    let mut again = build();
    again.arg("--message-format=json");
    let output = again
        .output()
        .with_context(|| format!("cannot start `{}`", process::describe(&again)))?;
    let text = String::from_utf8(output.stdout).context("cargo did not print text")?;
    let rebuilt = rebuilt(&text)?;
    ensure!(
        rebuilt.is_empty(),
        "a second build with nothing changed compiled {}",
        rebuilt.join(", ")
    );
    Ok(())
}

fn build() -> Command {
    let mut cargo = workspace::cargo();
    cargo.arg("build").args(workspace::HOST_PACKAGES);
    cargo
}

/// The targets that cargo did not find fresh.
fn rebuilt(messages: &str) -> Result<Vec<String>> {
    let messages = messages.lines().map(serde_json::from_str);
    let messages: Vec<Value> = messages
        .collect::<Result<_, _>>()
        .context("cargo did not print JSON")?;
    let stale = messages.iter().filter(|message| message["fresh"] == false);
    Ok(stale.map(|m| m["target"]["name"].to_string()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_compiled_is_named() {
        let messages = "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"a\"},\"fresh\":true}\n\
            {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"b\"},\"fresh\":false}\n\
            {\"reason\":\"build-finished\",\"success\":true}";
        assert_eq!(rebuilt(messages).unwrap(), ["\"b\""]);
    }
}
