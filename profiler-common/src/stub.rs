//! How a thread came into the kernel, as one word, and the ranges of such words
//! that the programs must recognise.
//!
//! Without FRED each cause has an entry stub of its own, and the word is the
//! return address that the stub pushed below the thread's saved registers. With
//! FRED all of them come in at one place, and the processor saves what happened
//! in the upper half of the stack segment: then the word is that event's
//! [code](event). Codes are small numbers and the kernel's text lies in the last
//! 2 GiB, so not even the low halves of the two can be mistaken for each other.

use crate::vector::{Trap, Vector};

/// The return addresses that calls in a piece of kernel text push. Empty if unknown.
///
/// Where a call is the last instruction, its return address is the first one
/// behind the text; and no call returns to the text's first instruction. So the
/// range is `start <= address < end` with both moved up by one, which is done
/// here and nowhere else.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextRange {
    /// First return address.
    pub start: u64,
    /// First address after the last one.
    pub end: u64,
}

impl TextRange {
    /// The return addresses of calls between two addresses, the second exclusive.
    #[must_use]
    pub const fn of_returns_into(text_start: u64, text_end: u64) -> Self {
        Self {
            start: text_start + 1,
            end: text_end + 1,
        }
    }

    /// Whether `address` is such a return address.
    #[inline(always)]
    #[must_use]
    pub const fn contains(&self, address: u64) -> bool {
        // One comparison: an address below the start wraps far above the length.
        address.wrapping_sub(self.start) < self.end.wrapping_sub(self.start)
    }
}

/// The ranges that the programs compare against, filled in before loading.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryText {
    /// All entry code (`__entry_text_start` to `__entry_text_end`, or FRED's entry
    /// points). Always addresses, as are the next and `ret_from_fork`.
    pub all: TextRange,
    /// FRED's entry point for events from user mode. Empty without FRED: then the
    /// other ranges are of addresses, else of codes.
    pub fred_user: TextRange,
    /// The 64-bit `syscall` instruction.
    pub syscall: TextRange,
    /// `int 0x80`, under any of its names.
    pub int80: TextRange,
    /// `sysenter` and the 32-bit `syscall` instruction.
    pub compat: TextRange,
    /// Page faults.
    pub page_fault: TextRange,
    /// The first return of a new task.
    pub ret_from_fork: TextRange,
    /// Device interrupts.
    pub common_interrupt: TextRange,
    /// Non-maskable interrupts.
    pub nmi: TextRange,
    /// One stub for each [`Vector`], by its code.
    pub vectors: [TextRange; Vector::ALL.len()],
    /// One stub for each [`Trap`], in the order of its table.
    pub traps: [TextRange; Trap::ALL.len()],
    /// The code of KVM that calls whatever enters a guest. Empty without KVM.
    pub guest_entry: TextRange,
}

impl EntryText {
    /// Nothing is known: every range is empty.
    pub const UNKNOWN: Self = {
        const EMPTY: TextRange = TextRange { start: 0, end: 0 };
        Self {
            all: EMPTY,
            fred_user: EMPTY,
            syscall: EMPTY,
            int80: EMPTY,
            compat: EMPTY,
            page_fault: EMPTY,
            ret_from_fork: EMPTY,
            common_interrupt: EMPTY,
            nmi: EMPTY,
            vectors: [EMPTY; Vector::ALL.len()],
            traps: [EMPTY; Trap::ALL.len()],
            guest_entry: EMPTY,
        }
    };

    /// What there is to recognise on a processor with FRED.
    ///
    /// Vectors from `first_system` on have handlers of their own, those below it
    /// are devices'.
    #[must_use]
    pub fn fred(
        all: TextRange,
        fred_user: TextRange,
        ret_from_fork: TextRange,
        first_system: u8,
        guest_entry: TextRange,
    ) -> Self {
        let one = |code: u64| TextRange {
            start: code,
            end: code + 1,
        };
        let mut vectors = [TextRange::default(); Vector::ALL.len()];
        for (range, vector) in vectors.iter_mut().zip(Vector::ALL) {
            *range = one(event::code(event::EXTERNAL, vector.number()));
        }
        Self {
            all,
            fred_user,
            syscall: one(event::SYSCALL),
            int80: one(event::INT80),
            compat: one(event::SYSENTER),
            page_fault: one(event::PAGE_FAULT),
            ret_from_fork,
            common_interrupt: TextRange {
                start: event::DEVICE,
                end: event::code(event::EXTERNAL, first_system),
            },
            nmi: one(event::NMI_CODE),
            vectors,
            // Told by their events: see `event::trap`.
            traps: [TextRange::default(); Trap::ALL.len()],
            guest_entry,
        }
    }
}

/// Codes of FRED's events.
pub mod event {
    use super::{TextRange, Trap};

    /// An external interrupt.
    pub const EXTERNAL: u8 = 0;
    /// A non-maskable interrupt.
    pub const NMI: u8 = 2;
    /// An exception that the processor raises.
    pub const EXCEPTION: u8 = 3;
    /// `int n`.
    pub const SOFTWARE_INTERRUPT: u8 = 4;
    /// `int1`.
    pub const PRIVILEGED_SOFTWARE_EXCEPTION: u8 = 5;
    /// `int3` and `into`.
    pub const SOFTWARE_EXCEPTION: u8 = 6;
    /// `syscall` and `sysenter`.
    pub const OTHER: u8 = 7;

    /// Set in every code: 0 stands for no word at all.
    const MARK: u64 = 1 << 16;
    /// Set in the code of an event of type [`OTHER`] from 64-bit code.
    const IN_64_BIT_CODE: u64 = 1 << 8;

    /// `syscall` in 64-bit code. Elsewhere it is an invalid opcode.
    pub const SYSCALL: u64 = code(OTHER, 1) | IN_64_BIT_CODE;
    /// `sysenter` in 32-bit code. Elsewhere it is an invalid opcode.
    pub const SYSENTER: u64 = code(OTHER, 2);
    /// `int 0x80`.
    pub const INT80: u64 = code(SOFTWARE_INTERRUPT, 0x80);
    /// A page fault.
    pub const PAGE_FAULT: u64 = code(EXCEPTION, 14);
    /// A non-maskable interrupt.
    pub const NMI_CODE: u64 = code(NMI, 2);
    /// Any device's interrupt; as an event, that of the first external vector.
    pub const DEVICE: u64 = code(EXTERNAL, 0x20);

    /// The code of an event.
    #[must_use]
    pub const fn code(kind: u8, vector: u8) -> u64 {
        MARK | (kind as u64) << 12 | vector as u64
    }

    /// The type and the vector that a code stands for; nothing for an address.
    #[must_use]
    pub const fn parts(code: u64) -> Option<(u8, u8)> {
        let [vector, kind, ..] = code.to_le_bytes();
        if code >> 16 == 1 {
            Some((kind >> 4, vector))
        } else {
            None
        }
    }

    /// The exception that an event of a type and a vector is.
    #[inline(always)]
    #[must_use]
    pub const fn trap(kind: u8, vector: u8) -> Option<Trap> {
        match (kind, vector) {
            (SOFTWARE_INTERRUPT, 3 | 4)
            | (EXCEPTION | PRIVILEGED_SOFTWARE_EXCEPTION | SOFTWARE_EXCEPTION, _) => {
                Trap::from_code(vector as u32)
            }
            (SOFTWARE_INTERRUPT, 0x80) => None,
            // Any other `int n` is what user code may not ask for.
            (SOFTWARE_INTERRUPT, _) => Some(Trap::GeneralProtection),
            // `syscall` and `sysenter` in code of the other width. Where the code is
            // of the right one, they are calls.
            (OTHER, _) => Some(Trap::InvalidOpcode),
            _ => None,
        }
    }

    /// The code of the event by which a thread came in, from the saved stack
    /// segment and system-call number. All of `devices` have one code, since one
    /// handler serves them.
    #[inline(always)]
    #[must_use]
    pub const fn of_frame(ss: u64, orig_ax: u64, devices: TextRange) -> u64 {
        let [_, _, _, _, vector, _, kind, _] = ss.to_le_bytes();
        let kind = kind & 0xf;
        let mut code = code(kind, vector);
        if code == MARK {
            // No such interrupt: a program was started, and with it all registers
            // were made anew. The 32-bit numbers are no calls that could do so in
            // 64-bit code.
            return if orig_ax == 11 || orig_ax == 358 {
                INT80
            } else {
                SYSCALL
            };
        }
        if kind == OTHER {
            code |= (ss >> 57 & 1) * IN_64_BIT_CODE;
        }
        if devices.contains(code) { DEVICE } else { code }
    }
}

/// The entry code found on a kernel stack, from its innermost frame outwards.
///
/// A nested interrupt has an entry frame of its own in front of the thread's.
/// Without branches: the verifier of older kernels would follow every
/// combination of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct EntryFrames {
    /// How many frames lie in entry code.
    pub found: u64,
    /// Their sum: the frame, where there is one.
    pub sum: u64,
    /// Frames behind the first one in entry code.
    pub behind: u64,
}

impl EntryFrames {
    /// Takes the next frame, or 0 if there is none. `all` is
    /// [`EntryText::all`].
    #[inline(always)]
    pub const fn see(&mut self, frame: u64, all: TextRange) {
        let length = all.end.wrapping_sub(all.start);
        let offset = frame.wrapping_sub(all.start);
        // 1 if 0 <= offset < length, taking both as signed; else 0.
        let inside = (!offset & offset.wrapping_sub(length)) >> 63;
        // What is behind an entry frame was interrupted: a stack that cannot be
        // walked any further than that ends there.
        self.behind += self.found & (frame != 0) as u64;
        self.found += inside;
        self.sum = self.sum.wrapping_add(frame & inside.wrapping_neg());
    }

    /// Whether the only entry is the one by which the thread came in from user
    /// mode, by the way that `word` stands for.
    #[inline(always)]
    #[must_use]
    pub const fn is_only(&self, word: u64, fred_user: TextRange) -> bool {
        let is_that_entry = if fred_user.end == 0 {
            self.sum == word
        } else {
            fred_user.contains(self.sum)
        };
        self.found == 1 && self.behind == 0 && is_that_entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Debian's 7.3.4 with FRED, in Bochs: its entry code from `/proc/kallsyms`.
    fn fred() -> EntryText {
        let range = |start, end| TextRange { start, end };
        let all = range(0xffff_ffff_a5bb_2000, 0xffff_ffff_a5bb_21d0);
        let user = range(0xffff_ffff_a5bb_2000, 0xffff_ffff_a5bb_2100);
        let fork = range(0xffff_ffff_a4ca_0750, 0xffff_ffff_a4ca_0780);
        EntryText::fred(all, user, fork, 0xec, TextRange::default())
    }

    /// Saved stack segments and system-call numbers, recorded on that kernel with
    /// kprobe events, when it returned to user mode.
    #[test]
    fn recorded_frames_tell_events() {
        const NONE: u64 = u64::MAX;
        let text = fred();
        let of = |ss, orig_ax| event::of_frame(ss, orig_ax, text.common_interrupt);
        // `syscall`; and as `rt_sigreturn` leaves it.
        assert!(text.syscall.contains(of(0x2207_0001_0002_002b, 110)));
        assert!(text.syscall.contains(of(0x2207_0001_0000_002b, NONE)));
        // A child has its parent's event, and the word of its first return below.
        assert!(text.syscall.contains(of(0x2207_0001_0002_002b, 56)));
        assert!(text.ret_from_fork.contains(0xffff_ffff_a4ca_076a));
        // `int $0x80` in 64-bit code.
        assert_eq!(of(0x2204_0080_0002_002b, 64), event::INT80);
        // A new program: the registers were made anew.
        assert_eq!(of(0x0006_002b, 59), event::SYSCALL);
        assert!(text.page_fault.contains(of(0x0203_000e_0000_002b, NONE)));
        let timer = of(0x0200_00ec_0000_002b, NONE);
        assert!(text.vectors[Vector::LocalTimer as usize].contains(timer));
        assert!(!text.common_interrupt.contains(timer));
        assert_eq!(of(0x0200_0024_0000_002b, NONE), event::DEVICE);
        assert!(text.common_interrupt.contains(event::DEVICE));
        for (ss, trap) in [
            (0x0203_0000_0000_002b, Trap::DivideError),
            // By the trap flag, and by `int1`.
            (0x0203_0001_0000_002b, Trap::Debug),
            (0x1205_0001_0000_002b, Trap::Debug),
            (0x1206_0003_0000_002b, Trap::Breakpoint),
            (0x0203_0006_0000_002b, Trap::InvalidOpcode),
            // `hlt`, and `int $0x20`.
            (0x0203_000d_0000_002b, Trap::GeneralProtection),
            (0x2204_0020_0000_002b, Trap::GeneralProtection),
        ] {
            let (kind, vector) = event::parts(of(ss, NONE)).unwrap();
            assert_eq!(event::trap(kind, vector), Some(trap), "{ss:#x}");
        }
    }

    /// Of these there is no recording: made by the layout that the kernel's
    /// `asm/ptrace.h` gives.
    #[test]
    fn frames_by_the_layout_tell_events() {
        let text = fred();
        let of = |ss, orig_ax| event::of_frame(ss, orig_ax, text.common_interrupt);
        // `int $0x80`, `syscall` and `sysenter` in 32-bit code.
        assert_eq!(of(0x2004_0080_0002_002b, 20), event::INT80);
        assert!(text.int80.contains(event::INT80));
        assert!(!text.syscall.contains(of(0x2007_0001_0002_002b, u64::MAX)));
        assert!(text.compat.contains(of(0x2007_0002_0002_002b, 20)));
        // A new program, started by a call with a 32-bit number.
        assert_eq!(of(0x0006_002b, 11), event::INT80);
        // A device with the highest of devices' numbers, and an NMI.
        assert_eq!(of(0x0200_00eb_0000_002b, u64::MAX), event::DEVICE);
        assert!(text.nmi.contains(of(0x0202_0002_0004_002b, u64::MAX)));
    }

    fn is_only(frames: &[u64], word: u64, text: &EntryText) -> bool {
        let mut entries = EntryFrames::default();
        for frame in frames {
            entries.see(*frame, text.all);
        }
        entries.is_only(word, text.fred_user)
    }

    /// The same interrupts with an entry stub for each cause, and with FRED: from
    /// user mode, nested, and nested where the stack ends early.
    #[test]
    fn nested_interrupts_are_told_from_those_of_user_mode() {
        let handler = [0xffff_ffff_a4d3_0001, 0xffff_ffff_a4d4_0001];
        let stub = 0xffff_ffff_8200_0205;
        let stubs = EntryText {
            all: TextRange {
                start: 0xffff_ffff_8200_0000,
                end: 0xffff_ffff_8200_2000,
            },
            ..EntryText::UNKNOWN
        };
        let (user, kernel) = (0xffff_ffff_a5bb_2041, 0xffff_ffff_a5bb_2141);
        let timer = event::code(event::EXTERNAL, Vector::LocalTimer.number());
        for (text, outer, inner, word) in [(stubs, stub, stub, stub), (fred(), user, kernel, timer)]
        {
            let [a, b] = handler;
            assert!(is_only(&[a, b, outer, 0, 0], word, &text));
            assert!(!is_only(&[a, b, inner, b, a, outer, 0], word, &text));
            assert!(!is_only(&[a, b, inner, b, 0], word, &text));
            assert!(!is_only(&[a, b, 0], word, &text));
        }
        // The kernel's own entry point alone is no way in from user mode.
        assert!(!is_only(&[handler[0], kernel, 0], timer, &fred()));
        // Nor is another stub than the thread's.
        assert!(!is_only(&[handler[0], stub + 64, 0], stub, &stubs));
    }

    /// Even by their low halves, codes are no addresses of kernel text.
    #[test]
    fn codes_are_no_addresses() {
        for kind in 0..16 {
            for vector in 0..=u8::MAX {
                let code = event::code(kind, vector);
                assert_eq!(event::parts(code), Some((kind, vector)));
                assert!(code != 0 && code >> 31 == 0);
            }
        }
        assert_eq!(event::parts(event::SYSCALL), Some((event::OTHER, 1)));
        assert_eq!(event::parts(0xffff_ffff_8200_0205), None);
        assert_eq!(event::parts(0), None);
    }
}
