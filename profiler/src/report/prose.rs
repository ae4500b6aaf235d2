//! Sentences in a given width.

use std::io::{self, Write};

use anstyle::Style;

use super::style::Look;

/// Columns of the labels in front of labelled lines.
const LABEL: usize = 22;
/// Columns in front of lines that belong to another.
const INDENT: usize = 4;
/// No narrower than this, whatever the terminal says.
const NARROWEST: usize = 20;

/// Writes a sentence, folded to the terminal's width.
///
/// # Errors
/// Whatever the output reports.
pub fn sentence(out: &mut dyn Write, look: Look, style: Style, text: &str) -> io::Result<()> {
    for line in fold(text, room(look, 0)) {
        writeln!(out, "{style}{line}{style:#}")?;
    }
    Ok(())
}

/// Writes a labelled line, folded beside its label.
///
/// # Errors
/// Whatever the output reports.
pub fn labelled(out: &mut dyn Write, look: Look, label: &str, text: &str) -> io::Result<()> {
    let mut label = label;
    for line in fold(text, room(look, LABEL)) {
        writeln!(out, "{label:LABEL$}{line}")?;
        label = "";
    }
    Ok(())
}

/// Writes a line of a list that belongs to the line above it, folded.
///
/// # Errors
/// Whatever the output reports.
pub fn indented(out: &mut dyn Write, look: Look, style: Style, text: &str) -> io::Result<()> {
    for (index, line) in fold(text, room(look, INDENT + 2)).iter().enumerate() {
        let indent = INDENT + if index == 0 { 0 } else { 2 };
        writeln!(out, "{:indent$}{style}{line}{style:#}", "")?;
    }
    Ok(())
}

/// Columns left beside something of a width.
fn room(look: Look, taken: usize) -> usize {
    let left = |columns: usize| columns.saturating_sub(taken).max(NARROWEST);
    look.columns.map_or(usize::MAX, left)
}

/// Breaks a text between words.
fn fold(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let length = lines.last().map_or(0, |line| line.chars().count());
        if length != 0 && length + 1 + word.chars().count() > room {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text is broken between words and nothing of it is lost.
    #[test]
    fn folding_keeps_every_word() {
        let text = "tracepoints on every way in";
        let lines = fold(text, 12);
        assert!(lines.iter().all(|line| line.len() <= 12), "{lines:?}");
        assert_eq!(lines.join(" "), text);
        assert_eq!(fold(text, usize::MAX).len(), 1);
    }
}
