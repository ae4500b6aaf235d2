//! Commands that can be typed again.

/// A command as a shell takes it.
#[must_use]
pub(crate) fn line(words: &[String]) -> String {
    words
        .iter()
        .map(|word| quoted(word))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A word, quoted if the shell would take it for something else.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-+=./:,@%".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the shell would expand, split or run is quoted.
    #[test]
    fn words_are_quoted() {
        let words = ["/bin/echo", "a b", "", "it's", "$(reboot)", "*", "~", "k=v"];
        let words = words.map(str::to_owned);
        assert_eq!(
            line(&words),
            r"/bin/echo 'a b' '' 'it'\''s' '$(reboot)' '*' '~' k=v"
        );
    }
}
