//! Which kernels a developer asks for.

use std::fmt;

use anyhow::{Context as _, Result, bail};

/// A line of stable releases, such as 6.12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::lab) struct Series {
    major: u32,
    minor: u32,
}

impl Series {
    /// Out of `6.12`, or of a release such as `6.12.117+deb13-amd64`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(|c: char| !c.is_ascii_digit());
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        Some(Self { major, minor })
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// One kernel of `--kernel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lab) enum Wanted {
    /// The latest of a series.
    Series(Series),
    /// The latest there is.
    Newest,
}

/// What the project promises to work on: Debian's last three, and the newest.
const PROMISED: &str = "5.10,6.1,6.12,newest";

impl Wanted {
    /// Reads a list such as `5.10,newest`, or `all`.
    pub(in crate::lab) fn list(text: &str) -> Result<Vec<Self>> {
        let text = if text == "all" { PROMISED } else { text };
        text.split(',')
            .map(|word| Self::parse(word.trim()))
            .collect()
    }

    fn parse(word: &str) -> Result<Self> {
        if word == "newest" {
            return Ok(Self::Newest);
        }
        let understood = || {
            format!("`{word}` is no kernel series: 6.12 is one; `newest` and `all` are understood")
        };
        let series = Series::parse(word).with_context(understood)?;
        if series.to_string() != word {
            bail!("{}", understood());
        }
        Ok(Self::Series(series))
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Series(series) => series.fmt(f),
            Self::Newest => f.write_str("newest"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_nonsense_is_refused() {
        let list = Wanted::list("5.10, newest").unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!(list[0].to_string(), "5.10");
        assert_eq!(list[1], Wanted::Newest);
        assert_eq!(Wanted::list("all").unwrap().len(), 4);
        for wrong in ["", "6", "6.12.1", "six", "6.12,,7.0"] {
            assert!(Wanted::list(wrong).is_err(), "{wrong}");
        }
    }

    /// 6.9 is older than 6.12.
    #[test]
    fn series_are_in_numeric_order() {
        assert!(Series::parse("6.9") < Series::parse("6.12.1+deb13-amd64"));
    }
}
