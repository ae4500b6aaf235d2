//! What a profile says, made harmless to read.
//!
//! Markup is escaped by the templates. What is left are characters that do not
//! show themselves and change how others are read: controls, and those that
//! turn the direction of text around ("Trojan Source").

use std::fmt::Write;

/// The longest name or cell, in characters. A mangled name may have tens of
/// thousands.
const NAME: usize = 600;
/// The longest label of a chart.
const LABEL: usize = 40;
/// The longest sentence.
const SENTENCE: usize = 6_000;

/// Shows invisible characters by name. For markup as well as for text: our own
/// markup has none of them.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            // Pictures of the controls stand in the order of their codes.
            '\0'..='\u{1f}' => out.push(char::from_u32(0x2400 + u32::from(letter)).unwrap_or('?')),
            '\u{7f}' => out.push('\u{2421}'),
            _ if is_treacherous(letter) => {
                // Writing to a string does not fail.
                let _written = write!(out, "⟨U+{:04X}⟩", u32::from(letter));
            }
            _ => out.push(letter),
        }
    }
    out
}

/// Characters that are not seen, or that make others be seen elsewhere.
fn is_treacherous(letter: char) -> bool {
    matches!(letter,
        '\u{80}'..='\u{9f}'
        | '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{fdd0}'..='\u{fdef}'
        | '\u{e0000}'..='\u{e0fff}')
        || u32::from(letter) & 0xfffe == 0xfffe
}

/// A name or a cell of bounded length: its beginning and its end.
#[must_use]
pub fn short(text: &str) -> String {
    cut(text, NAME)
}

/// A sentence of bounded length, which is cut only if it is absurd.
#[must_use]
pub fn sentence(text: &str) -> String {
    cut(text, SENTENCE)
}

/// A label of a chart, as long as a telephone is wide. The whole of it is in the
/// table with the same numbers.
#[must_use]
pub fn label(text: &str) -> String {
    if text.chars().count() <= LABEL {
        return text.to_owned();
    }
    let begin: String = text.chars().take(LABEL - 1).collect();
    format!("{begin}…")
}

fn cut(text: &str, longest: usize) -> String {
    let length = text.chars().count();
    if length <= longest {
        return text.to_owned();
    }
    let half = longest / 2;
    let begin: String = text.chars().take(half).collect();
    let end: String = text.chars().skip(length - half).collect();
    format!("{begin} […{} characters…] {end}", length - 2 * half)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing that hides or reorders text is left, and the rest is as it was.
    #[test]
    fn invisible_characters_are_shown() {
        assert_eq!(visible("a\u{1b}[31m\n"), "a␛[31m␊");
        assert_eq!(visible("x\u{202e}gpj.exe"), "x⟨U+202E⟩gpj.exe");
        assert_eq!(visible("\u{7f}\u{9b}\u{feff}"), "␡⟨U+009B⟩⟨U+FEFF⟩");
        assert_eq!(visible("Łódź 日本 🦀"), "Łódź 日本 🦀");
    }

    /// Both ends of a long text are kept, and its length is told.
    #[test]
    fn long_texts_are_bounded() {
        let long = format!("begin{}end", "x".repeat(100_000));
        let short = short(&long);
        assert!(short.chars().count() < NAME + 40);
        assert!(short.starts_with("begin") && short.ends_with("end"));
        assert!(short.contains("99408 characters"), "{short}");
    }
}
