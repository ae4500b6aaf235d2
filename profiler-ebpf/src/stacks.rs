//! Stacks, by policy: they cost twenty times the count.

use aya_ebpf::{
    bindings::{BPF_F_USER_STACK, BPF_NOEXIST},
    programs::tracing::StackIdContext,
};
use profiler_common::{
    config::stack_kinds,
    key::{CacheLine, StackKey, WITHOUT_INNERMOST},
    loss::Loss,
};

use crate::{
    atomic,
    config::config,
    losses,
    maps::{STACK_LEDGER, STACKS},
};

/// Takes the stacks of the entry just counted in `line`, if it is its turn.
#[inline(always)]
pub fn sample<C: StackIdContext>(ctx: &C, line: *const CacheLine) {
    let interval = u64::from(config!(stack_interval));
    if interval == 0 {
        return;
    }
    // SAFETY: the map's memory, checked by the caller.
    let CacheLine { count, key, .. } = unsafe { *line };
    // The first entry of a row always has its turn.
    if (count - 1) & (interval - 1) != 0 {
        return;
    }
    let row = StackKey {
        tid: key.tid,
        born: key.born,
        detail: key.detail,
        kernel_stack: wanted(ctx, stack_kinds::KERNEL, 0, Loss::StackLost),
        user_stack: wanted(
            ctx,
            stack_kinds::USER,
            u64::from(BPF_F_USER_STACK),
            Loss::UserStackLost,
        ),
        slot: key.slot,
        phase: key.phase,
        kind: key.kind,
        flags: key.flags,
    };
    add(&row);
}

/// The id of a stack, or of none if that kind is not asked for.
#[inline(always)]
fn wanted<C: StackIdContext>(ctx: &C, kind: u32, flags: u64, loss: Loss) -> i32 {
    if config!(stack_kinds) & kind == 0 {
        return NOT_WANTED;
    }
    stack_id(ctx, flags, loss)
}

/// `-ENOENT`
const NOT_WANTED: i32 = -2;

/// `-EEXIST`: another stack has the same hash.
const COLLISION: i32 = -17;

/// Stores a stack and returns its id, or a negative error, which is noted as `loss`.
///
/// The map keeps one stack for each hash, so that of two that collide the
/// second would be lost every time it occurs. Without its innermost frame it
/// has another hash: that is stored instead, and marked.
#[inline(always)]
pub fn stack_id<C: StackIdContext>(ctx: &C, flags: u64, loss: Loss) -> i32 {
    let found = ctx.get_stackid(&STACKS, flags);
    let found = match found {
        Err(COLLISION) => ctx
            .get_stackid(&STACKS, flags | SKIP_ONE)
            .map(|id| id | i64::from(WITHOUT_INNERMOST)),
        other => other,
    };
    match found {
        Ok(id) => id as i32,
        Err(error) => {
            losses::note(loss, 1);
            error
        }
    }
}

/// How many innermost frames to leave out is in the low byte of the flags.
const SKIP_ONE: u64 = 1;

/// Adds one to a row of the stack ledger.
#[inline(never)]
fn add(key: &StackKey) -> u32 {
    if let Some(row) = STACK_LEDGER.get_ptr_mut(key) {
        atomic::add(row, 1);
        return 0;
    }
    if STACK_LEDGER.insert(key, 1, u64::from(BPF_NOEXIST)).is_ok() {
        return 0;
    }
    if let Some(row) = STACK_LEDGER.get_ptr_mut(key) {
        atomic::add(row, 1);
        return 0;
    }
    losses::note(Loss::StackLedgerFull, 1);
    1
}
