//! Settings of the machine that a test changes, and puts back.

use std::{fs, io};

/// Who gets transparent huge pages. With `never`, `khugepaged` rests, too.
pub(crate) const HUGE_PAGES: &str = "/sys/kernel/mm/transparent_hugepage/enabled";

/// Settings that were changed. Dropping it puts back what they were.
#[derive(Default)]
pub(crate) struct Settings(Vec<(String, String)>);

impl Settings {
    /// Changes one more, by the path of its file.
    ///
    /// # Errors
    /// If this machine has no such setting, or does not take the value.
    pub(crate) fn set(&mut self, path: &str, value: &str) -> io::Result<()> {
        let before = fs::read_to_string(path)?;
        fs::write(path, value)?;
        self.0.push((path.to_owned(), chosen(&before).to_owned()));
        Ok(())
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        for (path, before) in self.0.drain(..).rev() {
            // A test that failed has said so already.
            let _ = fs::write(path, before);
        }
    }
}

/// A setting's value: of those that list what there is, the one in brackets.
fn chosen(text: &str) -> &str {
    let marked = text
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    marked.map_or(text.trim(), |(value, _)| value)
}
