//! Files of `/proc/PID`. They have names in them that the process chose, which need not
//! be UTF-8, and which are no reason not to read the rest.

use std::{fs, io, path::Path};

/// The text of a file, with replacement characters for what is not UTF-8.
///
/// # Errors
/// As [`fs::read`].
pub fn text(path: impl AsRef<Path>) -> io::Result<String> {
    fs::read(path).map(|bytes| match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// What `/proc/PID/status` says of a thread.
#[derive(Clone, Debug)]
pub struct Status(String);

impl Status {
    /// Reads that of a thread of any process.
    ///
    /// # Errors
    /// If there is no such thread.
    pub fn of(tid: u32) -> io::Result<Self> {
        text(format!("/proc/{tid}/status")).map(Self)
    }

    /// Reads that of this process.
    ///
    /// # Errors
    /// Without `/proc`.
    pub fn own() -> io::Result<Self> {
        text("/proc/self/status").map(Self)
    }

    /// The field of a name, such as `Tgid`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.0.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(value.trim())
    }

    /// The numbers of a field that has several.
    pub fn numbers(&self, name: &str) -> impl Iterator<Item = u32> {
        let words = self.field(name).unwrap_or_default().split_whitespace();
        words.filter_map(|word| word.parse().ok())
    }

    /// An amount of memory. None for a thread that has ended.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<u64> {
        let kib = self.field(name)?.strip_suffix(" kB")?;
        kib.trim().parse::<u64>().ok()?.checked_mul(1024)
    }

    /// The process that the thread belongs to.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.numbers("Tgid").next()
    }

    /// Whether it has ended, whether or not its parent has asked how.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.field("State")
            .is_none_or(|state| state.starts_with(['Z', 'X', 'x']))
    }

    /// Whether a capability is in its effective set.
    #[must_use]
    pub fn has_capability(&self, capability: u32) -> bool {
        let set = self.field("CapEff");
        let set = set.and_then(|mask| u64::from_str_radix(mask, 16).ok());
        set.is_some_and(|set| set >> capability & 1 == 1)
    }
}

#[cfg(test)]
impl From<&str> for Status {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields are read as the kernel writes them, and one whose name another one begins
    /// with is not taken for it.
    #[test]
    fn fields_are_read() {
        let status = Status::from(
            "Name:\tx\nState:\tS (sleeping)\nTgid:\t7\nNSpid:\t70\t7\nVmLck:\t 8 kB\n\
             CapEff:\t000001ffffffffff\n",
        );
        assert_eq!(status.process(), Some(7));
        assert_eq!(status.numbers("NSpid").collect::<Vec<_>>(), [70, 7]);
        assert_eq!(status.bytes("VmLck"), Some(8192));
        assert_eq!(status.bytes("VmHWM"), None);
        assert!(status.field("Vm").is_none());
        assert!(status.has_capability(40) && !status.has_capability(41));
        assert!(!status.has_ended());
        assert!(Status::from("State:\tZ (zombie)\n").has_ended());
    }

    /// A name that is not UTF-8 hides nothing else.
    #[test]
    fn names_need_not_be_utf_8() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), b"Name:\tcaf\xe9\nTgid:\t7\n").expect("room");
        let read = text(file.path()).expect("it is there");
        assert_eq!(read, "Name:\tcaf\u{fffd}\nTgid:\t7\n");
    }
}
