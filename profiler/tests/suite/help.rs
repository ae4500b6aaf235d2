//! Every help text: its width, its examples, and that it leaves nothing out.

use clap::{Command, CommandFactory, Parser};
use modeswitch::{cli::Cli, gate::parse};

use crate::support::command::{modeswitch, stderr};

const COLUMNS: usize = 80;

/// Every command with the words that call it, but for clap's own `help`.
fn commands() -> Vec<(Vec<String>, Command)> {
    fn add(words: &[String], command: &Command, all: &mut Vec<(Vec<String>, Command)>) {
        all.push((words.to_vec(), command.clone()));
        for inner in command.get_subcommands() {
            if inner.get_name() != "help" {
                let words = [words, &[inner.get_name().to_owned()]].concat();
                add(&words, inner, all);
            }
        }
    }
    let mut root = Cli::command();
    root.build();
    let mut all = Vec::new();
    add(&[], &root, &mut all);
    assert!(all.len() > 10, "{}", all.len());
    all
}

fn help(words: &[String], option: &str, columns: &str) -> String {
    let mut command = modeswitch();
    command.args(words).arg(option).env("COLUMNS", columns);
    let output = command.output().expect("the binary starts");
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).expect("text")
}

/// The words of a line as a shell reads them, up to a pipe or a redirection.
fn shell_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in line.chars() {
        match (quote, letter) {
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == letter => quote = None,
            (None, '|' | '>' | '<' | '#' | ';' | '&') if word.is_none() => return words,
            (None, ';') => break,
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[track_caller]
fn assert_parses(line: &str, place: &str) {
    let line = line.replace("$(pidof server)", "4711");
    if let Err(error) = Cli::try_parse_from(shell_words(&line)) {
        assert!(
            !error.use_stderr(),
            "{place}: `{line}` is not understood: {error}"
        );
    }
}

/// No line of any help is longer than 80 columns, and none depends on the terminal:
/// an example that is wrapped is none.
#[test]
fn help_fits_into_80_columns() {
    for (words, _) in commands() {
        for option in ["-h", "--help"] {
            let text = help(&words, option, "80");
            for line in text.lines() {
                assert!(line.chars().count() <= COLUMNS, "{words:?}: {line}");
            }
            for columns in ["40", "300"] {
                assert_eq!(help(&words, option, columns), text, "{words:?}");
            }
        }
    }
}

/// Each example begins with `modeswitch`, is understood, and says what it is for.
#[test]
fn help_has_examples_that_work() {
    for (words, command) in commands() {
        if words.last().is_some_and(|last| last == "verify") {
            continue;
        }
        let text = help(&words, "--help", "80");
        let examples = text.split_once("\nExamples:\n").expect("examples").1;
        let block = examples.split("\n\n").next().unwrap_or_default();
        let mut lines = block.lines().peekable();
        let mut count = 0;
        while let Some(line) = lines.next() {
            let Some(example) = line
                .strip_prefix("  ")
                .filter(|rest| !rest.starts_with(' '))
            else {
                continue;
            };
            assert!(example.starts_with("modeswitch "), "{words:?}: {example}");
            assert_parses(example, command.get_name());
            count += 1;
            // Several may share what they are for.
            let is_next =
                |next: &&str| next.starts_with("      ") || next.starts_with("  modeswitch");
            assert!(lines.peek().is_some_and(is_next), "{words:?}: {example}");
        }
        assert!(count > 0, "{words:?}");
    }
}

/// The budget in the help of `check` is one.
#[test]
fn help_has_a_budget_that_parses() {
    let text = help(&["check".to_owned()], "--help", "80");
    let budget = text.split_once("\nA budget:\n").expect("a budget").1;
    let budget = budget.split("\n\n").next().unwrap_or_default();
    let parsed = parse::parse(budget);
    assert!(
        parsed.is_ok_and(|parsed| parsed.budget.limits.len() == 1),
        "{budget}"
    );
}

/// Nothing goes without saying: commands, options, arguments and values.
#[test]
fn help_documents_everything() {
    for (words, command) in commands() {
        assert!(command.get_about().is_some(), "{words:?}");
        let text = help(&words, "--help", "80");
        for argument in command.get_arguments().filter(|it| !it.is_hide_set()) {
            let id = argument.get_id();
            let said = argument.get_help().map(ToString::to_string);
            assert!(said.is_some_and(|said| said.len() > 5), "{words:?}: {id}");
            if let Some(long) = argument.get_long() {
                assert!(text.contains(&format!("--{long}")), "{words:?}: {long}");
            }
            for value in argument.get_possible_values() {
                let is_plain = ["help", "version", "verbose", "shell"].contains(&id.as_str());
                let is_flag = !argument.get_action().takes_values();
                let is_said = value.get_help().is_some() || is_plain || is_flag;
                assert!(is_said, "{words:?}: {id} {}", value.get_name());
            }
        }
    }
    let text = help(&["compare".to_owned()], "--help", "80");
    for word in ["NAME=SIDE", "commas", "folder", "pattern", "baseline"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

/// What the documentation tells people to type is understood.
#[test]
fn documentation_has_commands_that_work() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = vec![root.join("README.md")];
    let docs = std::fs::read_dir(root.join("docs")).expect("the documentation");
    files.extend(docs.flatten().map(|entry| entry.path()));
    let mut count = 0;
    for file in files {
        if file.extension().is_none_or(|ending| ending != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("text");
        let text = text.replace("\\\n", " ");
        let mut prompts = None;
        for line in text.lines() {
            if let Some(language) = line.strip_prefix("```") {
                prompts = match language {
                    "sh" => Some(&[""][..]),
                    "console" => Some(&["$ ", "# "]),
                    _ => None,
                };
                continue;
            }
            let mut prompts = prompts.into_iter().flatten();
            let typed = prompts.find_map(|prompt| line.strip_prefix(prompt));
            let typed = typed.map(|line| line.strip_prefix("sudo ").unwrap_or(line));
            if let Some(typed) = typed.filter(|line| line.starts_with("modeswitch ")) {
                assert_parses(typed, &file.display().to_string());
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count}");
}
