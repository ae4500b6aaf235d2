//! The source tree keeps its promises.

use std::path::{Path, PathBuf};

/// Stages in the order in which data flows. A stage may use those before it.
const STAGES: [&str; 8] = [
    "classify",
    "profile",
    "experiment",
    "compare",
    "gate",
    "report",
    "cli",
    "main",
];
/// Everything that touches the kernel. Pure stages may use its data types only.
const IMPURE: [&str; 4] = ["launch", "measure", "symbolize::user", "probe::session"];

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files
        .into_iter()
        .map(|path| {
            let name = path
                .strip_prefix(&root)
                .expect("below src")
                .display()
                .to_string();
            (name, std::fs::read_to_string(path).expect("a source file"))
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// A stage that works on data alone does not reach for the kernel.
#[test]
fn pure_stages_stay_pure() {
    for (name, text) in sources() {
        let is_pure = ["classify/", "profile/", "compare/", "gate/", "report/"]
            .iter()
            .any(|s| name.starts_with(s));
        if !is_pure {
            continue;
        }
        for stage in IMPURE {
            assert!(!text.contains(&format!("{stage}::")), "{name} uses {stage}");
        }
    }
}

/// Data flows one way: no stage uses a later one.
#[test]
fn stages_do_not_look_ahead() {
    for (name, text) in sources() {
        let Some(own) = STAGES
            .iter()
            .position(|stage| name.starts_with(&format!("{stage}/")))
        else {
            continue;
        };
        // The words that a conclusion is made of are the report's.
        if matches!(
            name.as_str(),
            "experiment/conclude.rs" | "compare/verdict.rs"
        ) {
            continue;
        }
        for later in &STAGES[own + 1..] {
            assert!(
                !text.contains(&format!("crate::{later}::")),
                "{name} uses {later}"
            );
            assert!(
                !text.contains(&format!("\n    {later}::")),
                "{name} uses {later}"
            );
        }
    }
}

/// `main.rs` only hands over.
#[test]
fn main_only_hands_over() {
    let sources = sources();
    let main = sources.iter().find(|(name, _)| name == "main.rs");
    assert!(main.is_some_and(|(_, text)| text.lines().count() <= 40));
}
