//! The source tree keeps its promises: data flows one way, and there are no circles.
//!
//! What is read are the paths in the code (`use` trees and others), without comments,
//! strings and tests: a test may need a later stage to make its input.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// A module: `["collect", "mappings", "data"]`.
type Module = Vec<String>;

/// The top-level modules in the order in which data flows. Each may use those before
/// it: first what everyone uses, then the stages.
const ORDER: [&str; 24] = [
    "cpu_list",
    "digits",
    "exit_code",
    "gap",
    "named",
    "stats",
    "untrusted",
    "document",
    "error",
    "kernel",
    "sys",
    "launch",
    "probe",
    "collect",
    "classify",
    "symbolize",
    "measure",
    "profile",
    "fix",
    "compare",
    "gate",
    "experiment",
    "report",
    "cli",
];

/// Arrows against the order, and why each is still there. None may be added.
const LEFT: [(&str, &str, &str); 4] = [
    (
        "compare",
        "report",
        "the words that a conclusion is made of are the report's",
    ),
    ("experiment", "report", "as above"),
    (
        "experiment::own_metrics",
        "experiment::fio",
        "one of the forms that it reads is fio's",
    ),
    (
        "report::check_view",
        "report::gate",
        "the words for breaches are shared with the formats for machines",
    ),
];

/// Modules that reach for a kernel, a process or a file of the target. What works on
/// saved data may use the types of the stages, and none of these.
const IMPURE: [&str; 8] = [
    "launch",
    "measure",
    "sys::confined",
    "sys::perf_event",
    "probe::session",
    "symbolize::user",
    "symbolize::isolated",
    "kernel::symbols",
];
/// What works on saved data.
const PURE: [&str; 6] = ["classify", "profile", "stats", "compare", "gate", "report"];

fn files(folder: &Path, inside: &[String], found: &mut BTreeMap<Module, String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let name = entry.file_name().into_string().expect("a plain name");
        let mut module = inside.to_vec();
        if path.is_dir() {
            module.push(name);
            files(&path, &module, found);
        } else if let Some(name) = name.strip_suffix(".rs") {
            if !["mod", "lib"].contains(&name) {
                module.push(name.to_owned());
            }
            let text = std::fs::read_to_string(&path).expect("a source file");
            found.insert(module, text);
        }
    }
}

/// Code as words and marks, without comments, strings and characters.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let at = |n: usize| chars.get(n).copied().unwrap_or('\n');
    let (mut tokens, mut n) = (Vec::new(), 0);
    while n < chars.len() {
        let c = at(n);
        if c == '/' && at(n + 1) == '/' {
            while n < chars.len() && at(n) != '\n' {
                n += 1;
            }
        } else if c == '"' {
            n += 1;
            while n < chars.len() && at(n) != '"' {
                n += if at(n) == '\\' { 2 } else { 1 };
            }
            n += 1;
        } else if c == 'r' && at(n + 1) == '#' && at(n + 2) == '"' {
            n += 3;
            while n < chars.len() && !(at(n) == '"' && at(n + 1) == '#') {
                n += 1;
            }
            n += 2;
        } else if c == '\'' && at(n + 1) == '\\' {
            n += 3;
            while n < chars.len() && at(n) != '\'' {
                n += 1;
            }
            n += 1;
        } else if c == '\'' && at(n + 2) == '\'' {
            n += 3;
        } else if c.is_alphanumeric() || c == '_' {
            let begin = n;
            while at(n).is_alphanumeric() || at(n) == '_' {
                n += 1;
            }
            tokens.push(chars[begin..n].iter().collect());
        } else if c == ':' && at(n + 1) == ':' {
            tokens.push("::".to_owned());
            n += 2;
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            n += 1;
        }
    }
    tokens
}

/// Without what is compiled for tests only.
fn without_tests(tokens: &[String]) -> Vec<&str> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut n) = (Vec::new(), 0);
    while n < tokens.len() {
        if !tokens[n..].iter().take(MARK.len()).eq(MARK.iter()) {
            kept.push(tokens[n].as_str());
            n += 1;
            continue;
        }
        n += MARK.len();
        let mut depth = 0;
        while n < tokens.len() {
            match tokens[n].as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            let is_end = depth == 0 && matches!(tokens[n].as_str(), "}" | ";");
            n += 1;
            if is_end {
                break;
            }
        }
    }
    kept
}

/// The paths of a tree that begins here, and where it ends.
fn tree(tokens: &[&str], mut n: usize, before: &[String], found: &mut Vec<Module>) -> usize {
    let mut path = before.to_vec();
    while let Some(&token) = tokens.get(n) {
        match token {
            "::" => n += 1,
            "{" if tokens.get(n.wrapping_sub(1)) == Some(&"::") => {
                n += 1;
                while tokens.get(n).is_some_and(|&token| token != "}") {
                    n = tree(tokens, n, &path, found);
                    while tokens.get(n).is_some_and(|&t| t != "," && t != "}") {
                        n += 1;
                    }
                    n += usize::from(tokens.get(n) == Some(&","));
                }
                return n + 1;
            }
            word if word.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                path.push(word.to_owned());
                n += 1;
                if tokens.get(n) != Some(&"::") {
                    break;
                }
            }
            _ => break,
        }
    }
    found.push(path);
    n
}

/// Which module uses which.
fn uses() -> BTreeSet<(Module, Module)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut modules = BTreeMap::new();
    files(&root, &[], &mut modules);
    let for_tests = |text: &str, name: &Module| {
        let (inside, last) = (&name[..name.len().saturating_sub(1)], name.last());
        let declared = modules.get(inside).map_or("", String::as_str);
        let declaration = format!("mod {};", last.map_or("", String::as_str));
        let is_marked = declared.split(&declaration).next().is_some_and(|before| {
            let line = before.trim_end().trim_end_matches("pub(crate)").trim_end();
            declared.contains(&declaration) && line.ends_with("#[cfg(test)]")
        });
        is_marked || last.is_some_and(|last| last.ends_with("_tests")) || text.is_empty()
    };
    let mut uses = BTreeSet::new();
    for (module, text) in &modules {
        if for_tests(text, module) {
            continue;
        }
        let all = tokens(text);
        let tokens = without_tests(&all);
        let mut paths = Vec::new();
        for n in 0..tokens.len() {
            let is_inside = n > 0 && tokens[n - 1] == "::";
            let begins = tokens.get(n + 1) == Some(&"::") && !is_inside;
            if !begins {
                continue;
            }
            let mut found = Vec::new();
            tree(&tokens, n, &[], &mut found);
            for path in found {
                let mut inside = module.clone();
                let mut rest = path.as_slice();
                match rest.first().map(String::as_str) {
                    Some("crate") => {
                        inside.clear();
                        rest = &rest[1..];
                    }
                    Some("super") => {
                        while rest.first().is_some_and(|word| word == "super") {
                            inside.pop();
                            rest = &rest[1..];
                        }
                    }
                    Some("self") => rest = &rest[1..],
                    // A module below this one.
                    _ => {}
                }
                inside.extend(rest.iter().cloned());
                paths.push(inside);
            }
        }
        for path in paths {
            let known = (1..=path.len()).rev().map(|n| path[..n].to_vec());
            let used = known.into_iter().find(|path| modules.contains_key(path));
            if let Some(used) = used.filter(|used| used != module) {
                uses.insert((module.clone(), used));
            }
        }
    }
    uses
}

fn shown(module: &[String]) -> String {
    module.join("::")
}

fn is_left(from: &[String], to: &[String]) -> bool {
    let begins = |module: &[String], with: &str| {
        let name = shown(module);
        name == with || name.starts_with(&format!("{with}::"))
    };
    LEFT.iter()
        .any(|(user, used, _)| begins(from, user) && begins(to, used))
}

/// No top-level module uses a later one, and all of them are in the order.
#[test]
fn top_level_modules_have_one_order() {
    let place = |module: &Module| {
        let name = &module[0];
        let place = ORDER.iter().position(|top| top == name);
        place.unwrap_or_else(|| panic!("`{name}` is not in the order"))
    };
    let uses = uses();
    assert!(uses.len() > 500, "only {} uses were found", uses.len());
    let against: Vec<String> = uses
        .iter()
        .filter(|(from, _)| !matches!(from.first().map(String::as_str), None | Some("main")))
        .filter(|(from, to)| place(from) < place(to) && !is_left(from, to))
        .map(|(from, to)| format!("{} uses {}", shown(from), shown(to)))
        .collect();
    assert!(against.is_empty(), "{against:#?}");
}

/// Inside each folder, no module uses one that uses it, over however many others.
#[test]
fn folders_have_no_circles() {
    let uses = uses();
    let mut arrows: BTreeMap<&[String], BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for (from, to) in uses.iter().filter(|(from, to)| !is_left(from, to)) {
        let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
        let (Some(below), Some(other)) = (from.get(common), to.get(common)) else {
            continue;
        };
        let folder = arrows.entry(&from[..common]).or_default();
        folder.entry(below).or_default().insert(other);
    }
    for (folder, arrows) in arrows {
        for start in arrows.keys() {
            let (mut seen, mut next) = (BTreeSet::new(), vec![*start]);
            while let Some(module) = next.pop() {
                for &used in arrows.get(module).into_iter().flatten() {
                    let folder = shown(folder);
                    assert_ne!(
                        used, *start,
                        "`{start}` of `{folder}` uses itself by `{module}`"
                    );
                    if seen.insert(used) {
                        next.push(used);
                    }
                }
            }
        }
    }
}

/// What works on saved data reaches for no kernel, no process and no file of it.
#[test]
fn pure_stages_stay_pure() {
    for (from, to) in uses() {
        let is_pure = from.first().is_some_and(|top| PURE.contains(&&**top));
        let used = shown(&to);
        let is_impure = |name: &&&str| used == ***name || used.starts_with(&format!("{name}::"));
        let reached = IMPURE.iter().find(is_impure).filter(|_| is_pure);
        assert_eq!(reached, None, "{} uses {used}", shown(&from));
    }
}

/// Every arrow that is left is there, and for a reason.
#[test]
fn what_is_left_is_there() {
    let uses = uses();
    for (from, to, why) in LEFT {
        let is_there = uses.iter().any(|(user, used)| {
            is_left(user, used) && shown(user).starts_with(from) && shown(used).starts_with(to)
        });
        assert!(
            is_there && !why.is_empty(),
            "{from} does not use {to} any more"
        );
    }
}

/// `main.rs` only hands over.
#[test]
fn main_only_hands_over() {
    let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs");
    let text = std::fs::read_to_string(main).expect("a source file");
    assert!(text.lines().count() <= 40);
}
