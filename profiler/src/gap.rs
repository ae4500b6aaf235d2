//! Gaps in knowledge: what a run cannot tell, and what that conceals.
//!
//! The one list of them. Whoever finds a gap names it here, and whoever judges a
//! count asks it what it conceals: nobody reads the words.

use std::fmt;

use profiler_common::{cause::CauseKind, fault::FaultKind, names::program, vector::Vector};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// The purpose of an interrupt that is seen to flush the TLB for another CPU.
pub const TLB_SHOOTDOWN: &str = "tlb_shootdown";
/// What the detail of an interrupt begins with, if the device is known.
pub const DEVICE_PREFIX: &str = "device:";
/// Details of interrupts by which a hypervisor calls, by hypervisor.
pub const HYPERVISOR_CALLBACKS: [&str; 5] = [
    "hypervisor_callback",
    "acrn_hv_callback",
    "hyperv_callback",
    "kvm_asyncpf_interrupt",
    "xen_hvm_callback",
];

/// Something that a run cannot tell, and why. In documents `{code, of, what,
/// reason}`: `code` and `of` are for programs, the others for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Unavailable {
    /// What.
    pub gap: Gap,
    /// Why.
    pub reason: String,
}

impl Unavailable {
    /// Says that there is a gap, and why.
    pub fn new(gap: Gap, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { gap, reason }
    }
}

/// What a gap conceals of the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concealed<'a> {
    /// Entries of this cause that are in no count, not even in the total.
    Entries(CauseKind, Details<'a>),
    /// Which of the cause's entries had these details. Their sum is right.
    Split(CauseKind, Details<'a>),
    /// Whether there is a detail of this name at all. None are missing.
    Existence(CauseKind, &'a str),
    /// Which of the call-function interrupts had these purposes.
    Purposes(Details<'a>),
    /// What memory page faults hit.
    Mappings,
    /// It may be anything.
    Everything,
}

/// Details of a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Details<'a> {
    /// All of them.
    All,
    /// The one of this name.
    Named(&'a str),
    /// Those that begin so.
    Prefixed(&'a str),
    /// All but the one of this name.
    AllBut(&'a str),
    /// Those of interrupts that no tracepoint shows: of no device and of no vector
    /// that has one.
    Untraced,
}

impl Details<'_> {
    /// Whether a detail is among them.
    #[must_use]
    pub fn include(self, detail: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(name) => detail == name,
            Self::Prefixed(prefix) => detail.starts_with(prefix),
            Self::AllBut(name) => detail != name,
            Self::Untraced => {
                Vector::from_name(detail).is_none() && !detail.starts_with(DEVICE_PREFIX)
            }
        }
    }
}

/// Defines [`Gap`] from one table: variant, code, words, and what it conceals.
/// A variant may have a subject, `(of)`, which the words can name.
macro_rules! gaps {
    ($($(#[$doc:meta])* $Gap:ident $(($of:ident))? = $code:literal, $words:expr, $conceals:expr;)+) => {
        /// A gap in knowledge.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Gap {
            $($(#[$doc])* $Gap $((gaps!(@subject $of)))?,)+
            /// One that this version does not know: it may conceal anything.
            Other {
                /// Its code, or nothing in documents from before there were codes.
                code: String,
                /// What it is about, if it is about one thing of several.
                of: Option<String>,
                /// Its words.
                what: String,
            },
        }

        impl Gap {
            /// The code in documents. It never changes.
            #[must_use]
            pub fn code(&self) -> &str {
                match self {
                    $(Self::$Gap $((gaps!(@ignore $of)))? => $code,)+
                    Self::Other { code, .. } => code,
                }
            }

            /// What it is about, if it is about one thing of several.
            #[must_use]
            pub fn subject(&self) -> Option<&str> {
                match self {
                    $($(Self::$Gap($of) => Some($of),)?)+
                    Self::Other { of, .. } => of.as_deref(),
                    _ => None,
                }
            }

            /// What is not known, in words.
            #[must_use]
            pub fn what(&self) -> String {
                match self {
                    $(Self::$Gap $(($of))? => { $words.into() })+
                    Self::Other { what, .. } => what.clone(),
                }
            }

            /// What it conceals of the counts.
            #[must_use]
            pub fn conceals(&self) -> Vec<Concealed<'_>> {
                match self {
                    $(Self::$Gap $(($of))? => { $(let _ = $of;)? $conceals.into() })+
                    Self::Other { .. } => vec![Concealed::Everything],
                }
            }

            /// The gap of a document's code and subject.
            fn of_code(code: &str, of: Option<&str>) -> Option<Self> {
                $(if code == $code {
                    return Some(Self::$Gap $((gaps!(@from of $of)))?);
                })+
                None
            }

            /// One of each, with this subject where there is one.
            #[must_use]
            pub fn each(of: &str) -> Vec<Self> {
                let codes = [$($code),+];
                let found = codes.iter().filter_map(|code| Self::of_code(code, Some(of)));
                found.collect()
            }
        }
    };
    (@subject $of:ident) => { String };
    (@ignore $of:ident) => { _ };
    (@from $given:ident $of:ident) => { $given?.to_owned() };
}

use CauseKind::{Exception, Interrupt, Nmi, PageFault, Syscall};
use Concealed::{Entries, Existence, Mappings, Purposes, Split};
use Details::{All, AllBut, Named, Prefixed, Untraced};

const NOTHING: [Concealed<'_>; 0] = [];
/// The detail of page faults whose kind is not known.
const UNKNOWN_KIND: &str = FaultKind::Unknown.name();

gaps! {
    /// How long entries took.
    KernelTime = "kernel_time", "time in the kernel", NOTHING;
    /// Exceptions, which tracepoints do not show.
    Exceptions = "exceptions", "exceptions other than page faults", [Entries(Exception, All)];
    /// Exceptions that the kernel answers with no signal, by which a tracepoint would
    /// show them.
    SilentExceptions = "silent_exceptions", "exceptions that raise no signal",
        [Entries(Exception, All)];
    /// Interrupts of a line of `/proc/interrupts` that moved and that no tracepoint
    /// shows.
    InterruptsOfLine(of) = "interrupts_of_line", format!("interrupts of {of} in /proc/interrupts"),
        [Entries(Interrupt, Untraced)];
    /// Whether there were such interrupts.
    InterruptLines = "interrupt_lines", "interrupts without a tracepoint",
        [Entries(Interrupt, Untraced)];
    /// Interrupts by which a hypervisor calls. Of older documents, as is the one
    /// for all exceptions.
    HypervisorCallbacks = "hypervisor_callbacks", "hypervisor callbacks",
        HYPERVISOR_CALLBACKS.map(|name| Entries(Interrupt, Named(name)));
    /// Which device interrupted.
    Device = "device", "which device interrupted", [Split(Interrupt, Prefixed(DEVICE_PREFIX))];
    /// The kind and the mapping of page faults.
    FaultKindAndMapping = "fault_kind_and_mapping", "the kind and the mapping of a page fault",
        [Split(PageFault, AllBut(UNKNOWN_KIND)), Mappings];
    /// The kind of page faults.
    FaultKind = "fault_kind", "the kind of a page fault", [Split(PageFault, AllBut(UNKNOWN_KIND))];
    /// The mapping of page faults.
    FaultMapping = "fault_mapping", "the mapping of a page fault", [Mappings];
    /// Some of the pages that had page faults.
    FaultPages = "fault_pages", "the pages of all page faults", NOTHING;
    /// What a probe would have told for which this kernel has no place.
    ProbeNotInKernel(of) = "probe_not_in_kernel", without(of), concealed_without(of, false);
    /// What a probe would have told that could not be loaded or attached.
    ProbeNotAttached(of) = "probe_not_attached", without(of), concealed_without(of, true);
    /// Returns that the kernel does not show to a kprobe.
    SkippedKprobe = "skipped_kprobe", "what the kernel kept from the kprobe",
        [Concealed::Everything];
    /// How many events the programs missed.
    Misses = "misses", "events that programs missed", NOTHING;
    /// Code of processes that end soon.
    CodeOfShortProcesses = "code_of_short_processes",
        "the code of processes that are soon gone", NOTHING;
    /// Code of more files than are kept open.
    CodeOfSomeFiles = "code_of_some_files", "the code of some files", NOTHING;
    /// Names of the rarest instructions.
    RareInstructions = "rare_instructions", "the names of the rarest instructions", NOTHING;
    /// Names of what had not been looked up when the user had enough.
    InterruptedNames = "interrupted_names", "the names of all code", NOTHING;
    /// Rows of their own for all threads and places.
    MergedRows = "merged_rows", "a row for each thread, instruction and mapping", NOTHING;
    /// Where some of the memory was made.
    AllocationSites = "allocation_sites", "allocation sites", NOTHING;
    /// What the program said of its work.
    Io = "io", "what the program said of its own work", NOTHING;
    /// Entries over time.
    Timeline = "timeline", "entries over time", NOTHING;
    /// How long a phase lasted.
    PhaseTime(of) = "phase_time", format!("how long the phase `{of}` lasted"), NOTHING;
    /// When the program was in which phase.
    PhaseSpans = "phase_spans", "when the program was in which phase", NOTHING;
    /// Evidence of polling.
    Polling = "polling", "whether polling was really polling", NOTHING;
    /// Senders of interrupts.
    Senders = "senders", "who sent interrupts", NOTHING;
    /// Disturbances.
    Disturbance = "disturbance", "what else the CPUs did", NOTHING;
    /// How much memory was locked at most.
    LockedMemory = "locked_memory", "how much memory was locked at most", NOTHING;
    /// Memory of the command's processes.
    ProcessMemory = "process_memory", "what the command's processes held", NOTHING;
    /// Returns against entries.
    Audit = "audit", "returns against entries", NOTHING;
    /// What the kernel says that the command used.
    Usage = "usage", "what the command used", NOTHING;
}

impl fmt::Display for Gap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.what())
    }
}

/// What is not known without a program, in words.
fn without(name: &str) -> String {
    let words = WORDS_WITHOUT.iter().find(|(program, _)| *program == name);
    words.map_or_else(
        || format!("{name}{EVENTS}"),
        |(_, words)| (*words).to_owned(),
    )
}

const EVENTS: &str = " events";

const WORDS_WITHOUT: [(&str, &str); 5] = [
    (
        program::CSD_FUNCTION_ENTRY,
        "what call-function interrupts were for, other than TLB shootdowns",
    ),
    (
        program::TLB_FLUSH,
        "TLB shootdowns among call-function interrupts",
    ),
    (program::CSD_QUEUE_CPU, "who sent call-function interrupts"),
    (program::IPI_SEND_CPU, "who sent reschedule interrupts"),
    (
        program::SENDERS_SCHED_SWITCH,
        "whose CPU interrupts were sent to",
    ),
];

/// What is concealed without a program. `occurs`: the kernel has what the program
/// was to watch.
fn concealed_without(name: &str, occurs: bool) -> Vec<Concealed<'_>> {
    if let Some(vector) = Vector::ALL
        .iter()
        .find(|vector| vector.tracepoint() == name)
    {
        // A kernel without a vector's tracepoint was built without the vector.
        return vec![if occurs {
            Entries(Interrupt, Named(vector.name()))
        } else {
            Existence(Interrupt, vector.name())
        }];
    }
    match name {
        program::MAJOR_FAULT => vec![Split(PageFault, AllBut(UNKNOWN_KIND))],
        program::NMI_HANDLER => vec![Entries(Nmi, All)],
        program::PAGE_FAULT_USER => vec![Entries(PageFault, All)],
        program::SYS_EXIT => vec![Entries(Syscall, All), Entries(CauseKind::NewTask, All)],
        program::IRQ_HANDLER_ENTRY => vec![Entries(Interrupt, Prefixed(DEVICE_PREFIX))],
        // It tells which of those that share a line was served.
        program::IRQ_HANDLER_EXIT => vec![Split(Interrupt, Prefixed(DEVICE_PREFIX))],
        program::CSD_FUNCTION_ENTRY => vec![Purposes(AllBut(TLB_SHOOTDOWN))],
        program::TLB_FLUSH => vec![Purposes(Named(TLB_SHOOTDOWN))],
        program::MARK_CALL_FUNCTION
        | program::MARK_CALL_FUNCTION_SINGLE
        | program::CALL_FUNCTION_EXIT
        | program::CALL_FUNCTION_SINGLE_EXIT => vec![Purposes(All)],
        // These are compared or broken down, and no count depends on them.
        program::CSD_QUEUE_CPU
        | program::IPI_SEND_CPU
        | program::SENDERS_SCHED_SWITCH
        | program::NUMA_HINT => Vec::new(),
        _ if name.starts_with("disturbance_") => Vec::new(),
        _ => vec![Concealed::Everything],
    }
}

/// A gap as documents have it.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Written {
    /// Which gap it is: a stable code. Documents from before there were codes
    /// have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// What it is about, such as a program's name, if it is about one of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<String>,
    /// What, in words.
    what: String,
    /// Why.
    reason: String,
}

impl From<Unavailable> for Written {
    fn from(Unavailable { gap, reason }: Unavailable) -> Self {
        Self {
            code: Some(gap.code().to_owned()).filter(|code| !code.is_empty()),
            of: gap.subject().map(str::to_owned),
            what: gap.what(),
            reason,
        }
    }
}

impl From<Written> for Unavailable {
    fn from(written: Written) -> Self {
        let Written {
            code,
            of,
            what,
            reason,
        } = written;
        let known = match &code {
            Some(code) => Gap::of_code(code, of.as_deref()),
            None => of_words(&what, &reason),
        };
        let gap = known.unwrap_or_else(|| Gap::Other {
            code: code.unwrap_or_default(),
            of,
            what,
        });
        Self { gap, reason }
    }
}

/// The gap of a document from before there were codes. The only place that knows
/// gaps by their words.
fn of_words(what: &str, reason: &str) -> Option<Gap> {
    if let Some(gap) = Gap::each("").into_iter().find(|gap| gap.what() == what) {
        return Some(gap);
    }
    // Before faults had kinds, these were listed.
    if what.starts_with("the kind of a page fault (") {
        return Some(Gap::FaultKind);
    }
    let mut words = WORDS_WITHOUT.iter();
    let program = words
        .find(|(_, words)| *words == what)
        .map(|(program, _)| *program)
        .or_else(|| what.strip_suffix(EVENTS))?;
    let is_lacking = reason.starts_with("this kernel has no ");
    let gap = if is_lacking {
        Gap::ProbeNotInKernel
    } else {
        Gap::ProbeNotAttached
    };
    Some(gap(program.to_owned()))
}

impl JsonSchema for Unavailable {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Unavailable".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Written::json_schema(generator);
        schema.insert(
            "description".to_owned(),
            "Something that this run cannot tell.".into(),
        );
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each gap is read as what was written, with its code and without, if only
    /// its words are there.
    #[test]
    fn gaps_are_read_as_written() {
        for gap in Gap::each("thermal_apic_entry") {
            let item = Unavailable::new(gap, "this kernel has no tracepoint thermal_apic_entry");
            let mut written = serde_json::to_value(&item).expect("JSON");
            let read = |value: &serde_json::Value| {
                serde_json::from_value::<Unavailable>(value.clone()).expect("a gap")
            };
            assert_eq!(read(&written), item);
            for name in ["code", "of"] {
                written.as_object_mut().expect("an object").remove(name);
            }
            let has_old_words = !matches!(
                item.gap,
                Gap::ProbeNotAttached(_) | Gap::PhaseTime(_) | Gap::InterruptsOfLine(_)
            );
            assert_eq!(read(&written) == item, has_old_words, "{item:?}");
        }
    }

    /// What a newer version could not tell is kept, and may be anything.
    #[test]
    fn unknown_gaps_are_kept() {
        for written in [
            serde_json::json!({"code": "c", "of": "o", "what": "w", "reason": "r"}),
            serde_json::json!({"what": "w", "reason": "r"}),
            // One without the subject that it must have.
            serde_json::json!({"code": "probe_not_attached", "what": "w", "reason": "r"}),
        ] {
            let read: Unavailable = serde_json::from_value(written.clone()).expect("a gap");
            assert_eq!(read.gap.conceals(), [Concealed::Everything]);
            assert_eq!(serde_json::to_value(read).expect("JSON"), written);
        }
    }

    /// A vector that the kernel was built without is missing from no sum; one
    /// that could not be watched is. Who was to count nothing conceals nothing.
    #[test]
    fn programs_conceal_what_they_count() {
        let vector = "thermal_apic_entry".to_owned();
        assert_eq!(
            Gap::ProbeNotInKernel(vector.clone()).conceals(),
            [Existence(Interrupt, "thermal_apic")]
        );
        assert_eq!(
            Gap::ProbeNotAttached(vector).conceals(),
            [Entries(Interrupt, Named("thermal_apic"))]
        );
        let numa = Gap::ProbeNotAttached(program::NUMA_HINT.to_owned());
        assert_eq!(numa.conceals(), NOTHING);
        let unheard_of = Gap::ProbeNotAttached("novel".to_owned());
        assert_eq!(unheard_of.conceals(), [Concealed::Everything]);
    }
}
