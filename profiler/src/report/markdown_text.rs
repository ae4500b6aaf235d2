//! Text, code, lists and tables in GitHub-flavoured Markdown.

use std::io::{self, Write};

/// Text in which nothing has a meaning.
pub(super) fn text(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut escaped = String::with_capacity(text.len());
    for (place, &letter) in letters.iter().enumerate() {
        let is_word = |at: Option<usize>| {
            at.and_then(|at| letters.get(at))
                .is_some_and(|letter| letter.is_alphanumeric())
        };
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '|' => escaped.push_str("&#124;"),
            // Within a word it is itself, and names are full of it.
            '_' if is_word(place.checked_sub(1)) && is_word(Some(place + 1)) => escaped.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '#' | '$' | '!' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            letter if is_break(letter) => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Text as code, fenced by more backticks than it has in a row.
pub(super) fn code(text: &str) -> String {
    let text = text.replace(is_break, " ");
    if text.trim().is_empty() {
        return String::new();
    }
    let longest = text.split(|letter| letter != '`').map(str::len).max();
    let fence = "`".repeat(longest.unwrap_or(0) + 1);
    // Code keeps a backslash; in front of a bar it belongs to the table.
    let text = text.replace('|', "\\|");
    if text.contains('`') || text.starts_with(' ') || text.ends_with(' ') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// What ends a line, and what does not show.
fn is_break(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}')
}

/// Writes a labelled point of a list.
pub(super) fn bullet(label: &str, value: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "- {label}: {}", text(value))
}

/// Writes a table whose first columns are text and the others numbers. Headings
/// are escaped here, cells are not.
pub(super) fn table(
    columns: &[&str],
    text_columns: usize,
    rows: impl Iterator<Item = Vec<String>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let headings: Vec<String> = columns.iter().map(|column| text(column)).collect();
    writeln!(out, "| {} |", headings.join(" | "))?;
    let rules = (0..columns.len()).map(|place| if place < text_columns { "---" } else { "---:" });
    let rules: Vec<&str> = rules.collect();
    writeln!(out, "| {} |", rules.join(" | "))?;
    for cells in rows {
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What has a meaning is escaped, and an underscore only where it has one.
    #[test]
    fn meaning_is_taken_away() {
        assert_eq!(text("first_touch"), "first_touch");
        assert_eq!(text("_x_"), "\\_x\\_");
        assert_eq!(text("a|b<c>\n`*`"), "a&#124;b&lt;c&gt; \\`\\*\\`");
    }

    /// A name with backticks is fenced by more of them.
    #[test]
    fn code_is_fenced() {
        assert_eq!(code("f"), "`f`");
        assert_eq!(code("a``b"), "``` a``b ```");
        assert_eq!(code("f|g"), "`f\\|g`");
        assert_eq!(code(" \n"), "");
    }
}
