//! Families of metrics, and how they are written.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Write},
};

/// In front of every name.
const PREFIX: &str = "modeswitch_";

/// A metric's value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    /// A count.
    Whole(u64),
    /// A small number with a sign.
    Signed(i32),
    /// A number with a sign.
    Wide(i64),
    /// Any number.
    Real(f64),
    /// Nanoseconds, written as seconds.
    Ns(u64),
}

impl Value {
    /// Both together: amounts add up, of anything else the last is taken.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Self::Whole(a.saturating_add(b)),
            (Self::Ns(a), Self::Ns(b)) => Self::Ns(a.saturating_add(b)),
            (_, last) => last,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Whole(n) => write!(f, "{n}"),
            Self::Signed(n) => write!(f, "{n}"),
            Self::Wide(n) => write!(f, "{n}"),
            Self::Real(n) if n.is_nan() => f.write_str("NaN"),
            Self::Real(n) => write!(f, "{n}"),
            Self::Ns(ns) => {
                let text = format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000);
                f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
            }
        }
    }
}

/// Metrics of one name.
pub(super) struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    /// By labels as they are written: no sample can be there twice.
    samples: BTreeMap<String, Value>,
}

impl Family {
    /// What only grows. Its samples' names end in `_total`.
    pub(super) fn counter(name: &'static str, help: &'static str) -> Self {
        Self::new(name, "counter", help)
    }

    /// What may go either way.
    pub(super) fn gauge(name: &'static str, help: &'static str) -> Self {
        Self::new(name, "gauge", help)
    }

    /// Quantiles.
    pub(super) fn summary(name: &'static str, help: &'static str) -> Self {
        Self::new(name, "summary", help)
    }

    fn new(name: &'static str, kind: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind,
            help,
            samples: BTreeMap::new(),
        }
    }

    /// Adds a sample. Counts of the same labels are added up.
    pub(super) fn add<'a>(
        &mut self,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
        value: Value,
    ) {
        let labels: Vec<String> = labels
            .into_iter()
            .map(|(name, text)| format!("{name}=\"{}\"", escaped(text)))
            .collect();
        // Two names may differ only in what cannot be written, or be the same
        // because the program has given it twice.
        self.samples
            .entry(labels.join(","))
            .and_modify(|held| *held = held.and(value))
            .or_insert(value);
    }

    /// With one sample.
    pub(super) fn with<'a>(
        mut self,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
        value: Value,
    ) -> Self {
        self.add(labels, value);
        self
    }

    /// With one sample that has no labels.
    pub(super) fn alone(self, value: Value) -> Self {
        self.with([], value)
    }

    /// Writes the family, if it has any samples.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self {
            name, kind, help, ..
        } = self;
        if self.samples.is_empty() {
            return Ok(());
        }
        writeln!(out, "# HELP {PREFIX}{name} {help}")?;
        writeln!(out, "# TYPE {PREFIX}{name} {kind}")?;
        let suffix = if *kind == "counter" { "_total" } else { "" };
        for (labels, value) in &self.samples {
            if labels.is_empty() {
                writeln!(out, "{PREFIX}{name}{suffix} {value}")?;
            } else {
                writeln!(out, "{PREFIX}{name}{suffix}{{{labels}}} {value}")?;
            }
        }
        Ok(())
    }
}

/// A label's text between its quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            // Some readers end a line here.
            letter if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') => {
                escaped.push(' ');
            }
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds are exact to the nanosecond.
    #[test]
    fn seconds() {
        assert_eq!(Value::Ns(2_000_000_000).to_string(), "2");
        assert_eq!(Value::Ns(10_000_000_001).to_string(), "10.000000001");
        assert_eq!(Value::Ns(0).to_string(), "0");
        assert_eq!(Value::Ns(500).to_string(), "0.0000005");
    }

    /// What has a meaning between quotes is escaped.
    #[test]
    fn labels() {
        assert_eq!(escaped("a\\\"b\nc\rd"), "a\\\\\\\"b\\nc d");
    }

    /// Names given twice are one sample.
    #[test]
    fn no_sample_twice() {
        let mut family = Family::counter("x", "X.");
        family.add([("p", "a\r")], Value::Whole(1));
        family.add([("p", "a\t")], Value::Whole(2));
        let mut text = Vec::new();
        family.write(&mut text).expect("written to memory");
        let text = String::from_utf8(text).expect("UTF-8");
        assert!(text.ends_with("modeswitch_x_total{p=\"a \"} 3\n"), "{text}");
    }
}
