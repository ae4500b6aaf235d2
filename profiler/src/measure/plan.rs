//! What to measure, and how.

use std::time::Duration;

use nix::unistd::Pid;

use crate::{launch::command::Command, probe::settings::Settings};

/// What to measure.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A command, and all that it creates.
    Command(Box<Command>),
    /// A running process, and all that it creates.
    Process(Pid),
    /// Everything on some CPUs.
    Cpus(Vec<u32>),
}

/// What to measure, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What.
    pub subject: Subject,
    /// With which probes.
    pub settings: Settings,
    /// For how long at most.
    pub duration: Option<Duration>,
}
