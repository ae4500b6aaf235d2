//! Numbers as people read them.

pub use crate::digits::count;

/// A count that may be a mean: whole if it is whole.
#[must_use]
pub fn amount(value: f64) -> String {
    let is_whole = value >= 0.0 && value.fract() == 0.0;
    if is_whole { whole(value) } else { rate(value) }
}

/// A number that is not negative, rounded to a whole one.
fn whole(value: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and saturating is right for a count beyond u64"
    )]
    let whole = value.round() as u64;
    count(whole)
}

/// A rate: whole above a hundred, with three digits below.
#[must_use]
pub fn rate(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    if value >= 100.0 {
        return whole(value);
    }
    if value >= 10.0 {
        format!("{value:.1}")
    } else if value > 0.0 && value < 0.01 {
        format!("{value:.4}")
    } else {
        format!("{value:.2}")
    }
}

/// A length of time: `812 ns`, `4.20 µs`, `10.0 s`.
#[must_use]
pub fn duration_ns(ns: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are printed")]
    let value = ns as f64;
    let (scaled, unit) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => (value / 1e3, "µs"),
        1_000_000..1_000_000_000 => (value / 1e6, "ms"),
        _ => (value / 1e9, "s"),
    };
    let digits = if scaled >= 100.0 {
        0
    } else if scaled >= 10.0 {
        1
    } else {
        2
    };
    format!("{scaled:.digits$} {unit}")
}

/// A size of memory: `4 KiB`, `128 MiB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    let (scaled, unit) = match bytes {
        0..0x400 => return format!("{bytes} B"),
        0x400..0x10_0000 => (bytes * 10 / 0x400, "KiB"),
        0x10_0000..0x4000_0000 => (bytes / 0x400 * 10 / 0x400, "MiB"),
        _ => (bytes / 0x10_0000 * 10 / 0x400, "GiB"),
    };
    match (scaled / 10, scaled % 10) {
        (whole, 0) => format!("{whole} {unit}"),
        (whole, _) if whole >= 100 => format!("{whole} {unit}"),
        (whole, tenth) => format!("{whole}.{tenth} {unit}"),
    }
}

/// Letters of a command in a heading.
const COMMAND: usize = 100;

/// A command as a heading has it: programs can have arguments by the thousand. The
/// document has it whole.
#[must_use]
pub fn shortened(command: &str) -> String {
    match command.char_indices().nth(COMMAND) {
        Some((end, _)) => format!("{}…", &command[..end]),
        None => command.to_owned(),
    }
}

/// A part of a whole in per cent: all of it and nothing are said of nothing else.
#[must_use]
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    #[expect(clippy::cast_precision_loss, reason = "one digit is printed")]
    let percent = part as f64 * 100.0 / whole as f64;
    if part != 0 && percent < 0.1 {
        "< 0.1 %".to_owned()
    } else if part < whole && percent > 99.9 {
        "> 99.9 %".to_owned()
    } else {
        format!("{percent:.1} %")
    }
}

/// A round number that is not below a value: 1, 2 or 5 times a power of ten.
#[must_use]
pub fn round_up(value: f64) -> f64 {
    if !(value.is_finite() && value > 0.0) {
        return 1.0;
    }
    let decade = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|digit| digit * decade)
        .find(|&round| round >= value)
        .unwrap_or(decade * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thousands are set apart from the right.
    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(1_027_524), "1,027,524");
    }

    /// The unit follows the size, and three digits are kept.
    #[test]
    fn durations_have_fitting_units() {
        assert_eq!(duration_ns(812), "812 ns");
        assert_eq!(duration_ns(4_200), "4.20 µs");
        assert_eq!(duration_ns(10_000_000_000), "10.0 s");
        assert_eq!(duration_ns(999_999_999), "1000 ms");
    }

    /// The unit follows the size, and a fraction is shown where there is one.
    #[test]
    fn sizes_have_fitting_units() {
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(4096), "4 KiB");
        assert_eq!(bytes(128 << 20), "128 MiB");
        assert_eq!(bytes(3 << 29), "1.5 GiB");
    }

    /// However many arguments, a heading stays one, cut between letters.
    #[test]
    fn headings_are_bounded() {
        assert_eq!(shortened("true --fast"), "true --fast");
        let long = shortened(&"é ".repeat(30_000));
        assert_eq!(long.chars().count(), COMMAND + 1);
        assert!(long.ends_with('…'));
    }

    /// A small share is not shown as none, nor a large one as all.
    #[test]
    fn small_shares_are_not_zero() {
        assert_eq!(share(1, 1_000_000), "< 0.1 %");
        assert_eq!(share(0, 10), "0.0 %");
        assert_eq!(share(999_999, 1_000_000), "> 99.9 %");
        assert_eq!(share(10, 10), "100.0 %");
        assert_eq!(share(0, 0), "-");
    }

    /// A whole amount has no fraction, another one has.
    #[test]
    fn amounts_are_whole_if_they_can_be() {
        assert_eq!(amount(0.0), "0");
        assert_eq!(amount(4_096.0), "4,096");
        assert_eq!(amount(2.5), "2.50");
    }

    /// Rates keep what matters at their size.
    #[test]
    fn rates_keep_three_digits() {
        assert_eq!(rate(4_130.4), "4,130");
        assert_eq!(rate(12.14), "12.1");
        assert_eq!(rate(0.0004), "0.0004");
        assert_eq!(rate(f64::NAN), "-");
    }

    /// The top of an axis is round and not below what it shows.
    #[test]
    fn axes_end_at_round_numbers() {
        assert!((round_up(4_096.0) - 5_000.0).abs() < 1e-6);
        assert!((round_up(1.0) - 1.0).abs() < 1e-9);
        assert!((round_up(0.0) - 1.0).abs() < 1e-9);
    }
}
