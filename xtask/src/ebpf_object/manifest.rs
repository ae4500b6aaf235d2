//! The little of `Cargo.toml` that the source hash needs, read line by line.

/// One `name = …` entry of a dependency table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The package's name, also where it goes by another in the code.
    pub(crate) package: String,
    pub(crate) optional: bool,
}

/// The dependencies that a build of the package can need: no dev-dependencies.
pub(crate) fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut found: Vec<Dependency> = Vec::new();
    for (section, entry) in entries(manifest) {
        let (table, name) = match section.rsplit_once("dependencies.") {
            Some((prefix, name)) => (format!("{prefix}dependencies"), name.to_owned()),
            None => (section, key(&entry)),
        };
        if !table.ends_with("dependencies") || table.ends_with("dev-dependencies") {
            continue;
        }
        let package = entry
            .split_once("package = \"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .map_or(name, |(package, _)| package.to_owned());
        found.push(Dependency {
            package,
            optional: entry.contains("optional = true"),
        });
    }
    found
}

/// What the workspace's manifest says on a dependency that members inherit.
pub(crate) fn workspace_entry(manifest: &str, name: &str) -> Option<String> {
    entries(manifest)
        .into_iter()
        .find(|(section, entry)| section == "workspace.dependencies" && key(entry) == name)
        .map(|(_, entry)| entry)
}

/// The edition that members inherit.
pub(crate) fn workspace_edition(manifest: &str) -> Option<String> {
    entries(manifest)
        .into_iter()
        .find(|(section, entry)| section == "workspace.package" && key(entry) == "edition")
        .map(|(_, entry)| entry)
}

/// The overrides for single packages in the release profile: the one thing that
/// our own profile cannot help inheriting from it.
pub(crate) fn release_overrides(manifest: &str) -> String {
    let entries = entries(manifest).into_iter();
    let overrides = entries.filter(|(section, _)| section.starts_with("profile.release.package"));
    let overrides = overrides.map(|(section, entry)| format!("{section}: {entry}"));
    overrides.collect::<Vec<_>>().join("\n")
}

/// `(section, entry)` pairs; an array over several lines is one entry.
fn entries(manifest: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut section = String::new();
    let mut depth = 0;
    for line in manifest.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if depth == 0 && line.starts_with('[') {
            line.trim_matches(['[', ']']).clone_into(&mut section);
            continue;
        }
        match found.last_mut().filter(|_| depth > 0) {
            Some((_, entry)) => entry.push_str(line),
            None => found.push((section.clone(), line.to_owned())),
        }
        depth += line.matches('[').count();
        depth = depth.saturating_sub(line.matches(']').count());
    }
    found
}

/// `aya` out of `aya = "1"`, `aya.workspace = true` and `"aya" = …`.
fn key(entry: &str) -> String {
    let end = entry.find(['=', '.', ' ']).unwrap_or(entry.len());
    entry[..end].trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
[package]
name = "x"
edition.workspace = true

[dependencies]
plain = "1"
inherited.workspace = true
# a comment
maybe = { workspace = true, optional = true }
renamed = { package = "other", version = "2" }

[dependencies.table]
version = "3"

[target.'cfg(unix)'.dependencies]
unix = "1"

[build-dependencies]
built = "1"

[dev-dependencies]
tests-only = "1"
"#;

    #[test]
    fn every_kind_of_dependency_but_dev_is_found() {
        let found = dependencies(MANIFEST);
        let names: Vec<_> = found.iter().map(|d| d.package.as_str()).collect();
        assert_eq!(
            names,
            [
                "plain",
                "inherited",
                "maybe",
                "other",
                "table",
                "unix",
                "built"
            ]
        );
        let optional: Vec<_> = found.iter().filter(|d| d.optional).collect();
        assert_eq!(optional.len(), 1);
        assert_eq!(optional[0].package, "maybe");
    }

    #[test]
    fn overrides_are_found_and_the_profile_itself_is_not() {
        let manifest = "[profile.release]\ndebug = 1\n[profile.release.package.x]\nopt-level = 1\n";
        assert_eq!(
            release_overrides(manifest),
            "profile.release.package.x: opt-level = 1"
        );
    }

    #[test]
    fn the_workspace_entry_is_whole_even_over_several_lines() {
        let manifest = "[workspace.package]\nedition = \"2024\"\n\
             [workspace.dependencies]\naya-log = \"1\"\n\
             aya = { version = \"2\", features = [\n  \"a\",\n] }\nlast = \"1\"\n";
        assert_eq!(
            workspace_entry(manifest, "aya").as_deref(),
            Some("aya = { version = \"2\", features = [\"a\",] }")
        );
        assert_eq!(
            workspace_entry(manifest, "last").as_deref(),
            Some("last = \"1\"")
        );
        assert_eq!(workspace_entry(manifest, "none"), None);
        assert_eq!(
            workspace_edition(manifest).as_deref(),
            Some("edition = \"2024\"")
        );
    }
}
