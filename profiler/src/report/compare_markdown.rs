//! A comparison as Markdown, for job summaries and reviews.

use std::io::{self, Write};

use super::{
    compare::{describe, method},
    compare_sheets::sheets,
};
use crate::compare::model::Compared;

/// Writes a comparison as Markdown.
///
/// # Errors
/// Whatever the output reports.
pub fn write(found: &Compared, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "**{}**", plain(&found.verdict))?;
    if !found.warnings.is_empty() {
        writeln!(out, "\nTo be compared with care:\n")?;
        for warning in &found.warnings {
            writeln!(out, "- {}", plain(warning))?;
        }
    }
    writeln!(out)?;
    for side in &found.sides {
        writeln!(out, "- {}: {}", plain(&side.label), plain(&describe(side)))?;
    }
    for comparison in &found.comparisons {
        let is_only = found.comparisons.len() == 1;
        if !is_only {
            let (before, after) = (plain(&comparison.before), plain(&comparison.after));
            writeln!(out, "\n## {after} beside {before}")?;
        }
        let level = if is_only { "##" } else { "###" };
        for sheet in sheets(found, comparison, None) {
            writeln!(out, "\n{level} {}\n", sheet.title)?;
            if !sheet.rows.is_empty() {
                line(out, &sheet.headings)?;
                let marks = (0..sheet.headings.len()).map(|column| {
                    let is_text = column < sheet.text_columns;
                    if is_text { "---" } else { "---:" }.to_owned()
                });
                line(out, &marks.collect::<Vec<_>>())?;
                for row in &sheet.rows {
                    line(out, row)?;
                }
            }
            if let Some(note) = sheet.note {
                writeln!(out, "\n{}", plain(&note))?;
            }
        }
    }
    if let Some(method) = method(found) {
        writeln!(out, "\nMethod: {}", plain(&method))?;
    }
    Ok(())
}

fn line(out: &mut dyn Write, cells: &[String]) -> io::Result<()> {
    let cells: Vec<String> = cells.iter().map(|cell| plain(cell)).collect();
    writeln!(out, "| {} |", cells.join(" | "))
}

/// A text that Markdown shows as it is: names come from other people's programs.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '|' | '*' | '_' | '<' | '>' | '[' | ']' | '#' => {
                plain.push('\\');
                plain.push(letter);
            }
            letter if letter.is_control() => plain.push(' '),
            letter => plain.push(letter),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name can neither end its cell nor begin a link or a tag.
    #[test]
    fn names_stay_text() {
        assert_eq!(plain("a|b\nc"), "a\\|b c");
        assert_eq!(plain("Vec<T>"), "Vec\\<T\\>");
    }
}
