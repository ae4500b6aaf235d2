//! The counts as a table for spreadsheets and data frames: CSV with the quoting
//! of RFC 4180 and lines that end in a line feed. A text that a spreadsheet would
//! take for a formula has an apostrophe before it.
//!
//! Long form, one count a row. Rows whose `record` is `entries` add up to the
//! ledger's total; rows whose `record` is `code` say again, by instruction, what
//! is known of the code, of all threads and phases together.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use ::csv::Writer;

use crate::{
    profile::{
        model::{CodeRow, Profile},
        processes,
    },
    untrusted::cell,
};

/// The columns, in order. New ones are added at the end.
pub const COLUMNS: [&str; 13] = [
    "record", "cause", "detail", "phase", "tgid", "tid", "comm", "entries", "user_ip", "symbol",
    "file", "line", "module",
];

/// Writes the table.
///
/// # Errors
/// Whatever the output reports.
pub fn write(profile: &Profile, out: &mut dyn Write) -> io::Result<()> {
    // In memory first: a pipe closed early is to be seen as such by the caller.
    let mut text = Vec::new();
    fill(profile, &mut text)?;
    out.write_all(&text)
}

fn fill(profile: &Profile, out: &mut Vec<u8>) -> io::Result<()> {
    let mut csv = Writer::from_writer(out);
    csv.write_record(COLUMNS)?;
    let mut without_thread = by_phase(profile);
    for thread in &profile.ledger.by_thread {
        for row in &thread.by_cause {
            for (phase, &count) in &row.phases {
                let key = (row.cause.as_str(), row.detail.as_str(), phase.as_str());
                if let Some(rest) = without_thread.get_mut(&key) {
                    *rest = rest.saturating_sub(count);
                }
                let tgid = processes::of(thread).to_string();
                entries(
                    &mut csv,
                    key,
                    [&tgid, &thread.tid.to_string(), &thread.comm],
                    count,
                )?;
            }
        }
    }
    for (key, count) in without_thread {
        entries(&mut csv, key, ["", "", ""], count)?;
    }
    let names = processes::names(profile);
    for row in &profile.ledger.by_code {
        code(&mut csv, &processes::name(&names, row.tgid), row)?;
    }
    csv.flush()
}

/// Cause, detail and phase.
type Key<'a> = (&'a str, &'a str, &'a str);

/// All entries, of which those of threads are taken away: what is left had no
/// room in the ledger.
fn by_phase(profile: &Profile) -> BTreeMap<Key<'_>, u64> {
    let mut counts = BTreeMap::new();
    for row in &profile.ledger.by_cause {
        for (phase, &count) in &row.phases {
            let key = (row.cause.as_str(), row.detail.as_str(), phase.as_str());
            *counts.entry(key).or_default() += count;
        }
    }
    counts
}

fn entries<W: Write>(
    csv: &mut Writer<W>,
    (cause, detail, phase): Key<'_>,
    [tgid, tid, comm]: [&str; 3],
    count: u64,
) -> io::Result<()> {
    if count == 0 {
        return Ok(());
    }
    let count = count.to_string();
    csv.write_record([
        "entries",
        &cell(cause),
        &cell(detail),
        &cell(phase),
        tgid,
        tid,
        &cell(comm),
        &count,
        "",
        "",
        "",
        "",
        "",
    ])
    .map_err(io::Error::from)
}

fn code<W: Write>(csv: &mut Writer<W>, comm: &str, row: &CodeRow) -> io::Result<()> {
    let text = |text: &Option<String>| cell(text.as_deref().unwrap_or_default()).into_owned();
    csv.write_record([
        "code",
        &cell(&row.cause),
        &cell(&row.detail),
        "",
        &row.tgid.to_string(),
        "",
        &cell(comm),
        &row.count.to_string(),
        &row.user_ip,
        &text(&row.symbol),
        &text(&row.file),
        &row.line.map_or_else(String::new, |line| line.to_string()),
        &text(&row.module),
    ])
    .map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{nasty, random_names};

    /// Whatever the names, they come back unchanged, or as text that would be a
    /// formula; every row has every column,
    /// and the rows of entries add up to the total.
    #[test]
    fn any_name_comes_back() {
        for name in random_names(200) {
            let profile = nasty(&name, false);
            let mut text = Vec::new();
            write(&profile, &mut text).expect("written to memory");
            let mut reader = ::csv::Reader::from_reader(text.as_slice());
            assert_eq!(reader.headers().expect("columns"), COLUMNS.as_slice());
            let mut sum = 0;
            for record in reader.records() {
                let record = record.expect("as many fields as columns");
                let name = cell(&name);
                assert_eq!(record[2], name);
                if &record[0] == "entries" {
                    sum += record[7].parse::<u64>().expect("a count");
                } else {
                    assert_eq!([&record[9], &record[10], &record[12]], [&*name; 3]);
                }
            }
            assert_eq!(sum, profile.ledger.total, "{name:?}");
        }
    }
}
