//! The table of probes: what each program is for and where it attaches.

use profiler_common::{names::program, vector::Vector};

use super::{attach_point::AttachPoint, backend::ExitHook, settings::Settings, status::Probes};

/// What a program contributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Follows threads. Needed by every backend.
    Lifecycle,
    /// Counts NMIs. Wanted by every backend.
    Nmi,
    /// Tells returns of signal handlers from other calls without a number. Wanted by
    /// every backend.
    Signals,
    /// Counts page faults, with what they were about. Wanted by every backend.
    Fault,
    /// Finds out how page tables are walked, before anything is counted.
    Calibration,
    /// Counts one kind of entry.
    Entry,
    /// Joins a program of another role, where that can be preempted: what one of the two
    /// is kept from, the other one counts.
    Substitute(&'static Role),
    /// Counts submissions to an io_uring. One of several names it has had.
    Submissions,
    /// Tells apart what call-function interrupts were for: this part of it only where
    /// nothing counts them at their start.
    Mark,
    /// As above, in any case.
    Purpose,
    /// Shows the functions that they call.
    Functions,
    /// As above, where the kernel does not show which functions are called.
    PurposeFallback,
    /// Tells who sends interrupts.
    Senders,
    /// Keeps which thread they are sent to.
    Running,
    /// Tells whose the machine's NUMA-hint faults are.
    NumaHints,
    /// Times what else measured CPUs do.
    Disturbance,
    /// Counts returns.
    Exit(ExitHook),
}

impl Role {
    /// Whether programs of this role are to be attached, given those that are. Of
    /// others, which only one of several is attached of, the session decides.
    #[must_use]
    pub fn is_wanted(self, settings: &Settings, probes: &Probes) -> bool {
        match self {
            Self::Nmi | Self::Signals | Self::Fault | Self::Purpose | Self::Functions => true,
            Self::Entry => probes.families.entry,
            Self::Mark => !probes.families.entry,
            Self::PurposeFallback => !probes.has(program::CSD_FUNCTION_ENTRY),
            Self::Senders => settings.extras.senders,
            Self::Running => settings.extras.senders && probes.shows_senders(),
            Self::NumaHints => settings.wants_numa_hints(),
            Self::Disturbance => settings.extras.disturbance,
            Self::Lifecycle
            | Self::Calibration
            | Self::Substitute(_)
            | Self::Submissions
            | Self::Exit(_) => false,
        }
    }
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
    /// One of several programs on a tracepoint.
    const fn sharing(program: &'static str, tracepoint: &'static str, role: Role) -> Self {
        Self {
            program,
            at: AttachPoint::Tracepoint(tracepoint),
            role,
            required: false,
        }
    }

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

/// Programs that count what another one was kept from: an event is missed only where
/// both are.
pub const SUBSTITUTES: [(&str, &str); 4] = [
    (program::SCHED_PROCESS_EXIT, program::THREAD_GONE),
    (
        program::SCHED_PROCESS_EXEC,
        program::SCHED_PROCESS_EXEC_AGAIN,
    ),
    (program::SYS_EXIT, program::SYS_EXIT_BY_PERF),
    (program::SYS_EXIT, program::SYS_EXIT_AHEAD),
];

/// Every program, in the order in which they are attached: threads must be
/// followed before anything is counted.
#[must_use]
pub fn all() -> Vec<Probe> {
    let mut probes = vec![
        Probe::tracepoint(program::SCHED_WAKEUP_NEW, Role::Lifecycle, true),
        Probe::tracepoint(program::SCHED_PROCESS_EXEC, Role::Lifecycle, true),
        Probe::tracepoint(program::SCHED_PROCESS_EXIT, Role::Lifecycle, true),
        Probe {
            required: true,
            ..Probe::sharing(program::THREAD_GONE, "sched_switch", Role::Lifecycle)
        },
        Probe::sharing(
            program::SCHED_PROCESS_EXEC_AGAIN,
            program::SCHED_PROCESS_EXEC,
            Role::Substitute(&Role::Lifecycle),
        ),
        // The kernel calls them in this order, on which they rely. Of the first two only
        // one is attached.
        Probe {
            program: program::SYS_EXIT_BY_PERF,
            at: AttachPoint::PerfTracepoint("raw_syscalls", program::SYS_EXIT),
            role: Role::Substitute(&Role::Entry),
            required: false,
        },
        Probe::sharing(
            program::SYS_EXIT_AHEAD,
            program::SYS_EXIT,
            Role::Substitute(&Role::Entry),
        ),
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
        Probe::tracepoint(program::SIGNAL_GENERATE, Role::Entry, true),
        Probe::tracepoint(program::SIGNAL_DELIVER, Role::Signals, true),
        Probe::tracepoint(program::NMI_HANDLER, Role::Nmi, false),
    ]);
    probes.extend(interruption());
    probes.extend([
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

/// Interrupts told apart, their senders, and what else CPUs do. No count depends on
/// them.
fn interruption() -> Vec<Probe> {
    let sharing = Probe::sharing;
    let raw = |program, role| Probe {
        at: AttachPoint::RawTracepoint(program),
        ..sharing(program, program, role)
    };
    let marks = [
        (program::MARK_CALL_FUNCTION, "call_function_entry"),
        (
            program::MARK_CALL_FUNCTION_SINGLE,
            "call_function_single_entry",
        ),
    ];
    let mut probes: Vec<Probe> = marks
        .map(|(program, tracepoint)| sharing(program, tracepoint, Role::Mark))
        .to_vec();
    probes.extend([
        Probe::tracepoint(program::CALL_FUNCTION_EXIT, Role::Purpose, false),
        Probe::tracepoint(program::CALL_FUNCTION_SINGLE_EXIT, Role::Purpose, false),
        raw(program::CSD_FUNCTION_ENTRY, Role::Functions),
        Probe::tracepoint(program::TLB_FLUSH, Role::PurposeFallback, false),
        Probe::tracepoint(program::IPI_SEND_CPU, Role::Senders, false),
        raw(program::CSD_QUEUE_CPU, Role::Senders),
        sharing(program::SENDERS_SCHED_SWITCH, "sched_switch", Role::Running),
        Probe {
            at: AttachPoint::Fentry("task_numa_fault"),
            ..sharing(program::NUMA_HINT, "", Role::NumaHints)
        },
    ]);
    let disturbing = DISTURBING
        .iter()
        .map(|&(program, tracepoint)| sharing(program, tracepoint, Role::Disturbance));
    probes.extend(disturbing);
    probes
}

/// Programs that time what takes a CPU away, and their tracepoints.
const DISTURBING: [(&str, &str); 15] = [
    (program::DISTURBANCE_IRQ_ENTRY, "irq_handler_entry"),
    (program::DISTURBANCE_IRQ_EXIT, "irq_handler_exit"),
    (program::DISTURBANCE_SOFTIRQ_ENTRY, "softirq_entry"),
    (program::DISTURBANCE_SOFTIRQ_EXIT, "softirq_exit"),
    ("disturbance_local_timer_entry", "local_timer_entry"),
    ("disturbance_local_timer_exit", "local_timer_exit"),
    ("disturbance_reschedule_entry", "reschedule_entry"),
    ("disturbance_reschedule_exit", "reschedule_exit"),
    ("disturbance_call_function_entry", "call_function_entry"),
    ("disturbance_call_function_exit", "call_function_exit"),
    (
        "disturbance_call_function_single_entry",
        "call_function_single_entry",
    ),
    (
        "disturbance_call_function_single_exit",
        "call_function_single_exit",
    ),
    ("disturbance_irq_work_entry", "irq_work_entry"),
    ("disturbance_irq_work_exit", "irq_work_exit"),
    (program::DISTURBANCE_SCHED_SWITCH, "sched_switch"),
];
