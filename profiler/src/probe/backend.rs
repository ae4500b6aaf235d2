//! Which family of probes to use.

use profiler_common::names::program;
use serde::{Deserialize, Serialize};

use super::attach_point::AttachPoint;
use crate::document::probes::BackendName;

/// What the user asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum BackendChoice {
    /// The best that this kernel can run.
    #[default]
    Auto,
    /// Hook the return to user mode with a BPF trampoline.
    Fentry,
    /// The same on another function, up to Linux 6.7.
    FentryPrepare,
    /// Hook the return with a kprobe: the classic method, which can lose events.
    Kprobe,
    /// The same on the function that fentry prefers.
    KprobeFpregs,
    /// Use the tracepoints on every way into the kernel.
    Tracepoint,
    /// Use both families at once and check them against each other.
    Audit,
}

/// A place that every return to user mode passes, and the way to watch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitHook {
    /// fentry on `fpregs_assert_state_consistent`.
    FentryFpregs,
    /// fentry on `exit_to_user_mode_prepare`.
    FentryPrepare,
    /// kprobe on `exit_to_user_mode_prepare`.
    KprobePrepare,
    /// kprobe on `fpregs_assert_state_consistent`.
    KprobeFpregs,
}

/// Called once for each return, on kernels with `CONFIG_X86_DEBUG_FPU`.
const FPREGS: &str = "fpregs_assert_state_consistent";
/// Called once for each return up to Linux 6.7, inlined since.
const PREPARE: &str = "exit_to_user_mode_prepare";

impl ExitHook {
    /// All of them, best first within each mechanism.
    pub const ALL: [Self; 4] = [
        Self::FentryFpregs,
        Self::FentryPrepare,
        Self::KprobePrepare,
        Self::KprobeFpregs,
    ];

    /// The program that serves it.
    #[must_use]
    pub const fn program(self) -> &'static str {
        match self {
            Self::FentryFpregs => program::EXIT_FENTRY_FPREGS,
            Self::FentryPrepare => program::EXIT_FENTRY_PREPARE,
            Self::KprobePrepare => program::EXIT_KPROBE_PREPARE,
            Self::KprobeFpregs => program::EXIT_KPROBE_FPREGS,
        }
    }

    /// Where it attaches.
    #[must_use]
    pub const fn attach_point(self) -> AttachPoint {
        match self {
            Self::FentryFpregs => AttachPoint::Fentry(FPREGS),
            Self::FentryPrepare => AttachPoint::Fentry(PREPARE),
            Self::KprobePrepare => AttachPoint::Kprobe(PREPARE),
            Self::KprobeFpregs => AttachPoint::Kprobe(FPREGS),
        }
    }

    /// The function watched.
    #[must_use]
    pub const fn function(self) -> &'static str {
        match self {
            Self::FentryFpregs | Self::KprobeFpregs => FPREGS,
            Self::FentryPrepare | Self::KprobePrepare => PREPARE,
        }
    }

    /// Whether threads that are killed on their way out never get that far: it
    /// comes behind the loop that delivers signals.
    #[must_use]
    pub const fn passes_late(self) -> bool {
        matches!(self, Self::FentryFpregs | Self::KprobeFpregs)
    }

    /// Whether it is a kprobe.
    #[must_use]
    pub const fn is_kprobe(self) -> bool {
        matches!(self, Self::KprobePrepare | Self::KprobeFpregs)
    }
}

impl BackendChoice {
    /// The exit hooks to try, in this order. The first that attaches is used.
    #[must_use]
    pub fn exit_candidates(self) -> &'static [ExitHook] {
        const FENTRY: &[ExitHook] = &[ExitHook::FentryFpregs, ExitHook::FentryPrepare];
        const KPROBE: &[ExitHook] = &[ExitHook::KprobePrepare, ExitHook::KprobeFpregs];
        match self {
            // A kprobe can lose events silently, so tracepoints come before it.
            Self::Auto | Self::Fentry => FENTRY,
            Self::FentryPrepare => &[ExitHook::FentryPrepare],
            Self::Kprobe => KPROBE,
            Self::KprobeFpregs => &[ExitHook::KprobeFpregs],
            Self::Audit => &ExitHook::ALL,
            Self::Tracepoint => &[],
        }
    }

    /// Whether tracepoints may stand in where no exit hook attaches.
    #[must_use]
    pub const fn may_fall_back(self) -> bool {
        matches!(self, Self::Auto)
    }
}

/// The families in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Families {
    /// Tracepoints on the ways in.
    pub entry: bool,
    /// The hook on the way out.
    pub exit: Option<ExitHook>,
}

impl Families {
    /// The name in reports and documents.
    #[must_use]
    pub const fn name(self) -> BackendName {
        match (self.entry, self.exit) {
            (true, Some(_)) => BackendName::Audit,
            (_, Some(hook)) if hook.is_kprobe() => BackendName::Kprobe,
            (_, Some(_)) => BackendName::Fentry,
            (_, None) => BackendName::Tracepoint,
        }
    }
}
