//! Values on the command line, and what to say when they make no sense.

use std::time::Duration;

pub use workload::duration::parse as duration;

/// A list of CPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuList(pub Vec<u32>);

/// Reads a list of CPUs.
///
/// # Errors
/// What is wrong with it.
pub fn cpu_list(text: &str) -> Result<CpuList, String> {
    crate::cpu_list::parse(text).map(CpuList)
}

/// The shortest slot of a timeline: reading the counts takes some part of it.
const SHORTEST_SLOT: Duration = Duration::from_millis(10);

/// Reads the length of a timeline's slots.
///
/// # Errors
/// What is wrong with it.
pub fn timeline_interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    if interval < SHORTEST_SLOT {
        return Err("the interval of a timeline must be at least 10ms".to_owned());
    }
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Units and bare seconds are understood, nonsense is not.
    #[test]
    fn durations() {
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("1.5"), Ok(Duration::from_millis(1_500)));
        assert_eq!(duration("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(timeline_interval("10ms"), Ok(SHORTEST_SLOT));
        assert!(timeline_interval("9ms").is_err());
        for nonsense in ["", "soon", "0", "-1", "nan"] {
            assert!(duration(nonsense).is_err(), "{nonsense}");
        }
    }
}
