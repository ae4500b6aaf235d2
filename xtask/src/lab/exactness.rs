//! The table of known counts, one for each machine: what each backend made of
//! the programs whose counts are known.

use std::collections::BTreeMap;

use tabled::{
    builder::Builder,
    settings::{Alignment, Modify, Style, object::Columns},
};

use super::suite::Tally;
use crate::test::KnownCount;

/// What stands where a test has said nothing, though it has with another backend.
const MISSING: &str = "MISSING";

/// A table, what to know about it, and whether it is complete.
pub(super) struct Table {
    pub(super) text: String,
    /// Counts that one backend has and another lacks without a word.
    pub(super) missing: usize,
}

/// The table of one machine, if any test knew a count.
pub(super) fn table(tallies: &[Tally]) -> Option<Table> {
    let columns: Vec<Column> = tallies.iter().map(Column::new).collect();
    let mut names: Vec<&str> = Vec::new();
    for known in columns.iter().flat_map(|column| column.counts) {
        if !names.contains(&known.name.as_str()) {
            names.push(&known.name);
        }
    }
    if names.is_empty() {
        return None;
    }
    let mut notes = Notes::default();
    let mut builder = Builder::default();
    let heading = ["program", "known"].into_iter();
    builder.push_record(heading.chain(columns.iter().map(|column| column.backend)));
    let mut missing = 0;
    for name in &names {
        let found: Vec<Option<&KnownCount>> =
            columns.iter().map(|column| column.find(name)).collect();
        let mut row = vec![(*name).to_owned(), known(&found)];
        for (column, count) in columns.iter().zip(&found) {
            row.push(match count {
                Some(count) => cell(count, &mut notes),
                // A round of some tests is not asked for the others' counts.
                None if column.owes(name, &columns) => {
                    missing += 1;
                    MISSING.to_owned()
                }
                None => "-".to_owned(),
            });
        }
        builder.push_record(row);
    }
    let mut table = builder.build();
    table
        .with(Style::psql())
        .with(Modify::new(Columns::new(1..)).with(Alignment::right()));
    let mut text = table.to_string();
    for (note, mark) in &notes.marks {
        text.extend(["\n[", &mark.to_string(), "] ", note]);
    }
    Some(Table { text, missing })
}

/// The counts of one round.
struct Column<'a> {
    backend: &'a str,
    modules: &'static [&'static str],
    counts: &'a [KnownCount],
}

impl<'a> Column<'a> {
    fn new(tally: &'a Tally) -> Self {
        Self {
            backend: &tally.backend,
            modules: tally.modules,
            counts: tally.outcome.as_ref().map_or(&[], |outcome| &outcome.known),
        }
    }

    fn find(&self, name: &str) -> Option<&'a KnownCount> {
        self.counts.iter().find(|known| known.name == name)
    }

    /// Whether a round of these tests has it, or one of fewer tests.
    fn owes(&self, name: &str, all: &[Self]) -> bool {
        let is_among_ours = |other: &&Self| match (self.modules, other.modules) {
            ([], _) => true,
            (_, []) => false,
            (ours, theirs) => theirs.iter().all(|module| ours.contains(module)),
        };
        let mut others = all.iter().filter(is_among_ours);
        others.any(|other| other.find(name).is_some())
    }
}

/// What the count should be.
fn known(found: &[Option<&KnownCount>]) -> String {
    let counts = found.iter().flatten();
    let texts = counts.filter_map(|known| match (known.expected, known.least, known.most) {
        (Some(expected), ..) => Some(grouped(expected)),
        (None, Some(least), Some(most)) => Some(format!("{} to {}", grouped(least), grouped(most))),
        _ => None,
    });
    let mut texts: Vec<String> = texts.collect();
    texts.dedup();
    match texts.len() {
        0 => String::new(),
        1 => texts.remove(0),
        // A witness counted each run for itself.
        _ => "as witnessed".to_owned(),
    }
}

fn cell(known: &KnownCount, notes: &mut Notes) -> String {
    if let Some(reason) = &known.unavailable {
        return format!("n/a [{}]", notes.mark(reason));
    }
    let counted = known.counted.unwrap_or(0);
    let text = grouped(counted);
    if let Some(said) = &known.inexact {
        return format!("{text} [{}]", notes.mark(said));
    }
    match known.expected {
        Some(expected) if expected == counted => format!("{text} ="),
        Some(expected) => format!(
            "{text}, {} missed of {}",
            expected - counted.min(expected),
            known.missed
        ),
        None => text,
    }
}

/// Footnotes, each once.
#[derive(Default)]
struct Notes {
    marks: BTreeMap<String, usize>,
}

impl Notes {
    fn mark(&mut self, note: &str) -> usize {
        let next = self.marks.len() + 1;
        *self.marks.entry(note.to_owned()).or_insert(next)
    }
}

/// A number with its digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index != 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(backend: &str, known: &str) -> Tally {
        let text = format!(r#"{{"passed":1,"failed":[],"skipped":{{}},"known":[{known}]}}"#);
        Tally {
            backend: backend.to_owned(),
            modules: &[],
            outcome: Some(serde_json::from_str(&text).unwrap()),
        }
    }

    const FORKS: &str = r#"{"name":"forks","expected":50000,"counted":50000}"#;
    const SHORT: &str = r#"{"name":"forks","expected":50000,"counted":49990,"missed":12}"#;
    const TRAPS: &str = r#"{"name":"traps","unavailable":"no tracepoint"}"#;

    /// Exact, short of something, and not to be had: each is told from the others.
    #[test]
    fn cells_say_how_exact_they_are() {
        let tallies = [
            tally("fentry", &format!("{FORKS},{TRAPS}")),
            tally("tracepoint", &format!("{SHORT},{TRAPS}")),
        ];
        let table = table(&tallies).unwrap();
        assert_eq!(table.missing, 0);
        for part in [
            "50,000 =",
            "49,990, 10 missed of 12",
            "n/a [1]",
            "[1] no tracepoint",
        ] {
            assert!(table.text.contains(part), "{part}: {}", table.text);
        }
    }

    /// A backend that says nothing of what another one counted is not passed over.
    #[test]
    fn silence_is_seen() {
        let silent = [tally("fentry", FORKS), tally("kprobe", TRAPS)];
        assert_eq!(table(&silent).unwrap().missing, 2);
        let lost = Tally {
            backend: "kprobe".to_owned(),
            modules: &[],
            outcome: None,
        };
        assert_eq!(table(&[tally("fentry", FORKS), lost]).unwrap().missing, 1);
    }

    /// A round of a few tests owes nothing of what only the others count.
    #[test]
    fn short_rounds_owe_less() {
        let whole = tally("auto", &format!("{FORKS},{TRAPS}"));
        let short = |backend, known| Tally {
            modules: &["root_causes"],
            ..tally(backend, known)
        };
        let tallies = [whole, short("kprobe", TRAPS), short("audit", TRAPS)];
        assert_eq!(table(&tallies).unwrap().missing, 0);
        let tallies = [short("kprobe", TRAPS), short("audit", FORKS)];
        assert_eq!(table(&tallies).unwrap().missing, 2);
    }

    #[test]
    fn without_known_counts_there_is_no_table() {
        assert!(table(&[tally("auto", "")]).is_none());
    }
}
