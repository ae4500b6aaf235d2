//! A cause with its detail, as people and documents name it.

use profiler_common::{
    cause::{CauseKind, fault_bits},
    vector::Vector,
};

/// Why a thread entered the kernel, in full.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A system call, by name.
    Syscall(String),
    /// A page fault, by what the access was and met.
    PageFault(FaultAccess),
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

/// What a faulting access was, as far as the processor tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultAccess {
    /// Read a page that was not there.
    NotPresentRead,
    /// Wrote to a page that was not there.
    NotPresentWrite,
    /// Fetched an instruction from a page that was not there.
    NotPresentExec,
    /// Read a page that may not be read.
    ProtectionRead,
    /// Wrote to a page that may not be written: copy-on-write is of this kind.
    ProtectionWrite,
    /// Fetched an instruction from a page that may not be executed.
    ProtectionExec,
    /// The probe in use does not see the access.
    Unknown,
}

impl FaultAccess {
    /// Reads the hardware's error code.
    #[must_use]
    pub const fn from_error_code(code: u32) -> Self {
        let present = code & fault_bits::PROTECTION != 0;
        if code & fault_bits::INSTRUCTION != 0 {
            if present {
                Self::ProtectionExec
            } else {
                Self::NotPresentExec
            }
        } else if code & fault_bits::WRITE != 0 {
            if present {
                Self::ProtectionWrite
            } else {
                Self::NotPresentWrite
            }
        } else if present {
            Self::ProtectionRead
        } else {
            Self::NotPresentRead
        }
    }

    /// The detail name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotPresentRead => "not_present_read",
            Self::NotPresentWrite => "not_present_write",
            Self::NotPresentExec => "not_present_exec",
            Self::ProtectionRead => "protection_read",
            Self::ProtectionWrite => "protection_write",
            Self::ProtectionExec => "protection_exec",
            Self::Unknown => "unknown",
        }
    }
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
            Self::PageFault(access) => access.name().to_owned(),
            Self::Interrupt(source) => match source {
                InterruptSource::Vector(vector) => vector.name().to_owned(),
                InterruptSource::Device(name) => format!("device:{name}"),
                InterruptSource::SomeDevice => "device".to_owned(),
                InterruptSource::Other(name) => name.clone(),
            },
            Self::Nmi => "nmi".to_owned(),
            Self::NewTask => "first_return".to_owned(),
        }
    }
}
