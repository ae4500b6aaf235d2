//! Lists of CPUs as people and the kernel write them: `0-3,8`.

/// Writes a list of ascending CPU numbers, runs joined.
#[must_use]
pub fn format(cpus: &[u32]) -> String {
    let mut text = String::new();
    let mut rest = cpus;
    while let Some(&first) = rest.first() {
        let run = (first..)
            .zip(rest)
            .take_while(|(expected, cpu)| expected == *cpu)
            .count();
        let last = rest[run - 1];
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&first.to_string());
        if last != first {
            text.push('-');
            text.push_str(&last.to_string());
        }
        rest = &rest[run..];
    }
    text
}

/// Reads a list: ascending, without repetitions.
///
/// # Errors
/// A sentence that names the part that cannot be read.
pub fn parse(text: &str) -> Result<Vec<u32>, String> {
    let mut cpus = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |word: &str| {
            word.trim()
                .parse::<u32>()
                .ok()
                .filter(|&cpu| cpu < 65_536)
                .ok_or_else(|| format!("`{part}` is not a CPU or a range: write 2, 0-3 or 0-3,8"))
        };
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return Err(format!(
                "the range `{part}` runs backwards: write {last}-{first}"
            ));
        }
        cpus.extend(first..=last);
    }
    cpus.sort_unstable();
    cpus.dedup();
    Ok(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs are joined, single CPUs are not.
    #[test]
    fn lists_are_short() {
        assert_eq!(format(&[0, 1, 2, 3, 8]), "0-3,8");
        assert_eq!(format(&[5]), "5");
        assert_eq!(format(&[]), "");
    }

    /// What is written can be read again.
    #[test]
    fn lists_read_back() {
        for cpus in [vec![0], vec![0, 1, 2, 7, 9, 10], vec![3, 5]] {
            assert_eq!(parse(&format(&cpus)), Ok(cpus));
        }
        assert_eq!(parse("3,1,1-2"), Ok(vec![1, 2, 3]));
    }

    /// What is no list is refused, with the part named.
    #[test]
    fn nonsense_is_refused() {
        for nonsense in ["", "a", "1-", "3-1", "1,,2", "-1", "99999999999"] {
            assert!(parse(nonsense).is_err(), "{nonsense}");
        }
    }
}
