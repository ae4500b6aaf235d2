//! Numbers with units, as people write them.

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
}
