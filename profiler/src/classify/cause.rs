//! A cause with its detail, as people and documents name it.

use profiler_common::{cause::CauseKind, fault::FaultKind, vector::Vector};

use crate::gap::DEVICE_PREFIX;

/// Why a thread entered the kernel, in full.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A system call, by name.
    Syscall(String),
    /// A page fault, by its kind.
    PageFault(FaultKind),
    /// An interrupt, by its source.
    Interrupt(InterruptSource),
    /// A non-maskable interrupt.
    Nmi,
    /// A processor exception, by the kernel's name for it.
    Exception(String),
    /// The first return of a new task.
    NewTask,
    /// Not understood, and why not.
    Unclassified(String),
}

/// Who interrupted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InterruptSource {
    /// One of the vectors with a purpose of its own.
    Vector(Vector),
    /// A device, by the name of its interrupt.
    Device(String),
    /// A device, but the probe in use does not see which.
    SomeDevice,
    /// Another vector, by the kernel's name for it.
    Other(String),
}

impl Cause {
    /// The cause without its detail.
    #[must_use]
    pub const fn kind(&self) -> CauseKind {
        match self {
            Self::Syscall(_) => CauseKind::Syscall,
            Self::PageFault(_) => CauseKind::PageFault,
            Self::Interrupt(_) => CauseKind::Interrupt,
            Self::Nmi => CauseKind::Nmi,
            Self::Exception(_) => CauseKind::Exception,
            Self::NewTask => CauseKind::NewTask,
            Self::Unclassified(_) => CauseKind::Unclassified,
        }
    }

    /// The detail's name in documents.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Syscall(name) | Self::Exception(name) | Self::Unclassified(name) => name.clone(),
            Self::PageFault(kind) => kind.name().to_owned(),
            Self::Interrupt(source) => match source {
                InterruptSource::Vector(vector) => vector.name().to_owned(),
                InterruptSource::Device(name) => format!("{DEVICE_PREFIX}{name}"),
                InterruptSource::SomeDevice => "device".to_owned(),
                InterruptSource::Other(name) => name.clone(),
            },
            Self::Nmi => "nmi".to_owned(),
            Self::NewTask => "first_return".to_owned(),
        }
    }
}
