//! The mirrors that apt is told to use, in both of its formats.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The base addresses that offer binary packages of `main`, in apt's order.
pub(super) fn uris(etc_apt: &Path) -> Result<Vec<String>> {
    let mut files = vec![etc_apt.join("sources.list")];
    let mut parts: Vec<PathBuf> = fs::read_dir(etc_apt.join("sources.list.d"))
        .map(|entries| entries.filter_map(|e| Some(e.ok()?.path())).collect())
        .unwrap_or_default();
    parts.sort();
    files.extend(parts);

    let mut uris: Vec<String> = Vec::new();
    for file in files.iter().filter(|file| file.is_file()) {
        let parse = match file.extension().and_then(|extension| extension.to_str()) {
            Some("list") => one_line_format,
            Some("sources") => deb822_format,
            // apt passes such files by, and so do we.
            _ => continue,
        };
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        for uri in parse(&text) {
            if !uris.contains(&uri) {
                uris.push(uri);
            }
        }
    }
    Ok(uris)
}

/// `deb [options] URI SUITE COMPONENT…`
fn one_line_format(text: &str) -> Vec<String> {
    let mut uris = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let Some(rest) = line
            .strip_prefix("deb")
            .filter(|r| r.starts_with([' ', '\t']))
        else {
            continue;
        };
        let rest = rest.trim_start();
        let rest = match rest.strip_prefix('[') {
            Some(options) => options.split_once(']').map_or("", |(_, rest)| rest),
            None => rest,
        };
        let mut words = rest.split_whitespace();
        let uri = words.next();
        if words.skip(1).any(|component| component == "main") {
            uris.extend(uri.map(without_slash));
        }
    }
    uris
}

/// Stanzas of `Field: value`, with continuation lines.
fn deb822_format(text: &str) -> Vec<String> {
    // A comment may stand within a stanza, so it must not end one.
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let text = lines.map(str::trim_end).collect::<Vec<_>>().join("\n");
    let mut uris = Vec::new();
    for stanza in text.split("\n\n") {
        let words = |name| field(stanza, name).unwrap_or_default();
        let disabled = words("Enabled")
            .iter()
            .any(|w| w.eq_ignore_ascii_case("no"));
        let binary = words("Types").iter().any(|word| word == "deb");
        let main = words("Components").iter().any(|word| word == "main");
        if binary && main && !disabled {
            uris.extend(words("URIs").iter().map(|uri| without_slash(uri)));
        }
    }
    uris
}

/// The words of a field, those on continuation lines included.
fn field(stanza: &str, name: &str) -> Option<Vec<String>> {
    let mut lines = stanza.lines().skip_while(|line| {
        !line
            .split_once(':')
            .is_some_and(|(field, _)| field.eq_ignore_ascii_case(name))
    });
    let first = lines.next()?.split_once(':')?.1;
    let more = lines.take_while(|line| line.starts_with([' ', '\t']));
    let words = std::iter::once(first).chain(more);
    Some(
        words
            .flat_map(str::split_whitespace)
            .map(str::to_owned)
            .collect(),
    )
}

fn without_slash(uri: &str) -> String {
    uri.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_entries_with_and_without_options() {
        let text = "# deb http://commented.example/debian x main\n\
            deb http://a.example/debian bookworm main contrib\n\
            deb-src http://source.example/debian bookworm main\n\
            deb [arch=amd64 signed-by=/k.gpg] http://b.example/debian/ bookworm main # why\n\
            deb http://other.example/x stable non-main\n";
        assert_eq!(
            one_line_format(text),
            ["http://a.example/debian", "http://b.example/debian"]
        );
    }

    #[test]
    fn stanzas_with_comments_continuations_and_switches() {
        let text = "Types: deb\n# snapshot http://snapshot.example\nURIs: http://a.example/debian\n\
            Suites: bookworm\nComponents: main\n\n\
            Types: deb deb-src\nURIs: http://b.example/debian/\n http://c.example/debian\n\
            Components: contrib\n main\n\n\
            Enabled: no\nTypes: deb\nURIs: http://off.example\nComponents: main\n\n\
            Types: deb-src\nURIs: http://source.example\nComponents: main\n";
        assert_eq!(
            deb822_format(text),
            [
                "http://a.example/debian",
                "http://b.example/debian",
                "http://c.example/debian"
            ]
        );
    }

    /// As apt does: only `.list` and `.sources`, each address once.
    #[test]
    fn only_the_files_that_apt_reads_count() {
        let folder = tempfile::tempdir().unwrap();
        let parts = folder.path().join("sources.list.d");
        fs::create_dir(&parts).unwrap();
        let line = |host: &str| format!("deb http://{host}.example/debian x main\n");
        fs::write(folder.path().join("sources.list"), line("a")).unwrap();
        fs::write(parts.join("b.list"), line("b") + &line("a")).unwrap();
        fs::write(parts.join("c.list.disabled"), line("c")).unwrap();
        assert_eq!(
            uris(folder.path()).unwrap(),
            ["http://a.example/debian", "http://b.example/debian"]
        );
    }
}
