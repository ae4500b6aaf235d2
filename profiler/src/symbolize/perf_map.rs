//! The names that a program left for the code that it made. Pure.

use std::collections::BTreeMap;

/// Functions taken from one map.
const MOST: usize = 1_000_000;

/// Functions by address: their ends and names.
#[derive(Debug, Default)]
pub struct PerfMap(BTreeMap<u64, (u64, String)>);

impl PerfMap {
    /// Reads lines of `start size name`, the numbers in hexadecimal. Of two
    /// functions at one address the later stands. What makes no sense is passed over.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let functions = text.lines().take(MOST).filter_map(|line| {
            let mut words = line.splitn(3, ' ');
            let hex = |word: Option<&str>| {
                let word = word?;
                u64::from_str_radix(word.trim_start_matches("0x"), 16).ok()
            };
            let (start, size) = (hex(words.next())?, hex(words.next())?);
            let name = words.next()?.trim();
            (!name.is_empty()).then(|| (start, (start.saturating_add(size), name.to_owned())))
        });
        Self(functions.collect())
    }

    /// The function at an address.
    #[must_use]
    pub fn find(&self, address: u64) -> Option<&str> {
        let (_, (end, name)) = self.0.range(..=address).next_back()?;
        (address < *end).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names may have blanks; nonsense neither counts nor harms.
    #[test]
    fn lines_are_read() {
        let map =
            PerfMap::parse("1000 10 a function\nzz 1 x\n\n0x2000 0x8 b\nffffffffffffffff 9 c\n");
        assert_eq!(map.find(0x100f), Some("a function"));
        assert_eq!(map.find(0x1010), None);
        assert_eq!(map.find(0x2001), Some("b"));
        assert_eq!(map.find(0), None);
    }
}
