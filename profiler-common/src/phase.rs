//! The page of memory in which a program marks its phases.
//!
//! The profiler hands the page to the command as an inherited file descriptor
//! ([`FD_VARIABLE`] holds its number). The command maps it shared and stores a
//! phase number at offset 0: the very next entry is counted in that phase, and
//! no system call is made. Everything behind that number is optional.

/// The environment variable that holds the page's file descriptor.
pub const FD_VARIABLE: &str = "MODESWITCH_PHASE_FD";

/// Nothing has been marked yet.
pub const UNMARKED: u32 = 0;
/// Preparing: allocating, opening, warming up.
pub const SETUP: u32 = 1;
/// The part whose behaviour matters.
pub const STEADY: u32 = 2;
/// Cleaning up.
pub const TEARDOWN: u32 = 3;
/// The first number that a program may name itself.
pub const FIRST_CUSTOM: u32 = 4;
/// Phase numbers that can be told apart. Higher ones count as the last.
pub const COUNT: usize = 16;
/// Bytes kept for a phase's name.
pub const NAME_BYTES: usize = 32;
/// Bytes of the mapping: one page.
pub const PAGE_BYTES: usize = 4096;
/// What the page ends with, so that nothing else is taken for it: a program may
/// inherit the variable and not the descriptor.
pub const MAGIC: [u8; 8] = *b"mdswtch1";
/// Where that is.
pub const MAGIC_OFFSET: usize = PAGE_BYTES - MAGIC.len();

/// The start of the page. The rest of it is zero, up to [`MAGIC`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PhasePage {
    /// The phase now. A plain store here is all that marking needs.
    pub current: u32,
    /// How often a marker that also keeps times has marked. 0: the times below
    /// were never kept.
    pub marks: u32,
    /// When the phase now began, by `CLOCK_MONOTONIC`.
    pub entered_ns: u64,
    /// Time spent so far in each phase, without the present stay.
    pub elapsed_ns: [u64; COUNT],
    /// Names of the program's own phases, UTF-8, padded with zero bytes.
    pub names: [[u8; NAME_BYTES]; COUNT],
}

const _: () = assert!(size_of::<PhasePage>() <= MAGIC_OFFSET);
const _: () = assert!(core::mem::offset_of!(PhasePage, current) == 0);

/// The name of a phase that has a fixed one.
#[must_use]
pub const fn fixed_name(phase: u32) -> Option<&'static str> {
    match phase {
        UNMARKED => Some("unmarked"),
        SETUP => Some("setup"),
        STEADY => Some("steady"),
        TEARDOWN => Some("teardown"),
        _ => None,
    }
}
