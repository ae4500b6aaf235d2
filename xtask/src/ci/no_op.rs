//! Building twice must build once.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::Message;
use modeswitch_object::process;

use super::step;
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
    let rebuilt = rebuilt(&process::output(&mut again)?)?;
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
fn rebuilt(messages: &[u8]) -> Result<Vec<String>> {
    let mut rebuilt = Vec::new();
    for message in Message::parse_stream(messages) {
        if let Message::CompilerArtifact(artifact) = message.context("cargo did not print JSON")?
            && !artifact.fresh
        {
            rebuilt.push(artifact.target.name);
        }
    }
    Ok(rebuilt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_compiled_is_named() {
        let artifact = |name: &str, fresh: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"p","manifest_path":"/p/Cargo.toml","target":{{"kind":["lib"],"crate_types":["lib"],"name":"{name}","src_path":"/p/lib.rs"}},"profile":{{"opt_level":"0","debuginfo":null,"debug_assertions":true,"overflow_checks":true,"test":false}},"features":[],"filenames":[],"executable":null,"fresh":{fresh}}}"#
            )
        };
        let messages = [
            artifact("a", true),
            artifact("b", false),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ]
        .join("\n");
        assert_eq!(rebuilt(messages.as_bytes()).unwrap(), ["b"]);
    }
}
