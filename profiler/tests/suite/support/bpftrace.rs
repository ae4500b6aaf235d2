//! The classic one-liner, as an independent witness.

use std::{collections::BTreeMap, process::Command};

use super::background::Background;

/// bpftrace counting the kernel stacks of a function for one program.
pub(crate) struct Witness(Background);

/// Frames, innermost first: function and offset.
pub(crate) type Frames = Vec<(String, u64)>;

impl Witness {
    /// Begins to count, and returns when the probe is attached: timers of
    /// bpftrace do not run before that.
    ///
    /// # Errors
    /// What bpftrace says if it cannot.
    pub(crate) fn start(function: &str, comm: &str) -> Result<Self, String> {
        let program = format!(
            "kprobe:{function} /comm == \"{comm}\"/ {{ @[kstack] = count(); }} \
             interval:ms:200 {{ printf(\"ready\\n\"); }}"
        );
        let mut command = Command::new("bpftrace");
        Background::start(command.args(["-e", &program])).map(Self)
    }

    /// Ends it, and returns how often it has seen each stack.
    pub(crate) fn stacks(self) -> BTreeMap<Frames, u64> {
        parse(&self.0.interrupt())
    }
}

/// Understands `@[`, a frame a line, `]: count`.
fn parse(text: &str) -> BTreeMap<Frames, u64> {
    let mut stacks = BTreeMap::new();
    let mut frames = Frames::new();
    for line in text.lines().map(str::trim) {
        if line == "@[" {
            frames.clear();
        } else if let Some(count) = line.strip_prefix("]: ") {
            *stacks.entry(frames.clone()).or_default() += count.parse::<u64>().expect("a count");
        } else if let Some((name, offset)) = line.rsplit_once('+') {
            frames.push((name.to_owned(), offset.parse().expect("an offset")));
        }
    }
    stacks
}
