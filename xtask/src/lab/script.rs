//! What the guest shall run, as a shell script.

use std::{
    env,
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

use super::guest::IN_GUEST;

/// Variables that the guest's command sees as ours does.
const PASSED_ON: [&str; 8] = [
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "CARGO_HOME",
    "CARGO_TARGET_DIR",
    "CARGO_MANIFEST_DIR",
];
const OUR_PREFIX: &str = "MODESWITCH_";

/// A command with its surroundings.
#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) folder: PathBuf,
    pub(super) environment: Vec<(OsString, OsString)>,
    /// Run one after the other; the first status that is not 0 is the result.
    pub(super) commands: Vec<Vec<OsString>>,
}

impl Script {
    /// A command as it would run here, with `first_on_path` to look in first.
    pub(super) fn new(folder: PathBuf, first_on_path: &Path) -> Self {
        let mut environment: Vec<_> = env::vars_os()
            .filter(|(name, _)| {
                let name = name.to_string_lossy();
                name.starts_with(OUR_PREFIX) || PASSED_ON.contains(&name.as_ref())
            })
            .collect();
        let mut path = first_on_path.as_os_str().to_owned();
        path.push(":");
        path.push(env::var_os("PATH").unwrap_or_default());
        environment.push(("PATH".into(), path));
        let results = format!("{IN_GUEST}/results");
        environment.push(("MODESWITCH_LAB_RESULTS".into(), results.into()));
        Self {
            folder,
            environment,
            commands: Vec::new(),
        }
    }

    /// Does nothing.
    pub(super) fn trial() -> Self {
        Self {
            folder: "/".into(),
            environment: Vec::new(),
            commands: Vec::new(),
        }
    }

    pub(super) fn render(&self) -> Vec<u8> {
        let mut text = OsString::from("# What `cargo xtask lab` was asked to run.\n");
        for (name, value) in &self.environment {
            text.push("export ");
            text.push(name);
            text.push("=");
            text.push(quoted(value));
            text.push("\n");
        }
        text.push("cd ");
        text.push(quoted(self.folder.as_os_str()));
        text.push(" || exit 1\nstatus=0\n");
        for command in &self.commands {
            let words: Vec<OsString> = command.iter().map(|word| quoted(word)).collect();
            text.push(words.join(OsStr::new(" ")));
            text.push(" || { code=$?; [ $status -ne 0 ] || status=$code; }\n");
        }
        text.push("exit $status\n");
        text.into_vec()
    }
}

/// A word that the shell takes as it is.
fn quoted(word: &OsStr) -> OsString {
    let mut quoted = vec![b'\''];
    for &byte in word.as_bytes() {
        if byte == b'\'' {
            quoted.extend(b"'\\''");
        } else {
            quoted.push(byte);
        }
    }
    quoted.push(b'\'');
    OsString::from_vec(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn run(commands: &[&[&str]], environment: &[(&str, &str)]) -> (String, Option<i32>) {
        let script = Script {
            folder: "/".into(),
            environment: environment
                .iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            commands: commands
                .iter()
                .map(|words| words.iter().map(Into::into).collect())
                .collect(),
        };
        let text = String::from_utf8(script.render()).unwrap();
        let output = Command::new("sh").args(["-c", &text]).output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        (stdout, output.status.code())
    }

    /// Words arrive as they were given, whatever they hold.
    #[test]
    fn words_arrive_unchanged() {
        let awkward = ["it's", "$HOME", "a  b", "\\", "\"", "new\nline", "", "*"];
        let mut command = vec!["printf", "<%s>"];
        command.extend(awkward);
        let expected = format!("<{}>", awkward.join("><"));
        assert_eq!(run(&[&command], &[]), (expected, Some(0)));
        let (seen, _) = run(&[&["printenv", "A"]], &[("A", "it's $x")]);
        assert_eq!(seen, "it's $x\n");
    }

    /// The first failure is the status, and the rest runs all the same.
    #[test]
    fn the_first_failure_is_the_status() {
        let commands: [&[&str]; 4] = [&["true"], &["sh", "-c", "exit 7"], &["false"], &["pwd"]];
        assert_eq!(run(&commands, &[]), ("/\n".to_owned(), Some(7)));
        assert_eq!(run(&[&["no-such-command"]], &[]).1, Some(127));
    }
}
