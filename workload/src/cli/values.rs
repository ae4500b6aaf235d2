//! Numbers with units, as people write them.

use std::time::Duration;

const DECIMAL: u64 = 1000;
const BINARY: u64 = 1024;

/// Bytes: `512`, `4k`, `64G`.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    scaled(text, BINARY).ok_or_else(|| example("a number of bytes, such as 4096, 4k or 64G"))
}

/// A number of things: `10000`, `10k`, `1M`.
pub(super) fn count(text: &str) -> Result<u64, String> {
    scaled(text, DECIMAL).ok_or_else(|| example("a number, such as 10000, 10k or 1M"))
}

/// A span of time: `5s`, `250ms`, `2m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let milliseconds = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        _ => None,
    };
    number
        .parse::<u64>()
        .ok()
        .zip(milliseconds)
        .and_then(|(number, unit)| number.checked_mul(unit))
        .filter(|&milliseconds| milliseconds > 0)
        .map(Duration::from_millis)
        .ok_or_else(|| example("a span of time with its unit, such as 5s, 250ms or 2m"))
}

fn scaled(text: &str, base: u64) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let power = match unit {
        "" => 0,
        "k" | "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        _ => return None,
    };
    let scaled = number.parse::<u64>().ok()?.checked_mul(base.pow(power))?;
    (scaled > 0).then_some(scaled)
}

fn example(wanted: &str) -> String {
    format!("expected {wanted}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_scale_and_nonsense_is_refused() {
        assert_eq!(bytes("512"), Ok(512));
        assert_eq!(bytes("4k"), Ok(4096));
        assert_eq!(bytes("64G"), Ok(64 << 30));
        assert_eq!(count("1M"), Ok(1_000_000));
        for text in ["", "0", "k", "-1", "1.5G", "4kB", "99999999999T"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_duration_needs_its_unit() {
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        for text in ["5", "0s", "s", "1h", "1.5s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
