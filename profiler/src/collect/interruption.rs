//! What interrupts were for, and who sent them, as the programs keep it.

use anyhow::Result;
use aya::Ebpf;
use profiler_common::{
    interruption::{PurposeKey, SenderCount, SenderKey, purpose_flags},
    names::map,
};
use serde::{Deserialize, Serialize};

use super::{
    bpf_maps::{frames_of, hash, text},
    disturbance::{self, DisturbanceRow},
};
use crate::probe::{session::Session, settings::Extras};

/// What is known of interrupts, besides their number.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Interruptions {
    /// What they were for.
    pub purposes: Vec<PurposeRow>,
    /// Who sent them, if that was asked and can be seen here.
    pub senders: Option<Vec<SenderRow>>,
    /// What else measured CPUs did, if that was asked.
    pub disturbances: Option<Vec<DisturbanceRow>>,
}

impl Interruptions {
    /// Reads them out.
    ///
    /// # Errors
    /// If a map cannot be read.
    pub fn read(session: &mut Session, extras: Extras) -> Result<Self> {
        let shows_senders = extras.senders && session.probes.shows_senders();
        let ebpf = session.ebpf();
        Ok(Self {
            purposes: purposes(ebpf)?,
            senders: shows_senders.then(|| senders(ebpf)).transpose()?,
            disturbances: extras
                .disturbance
                .then(|| disturbance::rows(ebpf))
                .transpose()?,
        })
    }
}

/// Calls of one function by interrupts of one kind that hit one thread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurposeRow {
    /// The thread interrupted.
    pub tid: u32,
    /// Which thread of that number it is.
    pub generation: u32,
    /// The vector's code.
    pub vector: u32,
    /// Address of the function, or 0 where only a TLB flush was seen.
    pub function: u64,
    /// The phase.
    pub phase: u16,
    /// Whether the interrupt had called another function before.
    pub further: bool,
    /// Whether it was seen to flush the TLB, and nothing more.
    pub tlb_flush: bool,
    /// How often.
    pub count: u64,
}

/// Interrupts that one thread asked for at one place, for one measured thread's
/// CPU.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderRow {
    /// The sender.
    pub tid: u32,
    /// Its process.
    pub tgid: u32,
    /// Its name.
    pub comm: String,
    /// Code of the cause by which it had entered the kernel, or 0.
    pub kind: u8,
    /// Bits of `key_flags`.
    pub flags: u8,
    /// The number of its system call, if it was in one.
    pub syscall: u32,
    /// The user instruction by which it had entered, or 0.
    pub user_ip: u64,
    /// Address of the function to be called, or 0: reschedule.
    pub function: u64,
    /// Address of the kernel code that asks.
    pub call_site: u64,
    /// The thread that ran on the CPU.
    pub target_tid: u32,
    /// Which thread of that number it is.
    pub target_generation: u32,
    /// The phase.
    pub phase: u16,
    /// The sender's kernel frames, innermost first, if stacks were taken.
    pub kernel: Vec<u64>,
    /// The sender's user frames, innermost first, if stacks were taken.
    pub user: Vec<u64>,
    /// How often.
    pub count: u64,
}

/// What interrupts were for.
///
/// # Errors
/// If the map cannot be read.
fn purposes(ebpf: &Ebpf) -> Result<Vec<PurposeRow>> {
    let mut rows: Vec<(PurposeKey, u64)> = hash(ebpf, map::PURPOSES)?;
    rows.sort_unstable();
    Ok(rows
        .into_iter()
        .map(|(key, count)| PurposeRow {
            tid: key.tid,
            generation: key.born,
            vector: key.vector,
            function: key.function,
            phase: key.phase,
            further: key.flags & purpose_flags::FURTHER != 0,
            tlb_flush: key.flags & purpose_flags::TLB_FLUSH != 0,
            count,
        })
        .collect())
}

/// Who sent interrupts.
///
/// # Errors
/// If a map cannot be read.
fn senders(ebpf: &Ebpf) -> Result<Vec<SenderRow>> {
    let mut rows: Vec<(SenderKey, SenderCount)> = hash(ebpf, map::SENDERS)?;
    rows.sort_unstable_by_key(|(key, _)| *key);
    let frames = frames_of(ebpf)?;
    Ok(rows
        .into_iter()
        .map(|(key, SenderCount { count, comm })| SenderRow {
            tid: key.tid,
            tgid: key.tgid,
            comm: text(&comm),
            kind: key.kind,
            flags: key.flags,
            syscall: key.syscall,
            user_ip: key.user_ip,
            function: key.function,
            call_site: key.call_site,
            target_tid: key.target_tid,
            target_generation: key.target_born,
            phase: key.phase,
            kernel: frames(key.kernel_stack),
            user: frames(key.user_stack),
            count,
        })
        .collect())
}
