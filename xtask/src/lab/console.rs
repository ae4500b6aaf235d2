//! What the guest's kernel says, and the words by which it says that it is done for.

use std::collections::VecDeque;

/// Lines kept for the report.
const TAIL: usize = 40;

/// No guest recovers from these in a way that a result could be trusted after.
const FATAL: [&str; 7] = [
    "Kernel panic",
    "BUG: soft lockup",
    "watchdog: BUG:",
    "rcu: INFO:",
    "detected stalls on CPUs",
    "lab: init failed",
    "not syncing",
];

/// The console so far.
#[derive(Debug, Default)]
pub(super) struct Console {
    lines: VecDeque<String>,
    partial: Vec<u8>,
    fatal: Option<String>,
    met_stale_breakpoint: bool,
}

/// How a kernel reports a breakpoint of its own that it has taken away already.
const STALE_BREAKPOINT: &str = "int3: 0000";

impl Console {
    /// Takes more of the console's output.
    pub(super) fn read(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' {
                let line = String::from_utf8_lossy(&self.partial);
                let line = line.trim_end().to_owned();
                self.partial.clear();
                self.line(line);
            } else {
                self.partial.push(byte);
            }
        }
    }

    fn line(&mut self, line: String) {
        self.met_stale_breakpoint |= line.contains(STALE_BREAKPOINT);
        if self.fatal.is_none() && is_fatal(&line) {
            self.fatal = Some(line.clone());
        }
        if self.lines.len() == TAIL {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The first line that says that all is lost.
    pub(super) fn fatal(&self) -> Option<&str> {
        self.fatal.as_deref()
    }

    /// Whether the kernel died of a breakpoint that it had taken away. To patch
    /// its code it puts one there and waits until every processor knows; but an
    /// emulated processor may still run what it translated before.
    pub(super) fn met_stale_breakpoint(&self) -> bool {
        self.met_stale_breakpoint
    }

    /// The last lines.
    pub(super) fn tail(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }
}

fn is_fatal(line: &str) -> bool {
    FATAL.iter().any(|words| line.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Also where the line comes in pieces.
    #[test]
    fn a_panic_is_noticed_and_the_tail_is_kept() {
        let mut console = Console::default();
        for number in 0..100 {
            console.read(format!("line {number}\r\n").as_bytes());
        }
        assert_eq!(console.fatal(), None);
        console.read(b"[    1.0] Kernel pa");
        assert_eq!(console.fatal(), None);
        console.read(b"nic - not syncing: test\r\nmore\r\n");
        assert_eq!(
            console.fatal(),
            Some("[    1.0] Kernel panic - not syncing: test")
        );
        let tail: Vec<&str> = console.tail().collect();
        assert_eq!(tail.len(), TAIL);
        assert_eq!(tail[TAIL - 1], "more");
    }

    #[test]
    fn ordinary_messages_are_not_fatal() {
        assert!(!is_fatal("rcu: Hierarchical RCU implementation."));
        assert!(!is_fatal("Run /init as init process"));
        assert!(is_fatal(
            "rcu: INFO: rcu_preempt self-detected stall on CPU"
        ));
        assert!(is_fatal(
            "watchdog: BUG: soft lockup - CPU#1 stuck for 23s!"
        ));
    }
}
