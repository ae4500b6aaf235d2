//! `/proc/PID/maps`: what is mapped now.

use super::{data::Mapping, record::plain_path};

/// Longest text of one process that is read.
const MOST_BYTES: u64 = 32 << 20;

/// The mappings of a living process; none if it is gone.
#[must_use]
pub fn read(tgid: u32) -> Vec<Mapping> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let read = std::fs::File::open(format!("/proc/{tgid}/maps"))
        .and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes));
    if let Err(error) = read {
        log::debug!("cannot read the mappings of process {tgid}: {error}");
    }
    parse(&String::from_utf8_lossy(&bytes))
}

/// The mappings in the text of such a file. What makes no sense is passed over.
#[must_use]
pub fn parse(text: &str) -> Vec<Mapping> {
    text.lines().filter_map(line).collect()
}

/// One line: `start-end rwxp offset major:minor inode path`.
fn line(line: &str) -> Option<Mapping> {
    let mut rest = line;
    let mut word = || {
        let (word, behind) = rest.split_once(' ')?;
        rest = behind.trim_start();
        Some(word)
    };
    let hex = |text: &str| u64::from_str_radix(text, 16).ok();
    let (start, end) = word()?.split_once('-')?;
    let flags = word()?.as_bytes();
    let offset = hex(word()?)?;
    let (major, minor) = word()?.split_once(':')?;
    // Behind the inode there is nothing where there is no name.
    let (inode, path) = match word() {
        Some(inode) => (inode, rest),
        None => (rest, ""),
    };
    let bit = |at: usize, letter: u8, bit: u32| u32::from(flags.get(at) == Some(&letter)) * bit;
    Some(Mapping {
        start: hex(start)?,
        end: hex(end)?,
        offset,
        path: plain_path(path.replace("\\012", "\n")),
        major: u32::from_str_radix(major, 16).ok()?,
        minor: u32::from_str_radix(minor, 16).ok()?,
        inode: inode.trim().parse().ok()?,
        protection: bit(0, b'r', 1) | bit(1, b'w', 2) | bit(2, b'x', 4),
        shared: flags.get(3) == Some(&b's'),
        from_ns: 0,
        until_ns: None,
        inherited: false,
    })
}

#[cfg(test)]
mod tests {
    use super::line as parse;

    /// Names with blanks are whole, names that are not there are empty.
    #[test]
    fn lines_are_read() {
        let line = "7f00-8000 r-xs 00001000 08:1f 123                        /a b (deleted)";
        let mapping = parse(line).expect("a mapping");
        assert_eq!((mapping.start, mapping.end), (0x7f00, 0x8000));
        assert_eq!((mapping.minor, mapping.inode), (0x1f, 123));
        assert_eq!(mapping.path, "/a b");
        assert!(mapping.shared && mapping.is_executable());
        let plain = parse("7f00-8000 rw-p 00000000 00:00 0 ").expect("a mapping");
        assert_eq!((plain.path.as_str(), plain.protection), ("", 3));
        let named = parse("7f00-8000 r-xp 00000000 00:00 0      [vdso]").expect("a mapping");
        assert_eq!(named.path, "[vdso]");
        assert!(parse("nonsense").is_none());
    }
}
