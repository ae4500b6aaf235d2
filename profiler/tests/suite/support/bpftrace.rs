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
        Self::at(&format!("kprobe:{function}"), comm)
    }

    /// The same at any probe points, separated by commas.
    ///
    /// # Errors
    /// What bpftrace says if it cannot.
    pub(crate) fn at(probes: &str, comm: &str) -> Result<Self, String> {
        let program = format!(
            "{probes} /comm == \"{comm}\"/ {{ @[kstack] = count(); }} \
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

/// How many of the stacks began in user mode: exactly one frame, the outermost,
/// is a way into the kernel. Up to 5.10 the switch to the stack of interrupts has
/// a frame that is named like one.
pub(crate) fn from_user_mode(stacks: &BTreeMap<Frames, u64>) -> u64 {
    let is_entry = |name: &str| {
        let is_way_in = ["asm_", "entry_", "ret_from_fork"];
        is_way_in.iter().any(|prefix| name.starts_with(prefix)) && !name.starts_with("asm_call_")
    };
    let is_direct = |frames: &Frames| {
        let entries = frames.iter().filter(|(name, _)| is_entry(name)).count();
        entries == 1 && frames.last().is_some_and(|(name, _)| is_entry(name))
    };
    let direct = stacks.iter().filter(|(frames, _)| is_direct(frames));
    direct.map(|(_, count)| count).sum()
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
