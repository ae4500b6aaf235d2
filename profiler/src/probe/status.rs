//! What became of the programs, as plain data.

use profiler_common::names::program;
use serde::{Deserialize, Serialize};

use super::backend::Families;
use crate::gap::Unavailable;

/// What became of one program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramStatus {
    /// The program's name.
    pub program: String,
    /// What is not known without it, or null if it is attached.
    pub skipped: Option<Unavailable>,
    /// Events that the kernel passed over because the program was already
    /// running on that CPU; of a program with a substitute, those at most that
    /// both have missed. Null where this kernel does not count them.
    pub misses: Option<u64>,
}

/// What became of the programs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probes {
    /// What became of each.
    pub programs: Vec<ProgramStatus>,
    /// Which families are attached.
    pub families: Families,
    /// Why these families.
    pub reason: String,
}

impl Probes {
    /// Whether a program is attached.
    #[must_use]
    pub fn has(&self, program: &str) -> bool {
        let mut programs = self.programs.iter();
        programs.any(|status| status.skipped.is_none() && status.program == program)
    }

    /// Whether the programs that tell who sends interrupts are attached: those
    /// that this kernel has.
    #[must_use]
    pub fn shows_senders(&self) -> bool {
        self.has(program::CSD_QUEUE_CPU) || self.has(program::IPI_SEND_CPU)
    }
}
