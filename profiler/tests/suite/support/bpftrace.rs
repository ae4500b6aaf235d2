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
        Self::run(&format!(
            "kprobe:{function} /comm == \"{comm}\"/ {{ @[kstack] = count(); }}"
        ))
    }

    /// The same at any probe points, separated by commas, thread by thread: of a
    /// thread that gives itself a name, and of the program that it begins as.
    ///
    /// # Errors
    /// What bpftrace says if it cannot.
    pub(crate) fn of_threads(probes: &str, comms: [&str; 2]) -> Result<Self, String> {
        let [first, second] = comms;
        Self::run(&format!(
            "{probes} /comm == \"{first}\" || comm == \"{second}\"/ \
             {{ @[tid, kstack] = count(); }}"
        ))
    }

    fn run(program: &str) -> Result<Self, String> {
        let program = format!("{program} interval:ms:200 {{ printf(\"ready\\n\"); }}");
        let mut command = Command::new("bpftrace");
        Background::start(command.args(["-e", &program])).map(Self)
    }

    /// Ends it, and returns how often it has seen each stack.
    pub(crate) fn stacks(self) -> BTreeMap<Frames, u64> {
        let all = parse(&self.0.interrupt()).into_iter();
        all.map(|((_, frames), count)| (frames, count)).collect()
    }

    /// Ends it, and returns how often it has seen each stack of one thread.
    pub(crate) fn stacks_of(self, tid: u64) -> BTreeMap<Frames, u64> {
        let all = parse(&self.0.interrupt()).into_iter();
        all.filter(|((of, _), _)| *of == Some(tid))
            .map(|((_, frames), count)| (frames, count))
            .collect()
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

/// Understands `@[` with a thread's number where there is one, a frame a line,
/// `]: count`.
fn parse(text: &str) -> BTreeMap<(Option<u64>, Frames), u64> {
    let mut stacks = BTreeMap::new();
    let mut tid = None;
    let mut frames = Frames::new();
    for line in text.lines().map(str::trim) {
        if let Some(key) = line.strip_prefix("@[") {
            tid = key.trim_end_matches([',', ' ']).parse().ok();
            frames.clear();
        } else if let Some(count) = line.strip_prefix("]: ") {
            let count: u64 = count.parse().expect("a count");
            *stacks.entry((tid, frames.clone())).or_default() += count;
        } else if let Some((name, offset)) = line.rsplit_once('+') {
            frames.push((name.to_owned(), offset.parse().expect("an offset")));
        }
    }
    stacks
}
