//! Lengths of time as people write them: `5s`, `200ms`, `1m 30s`, or a number of seconds.

use std::time::Duration;

/// Reads a length of time, which must not be zero.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Duration, String> {
    let duration = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds)
            .map_err(|error| format!("{error}: write a time such as 5s or 200ms"))?,
        Err(_not_a_number) => humantime::parse_duration(text)
            .map_err(|error| format!("{error}: write a time such as 5s or 200ms"))?,
    };
    if duration.is_zero() {
        return Err("the time must not be zero: write a time such as 5s".to_owned());
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_need_no_unit_and_nonsense_is_refused() {
        assert_eq!(parse("5"), Ok(Duration::from_secs(5)));
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse("1m 30s"), Ok(Duration::from_secs(90)));
        for text in ["0s", "s", "5 parsecs", "-1", "NaN", "1e300"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
