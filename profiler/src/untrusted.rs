//! What strangers wrote (names of programs, threads, phases, functions and files),
//! made fit to be shown: nothing of it is a command to a terminal, a line of its own
//! or a change of the order in which letters are read.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// Whether a letter is a command to whoever shows it.
fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                            | '\u{2066}'..='\u{2069}')
}

/// What is shown in a letter's place.
fn harmless(letter: char) -> char {
    match letter {
        '\n' | '\r' | '\t' => ' ',
        other if is_harmful(other) => char::REPLACEMENT_CHARACTER,
        other => other,
    }
}

/// A text as one line.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    if text.contains(is_harmful) {
        text.chars().map(harmless).collect()
    } else {
        text.into()
    }
}

/// A message, which may have several lines.
#[must_use]
pub fn lines(text: &str) -> String {
    let lines: Vec<Cow<'_, str>> = text.split('\n').map(line).collect();
    lines.join("\n")
}

/// A document with all of its texts as lines, for every form but JSON.
///
/// # Errors
/// If it cannot be read back.
pub fn document<T>(document: &T) -> serde_json::Result<Cow<'_, T>>
where
    T: Clone + Serialize + DeserializeOwned,
{
    if !has_harm(document)? {
        return Ok(Cow::Borrowed(document));
    }
    let mut text = Vec::new();
    document.serialize(&mut Serializer::with_formatter(
        &mut text,
        Cleaning(&mut false),
    ))?;
    serde_json::from_slice(&text).map(Cow::Owned)
}

fn has_harm(document: &impl Serialize) -> serde_json::Result<bool> {
    let mut found = false;
    let formatter = Cleaning(&mut found);
    document.serialize(&mut Serializer::with_formatter(io::sink(), formatter))?;
    Ok(found)
}

/// Writes texts as lines, and notes whether that changed any.
struct Cleaning<'a>(&'a mut bool);

impl Formatter for Cleaning<'_> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let clean = line(fragment);
        *self.0 |= matches!(clean, Cow::Owned(_));
        to.write_all(clean.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        let letter = match escape {
            CharEscape::Quote => return to.write_all(b"\\\""),
            CharEscape::ReverseSolidus => return to.write_all(b"\\\\"),
            CharEscape::Solidus => return to.write_all(b"/"),
            CharEscape::Backspace => '\u{8}',
            CharEscape::FormFeed => '\u{c}',
            CharEscape::LineFeed => '\n',
            CharEscape::CarriageReturn => '\r',
            CharEscape::Tab => '\t',
            CharEscape::AsciiControl(byte) => char::from(byte),
        };
        *self.0 = true;
        write!(to, "{}", harmless(letter))
    }
}

/// Writes a document as JSON, which keeps every letter: those that are commands are
/// escaped, also where JSON does not ask for it.
///
/// # Errors
/// Whatever the output reports.
pub fn write_json(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(Escaping(out), document)?;
    writeln!(out)
}

/// Passes JSON on. Letters beyond ASCII are within its texts only.
struct Escaping<'a>(&'a mut dyn Write);

impl Write for Escaping<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let is_escaped = |letter: char| letter >= '\u{7f}' && is_harmful(letter);
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains(is_escaped) => {
                for letter in text.chars() {
                    if is_escaped(letter) {
                        write!(self.0, "\\u{:04x}", u32::from(letter))?;
                    } else {
                        write!(self.0, "{letter}")?;
                    }
                }
            }
            _ => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Text in a cell of a table that a spreadsheet may read: not a formula.
#[must_use]
pub fn cell(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{profile::model::Profile, report::testing::nasty};

    /// The clipboard, the title, the order of letters, lines, and both ways to begin
    /// an escape sequence.
    const HOSTILE: &str = "a\u{1b}]52;c;eA==\u{7}\u{9b}2Jb\u{202e}c\nd\u{2069}\u{7f}\"\\é";

    /// What is left of it is text.
    #[test]
    fn nothing_is_a_command() {
        let clean = "a\u{fffd}]52;c;eA==\u{fffd}\u{fffd}2Jb\u{fffd}c d\u{fffd}\u{fffd}\"\\é";
        assert_eq!(line(HOSTILE), clean);
        assert_eq!(lines("a\nb\u{1b}\n"), "a\nb\u{fffd}\n");
        let profile = nasty(HOSTILE, true);
        let read = document(&profile).expect("read back");
        assert_eq!(json!(*read), json!(nasty(clean, true)));
        let harmless = nasty("é \"\\/", true);
        assert!(matches!(document(&harmless), Ok(Cow::Borrowed(_))));
    }

    /// JSON keeps what is said, and shows none of it.
    #[test]
    fn json_keeps_every_letter() {
        let profile = nasty(HOSTILE, true);
        let mut text = Vec::new();
        write_json(&profile, &mut text).expect("written to memory");
        let text = String::from_utf8(text).expect("text");
        assert!(!text.contains(|letter| letter != '\n' && is_harmful(letter)));
        let read: Profile = serde_json::from_str(&text).expect("JSON");
        assert_eq!(json!(read), json!(profile));
    }
}
