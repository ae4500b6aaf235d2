//! Did this interrupt come from user mode?
//!
//! The saved registers at the top of the kernel stack say how the *outermost*
//! entry came in. If that was this interrupt's own stub, then either the
//! interrupt came from user mode, or it hit the kernel while an earlier
//! interrupt of the same kind was still on its way out. The stack tells the two
//! apart: from user mode there is exactly one frame in the entry code, the
//! bottom one. Both matter: where the interrupted code has no unwind information,
//! a nested stack ends early, one frame behind the inner entry.

use aya_ebpf::{cty::c_void, helpers::bpf_get_stack};
use core::{arch::asm, mem::MaybeUninit};
use profiler_common::{loss::Loss, stub::EntryFrames};

use crate::{config::text_range, losses};

/// Frames looked at. An interrupt from user mode has at most 9 below its
/// tracepoint; a stack that fills this is a nested one.
const FRAMES: usize = 16;

/// Whether the only entry frame on the current kernel stack, at the start of an
/// interrupt's handler, is that of `slot`.
#[inline(never)]
pub fn is_outermost(ctx: *mut c_void, slot: u64) -> bool {
    is_only_entry::<FRAMES>(ctx, slot)
}

/// Whether the only entry frame on the current kernel stack is that of `slot`, if
/// the stack has fewer than this many frames.
///
/// Callers are functions of their own: up to 6.1 the
/// verifier allows 512 bytes of stack to a program and all that it calls, and
/// these frames must not add to what counting needs.
#[inline(always)]
pub fn is_only_entry<const FRAMES: usize>(ctx: *mut c_void, slot: u64) -> bool {
    let bytes = (FRAMES * 8) as u32;
    let mut frames = MaybeUninit::<[u64; FRAMES]>::uninit();
    let buffer = frames.as_mut_ptr();
    // Up to 5.12 or so the verifier wants the helper's buffer initialised when a
    // raw tracepoint asks. Volatile: otherwise a call of `memset`, which loops.
    for index in 0..FRAMES {
        let frame = buffer.cast::<u64>().wrapping_add(index);
        // SAFETY: within the buffer.
        unsafe { core::ptr::write_volatile(frame, 0) };
    }
    // SAFETY: the buffer is as long as said; the helper fills all of it.
    let written = unsafe { bpf_get_stack(ctx, buffer.cast::<c_void>(), bytes, 0) };
    if written <= 0 {
        losses::note(Loss::OriginUnknown, 1);
        return false;
    }
    let all = text_range!(all);
    let mut entries = EntryFrames::default();
    for index in 0..FRAMES {
        // SAFETY: initialised by the helper: what it does not use it clears.
        let frame = unsafe { (*buffer)[index] };
        entries.see(frame, all);
        // SAFETY: copies three registers onto themselves. It only keeps the compiler
        // from doing all frames side by side, for which it would take 400 bytes
        // of stack. With no instruction at all the kernel would refuse the line
        // information, in which no two lines may begin at the same place.
        unsafe {
            asm!(
                "{0} = {0}",
                "{1} = {1}",
                "{2} = {2}",
                inout(reg) entries.found,
                inout(reg) entries.sum,
                inout(reg) entries.behind,
                options(nomem, nostack, preserves_flags)
            );
        };
    }
    written < i64::from(bytes) && entries.is_only(slot, text_range!(fred_user))
}

/// Frames from the exit probe to KVM's part of a system call, with room for the
/// trampoline and the program itself.
const GUEST_FRAMES: usize = 12;

/// Whether the current call is on its way into a guest, not back to user mode.
#[inline(never)]
pub fn is_guest_entry(ctx: *mut c_void) -> bool {
    let mut frames = MaybeUninit::<[u64; GUEST_FRAMES]>::uninit();
    let buffer = frames.as_mut_ptr();
    for index in 0..GUEST_FRAMES {
        // SAFETY: within the buffer. Volatile, as above.
        unsafe { core::ptr::write_volatile(buffer.cast::<u64>().wrapping_add(index), 0) };
    }
    let bytes = (GUEST_FRAMES * 8) as u32;
    // SAFETY: the buffer is as long as said.
    if unsafe { bpf_get_stack(ctx, buffer.cast::<c_void>(), bytes, 0) } <= 0 {
        return false;
    }
    let mut entries = EntryFrames::default();
    for index in 0..GUEST_FRAMES {
        // SAFETY: initialised above.
        entries.see(unsafe { (*buffer)[index] }, text_range!(guest_entry));
    }
    entries.found != 0
}
