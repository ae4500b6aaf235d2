//! The table of probes: what each program is for and where it attaches.

use profiler_common::{names::program, vector::Vector};

use super::{attach_point::AttachPoint, backend::ExitHook};

/// What a program contributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Follows threads. Needed by every backend.
    Lifecycle,
    /// Counts NMIs. Wanted by every backend.
    Nmi,
    /// Counts page faults, with what they were about. Wanted by every backend.
    Fault,
    /// Finds out how page tables are walked, before anything is counted.
    Calibration,
    /// Counts one kind of entry.
    Entry,
    /// Counts submissions to an io_uring. One of several names it has had.
    Submissions,
    /// Counts returns.
    Exit(ExitHook),
}

/// One program of the object.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    /// Its name in the object.
    pub program: &'static str,
    /// Where it attaches.
    pub at: AttachPoint,
    /// What it contributes.
    pub role: Role,
    /// Whether the measurement makes no sense without it.
    pub required: bool,
}

impl Probe {
    const fn tracepoint(program: &'static str, role: Role, required: bool) -> Self {
        // Programs on tracepoints bear the tracepoint's name.
        Self {
            program,
            at: AttachPoint::Tracepoint(program),
            role,
            required,
        }
    }
}

/// Every program, in the order in which they are attached: threads must be
/// followed before anything is counted.
#[must_use]
pub fn all() -> Vec<Probe> {
    let mut probes = vec![
        Probe::tracepoint(program::SCHED_PROCESS_FORK, Role::Lifecycle, true),
        Probe::tracepoint(program::SCHED_PROCESS_EXEC, Role::Lifecycle, true),
        Probe::tracepoint(program::SCHED_PROCESS_EXIT, Role::Lifecycle, true),
        Probe::tracepoint(program::SYS_EXIT, Role::Entry, true),
        Probe::tracepoint(program::PAGE_FAULT_USER, Role::Fault, true),
    ];
    // Not every kernel is built with every vector.
    probes.extend(Vector::ALL.iter().map(|vector| {
        let required = matches!(vector, Vector::LocalTimer | Vector::Reschedule);
        Probe::tracepoint(vector.tracepoint(), Role::Entry, required)
    }));
    probes.extend([
        Probe::tracepoint(program::IRQ_HANDLER_ENTRY, Role::Entry, true),
        Probe::tracepoint(program::IRQ_HANDLER_EXIT, Role::Entry, true),
        Probe::tracepoint(program::NMI_HANDLER, Role::Nmi, false),
        Probe::tracepoint(program::IO_URING_SUBMIT_REQ, Role::Submissions, false),
        Probe::tracepoint(program::IO_URING_SUBMIT_SQE, Role::Submissions, false),
    ]);
    probes.extend(ExitHook::ALL.iter().map(|&hook| Probe {
        program: hook.program(),
        at: hook.attach_point(),
        role: Role::Exit(hook),
        required: true,
    }));
    probes
}
