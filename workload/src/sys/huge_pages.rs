//! How much of a mapping the kernel has given huge pages.

use std::fs;

/// Bytes in huge pages of the mapping that an address is in. Nothing if this
/// kernel does not tell.
pub(crate) fn bytes_around(address: usize) -> Option<usize> {
    bytes_in(&fs::read_to_string("/proc/self/smaps").ok()?, address)
}

fn bytes_in(smaps: &str, address: usize) -> Option<usize> {
    let mut is_ours = false;
    for line in smaps.lines() {
        if let Some((start, end)) = range(line) {
            is_ours = (start..end).contains(&address);
        } else if let Some(text) = line.strip_prefix("AnonHugePages:").filter(|_| is_ours) {
            let kib: usize = text.trim().strip_suffix(" kB")?.trim().parse().ok()?;
            return Some(kib * 1024);
        }
    }
    None
}

/// The range of a mapping's first line.
fn range(line: &str) -> Option<(usize, usize)> {
    let (start, end) = line.split_once(' ')?.0.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    Some((number(start)?, number(end)?))
}

/// What the machine's setting is, in words.
pub(crate) fn setting() -> String {
    let path = "/sys/kernel/mm/transparent_hugepage/enabled";
    match fs::read_to_string(path) {
        Ok(text) => format!("{path} is `{}`", text.trim()),
        Err(_) => "this kernel has no transparent huge pages".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mapping's own line counts, not its neighbours'.
    #[test]
    fn the_right_mapping_is_read() {
        let text = "1000-3000 rw-p 00000000 00:00 0 \nSize: 8 kB\nAnonHugePages:         0 kB\n\
                    200000-600000 rw-p 00000000 00:00 0 \nAnonHugePages:      4096 kB\n";
        assert_eq!(bytes_in(text, 0x2000), Some(0));
        assert_eq!(bytes_in(text, 0x20_0000), Some(4 << 20));
        assert_eq!(bytes_in(text, 0x60_0000), None);
    }
}
