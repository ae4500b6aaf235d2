//! What is wrong with a budget, and where.

use std::{fmt, ops::Range};

/// A mistake in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The first character of it that is wrong, from 1.
    pub column: usize,
    /// How many characters are wrong.
    pub width: usize,
    /// The line's text.
    pub source: String,
    /// What may have been meant.
    pub suggestion: Option<String>,
}

impl Diagnostic {
    /// About some bytes of a text. Where a span is longer than its first line,
    /// only that is shown.
    #[must_use]
    pub fn new(text: &str, span: Range<usize>, message: String) -> Self {
        let start = floor(text, span.start);
        let before = &text[..start];
        let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let source = text[begin..end].trim_end_matches('\r').to_owned();
        let last = floor(text, span.end).clamp(start, end);
        Self {
            message,
            line: before.matches('\n').count() + 1,
            column: text[begin..start].chars().count() + 1,
            width: text[start..last].chars().count().max(1),
            source,
            suggestion: None,
        }
    }

    /// Adds what may have been meant: the most similar of some names, if one is
    /// similar enough.
    #[must_use]
    pub fn meant<'a>(mut self, word: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.suggestion = similar(word, names).map(str::to_owned);
        self
    }
}

/// The most similar of some names, if one is similar enough to be a slip.
#[must_use]
pub fn similar<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = (word.chars().count() / 3).clamp(1, 3);
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|&(distance, _)| distance <= far)
        .min()
        .map(|(_, name)| name)
}

/// The place itself, or the character's beginning that it is inside of.
fn floor(text: &str, place: usize) -> usize {
    let place = place.min(text.len());
    (0..=place)
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}

/// Without the file's name, which only the caller knows.
impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        // Tabs stay tabs, so that the caret stands where they put it.
        let indent: String = self
            .source
            .chars()
            .take(self.column - 1)
            .map(|letter| if letter == '\t' { '\t' } else { ' ' })
            .collect();
        let carets = "^".repeat(self.width);
        writeln!(out, "{}", self.message)?;
        writeln!(out, "{margin} |")?;
        writeln!(out, "{number} | {}", self.source)?;
        write!(out, "{margin} | {indent}{carets}")?;
        if let Some(name) = &self.suggestion {
            write!(out, " did you mean `{name}`?")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any place in any text can be shown: at its end, across lines, inside a
    /// character.
    #[test]
    fn every_place_has_a_line() {
        let text = "a = 1\nü = \"é\"\r\nc";
        for start in 0..=text.len() + 2 {
            for end in 0..=text.len() + 2 {
                let found = Diagnostic::new(text, start..end, "x".to_owned());
                assert!((1..=3).contains(&found.line) && found.width >= 1, "{found}");
            }
        }
        let found = Diagnostic::new(text, 12..14, "x".to_owned());
        assert_eq!((found.line, found.column, found.width), (2, 6, 1));
    }

    /// A slip is found, another word is not.
    #[test]
    fn slips_are_recognised() {
        let names = ["syscall", "page_fault", "nmi"];
        assert_eq!(similar("sycsall", names), Some("syscall"));
        assert_eq!(similar("pagefault", names), Some("page_fault"));
        assert_eq!(similar("interrupt", names), None);
    }
}
