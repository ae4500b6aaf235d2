//! The target's code in the ledger: functions, lines, call chains. Pure.

use std::{cmp::Reverse, collections::BTreeMap};

use profiler_common::{cause::CauseKind, loss::Loss};

use super::{
    audit,
    model::{CodeRow, UserStack},
};
use crate::{
    classify::entries::Entry,
    collect::row::{UNKNOWN_FRAME, before, lookup_address},
    digits::count,
    gap::{Gap, Unavailable},
    symbolize::{
        measurement::Measurement,
        names::{CodeIndex, NO_CODE, UserCode, UserFrame},
    },
};

/// Counts by process, instruction, cause and detail.
pub(super) type ByCode = BTreeMap<(u32, u64, CauseKind, String), u64>;

/// Call chains by process, instruction and cause, with how often each was seen. With
/// each, whether what followed were no calls.
type Chains<'a> = BTreeMap<(u32, CauseKind, String), OfCause<'a>>;
type OfCause<'a> = BTreeMap<(&'a [u64], bool), u64>;

/// The ledger's rows by code, and the user stacks.
pub(super) fn tables(by_code: ByCode, measurement: &Measurement) -> (Vec<CodeRow>, Vec<UserStack>) {
    let index = measurement.names.code.index();
    let chains = chains(measurement, &index);
    let mut rows: Vec<CodeRow> = by_code
        .into_iter()
        .map(|((tgid, user_ip, kind, detail), count)| {
            let key = (tgid, kind, detail);
            let stack = chains
                .get(&key)
                .and_then(|stacks| most_frequent(stacks, user_ip))
                .map(|frames| words_of(&index, tgid, kind, frames));
            let (_, kind, detail) = key;
            let code = index.get(tgid, lookup_address(kind, user_ip));
            row(tgid, user_ip, kind, detail, count, code, stack)
        })
        .collect();
    rows.sort_by_key(|row| Reverse(row.count));
    let mut stacks: Vec<UserStack> = Vec::new();
    for ((tgid, kind, detail), of_cause) in &chains {
        for (&(frames, is_cut), &count) in of_cause {
            stacks.push(UserStack {
                cause: (*kind).into(),
                detail: detail.clone(),
                tgid: *tgid,
                count,
                frames: words_of(&index, *tgid, *kind, frames),
                truncated: truncated(&index, *tgid, frames, is_cut),
            });
        }
    }
    stacks.sort_by_key(|stack| Reverse(stack.count));
    (rows, stacks)
}

fn row(
    tgid: u32,
    user_ip: u64,
    kind: CauseKind,
    detail: String,
    count: u64,
    code: Option<&UserCode>,
    stack: Option<Vec<String>>,
) -> CodeRow {
    let innermost = code.and_then(|code| code.frames.first());
    let behind = user_ip - lookup_address(kind, user_ip);
    let reason = match code {
        Some(code) => code.reason.clone(),
        None => Some("it was not looked up, being among the rarest".to_owned()),
    };
    CodeRow {
        cause: kind.into(),
        detail,
        count,
        tgid,
        user_ip: format!("{user_ip:#x}"),
        symbol: innermost.map(|frame| frame.function.clone()),
        file: innermost.and_then(|frame| frame.file.clone()),
        line: innermost.and_then(|frame| frame.line),
        stack,
        module: code.and_then(|code| code.module.clone()),
        module_address: code
            .and_then(|code| code.module_address)
            .map(|address| format!("{:#x}", address.wrapping_add(behind))),
        inlined_into: code.map_or_else(Vec::new, |code| {
            code.frames.iter().skip(1).map(frame_words).collect()
        }),
        reason,
    }
}

/// The user stacks that were taken, by cause.
fn chains<'a>(measurement: &'a Measurement, index: &CodeIndex<'_>) -> Chains<'a> {
    let snapshot = &measurement.snapshot;
    let mappings = snapshot.mappings.index();
    let processes: BTreeMap<(u32, u32), u32> = snapshot
        .threads
        .iter()
        .map(|thread| ((thread.tid, thread.generation), thread.tgid))
        .collect();
    let mut chains = Chains::new();
    let counted = measurement
        .stacks()
        .filter(|(entry, stack)| !stack.user.is_empty() && audit::is_counted(*entry, snapshot));
    for (Entry { row, cause }, stack) in counted {
        let tgid = processes.get(&(row.tid, row.generation)).copied();
        let tgid = tgid.unwrap_or(row.tid);
        let frames = mappings.real_frames(tgid, &stack.user);
        let is_cut = frames.len() < stack.user.len();
        let whole = whole(index, tgid, frames);
        let chain = whole.map_or((frames, is_cut), |whole| (whole, false));
        let of_cause = chains
            .entry((tgid, cause.kind(), cause.detail()))
            .or_default();
        *of_cause.entry(chain).or_default() += row.count;
    }
    chains
}

/// Of the chains that begin with an instruction, the one seen most often.
fn most_frequent<'a>(stacks: &OfCause<'a>, user_ip: u64) -> Option<&'a [u64]> {
    stacks
        .iter()
        .filter(|((frames, _), _)| frames.first() == Some(&user_ip))
        .max_by_key(|&(_, count)| count)
        .map(|(&(frames, _), _)| frames)
}

/// A chain up to the function in which its thread began, if it reaches that. Behind it
/// a walk follows what happens to be in the register.
fn whole<'a>(index: &CodeIndex<'_>, tgid: u32, frames: &'a [u64]) -> Option<&'a [u64]> {
    let begins = |frame: &u64| {
        index
            .get(tgid, before(*frame))
            .is_some_and(|code| code.begins_thread)
    };
    let callers = frames.get(1..)?;
    let first = callers.iter().position(begins)?;
    let more = callers[first..].iter().take_while(|frame| begins(frame));
    frames.get(..1 + first + more.count())
}

/// A chain in words, inlined functions as frames of their own.
fn words_of(index: &CodeIndex<'_>, tgid: u32, kind: CauseKind, frames: &[u64]) -> Vec<String> {
    let each = frames.iter().enumerate();
    each.flat_map(|(depth, &address)| {
        if address == UNKNOWN_FRAME {
            return vec!["[not kept]".to_owned()];
        }
        let at = if depth == 0 {
            lookup_address(kind, address)
        } else {
            before(address)
        };
        index.get(tgid, at).map_or_else(
            || vec![format!("{address:#x}")],
            |code| words(code, address),
        )
    })
    .collect()
}

/// Code in words: its functions, the innermost first; or its place in its module.
#[must_use]
pub fn words(code: &UserCode, address: u64) -> Vec<String> {
    if code.frames.is_empty() {
        return vec![module_words(
            code.module.as_deref(),
            code.module_address,
            address,
        )];
    }
    code.frames.iter().map(frame_words).collect()
}

fn frame_words(frame: &UserFrame) -> String {
    match (&frame.file, frame.line) {
        (Some(file), Some(line)) => format!("{} {file}:{line}", frame.function),
        _ => frame.function.clone(),
    }
}

/// A place that has no name: `libfoo.so+0x1234`, or the bare address.
fn module_words(module: Option<&str>, offset: Option<u64>, address: u64) -> String {
    match (module, offset) {
        (Some(module), Some(offset)) => format!("{}+{offset:#x}", base_name(module)),
        (Some(module), None) => format!("{} {address:#x}", base_name(module)),
        (None, _) => format!("{address:#x}"),
    }
}

/// The last part of a path.
#[must_use]
pub fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Why a chain of frame pointers is not whole, if it is not.
fn truncated(index: &CodeIndex<'_>, tgid: u32, frames: &[u64], is_cut: bool) -> Option<String> {
    if is_cut {
        return Some(NO_CODE.to_owned());
    }
    let last = index.get(tgid, before(*frames.last()?));
    if last.is_some_and(|code| code.begins_thread) {
        return None;
    }
    let module = last.and_then(|code| code.module.as_deref());
    Some(format!(
        "the walk follows frame pointers and ends before the thread's beginning{}",
        module.map_or_else(String::new, |module| format!(", in {}", base_name(module)))
    ))
}

/// What cannot be told of the target's code, and why.
pub(super) fn unavailable(measurement: &Measurement) -> Vec<Unavailable> {
    let (snapshot, code) = (&measurement.snapshot, &measurement.names.code);
    let mut list = Vec::new();
    let mut say = |gap: Gap, reason: String| list.push(Unavailable::new(gap, reason));
    let mappings = &snapshot.mappings;
    if let Some(refusal) = &mappings.unavailable {
        say(
            Gap::CodeOfShortProcesses,
            format!("mappings are read from /proc now and then, since {refusal}"),
        );
    }
    if mappings.files_not_kept != 0 {
        say(
            Gap::CodeOfSomeFiles,
            format!(
                "{} more were mapped than are kept open",
                mappings.files_not_kept
            ),
        );
    }
    if code.left_out != 0 {
        say(
            Gap::RareInstructions,
            format!("{} were not looked up", code.left_out),
        );
    }
    if code.interrupted {
        say(
            Gap::InterruptedNames,
            "a signal ended the look-up; what had been found until then is shown".to_owned(),
        );
    }
    let dropped = snapshot
        .counts
        .losses
        .get(Loss::AllocationLost.name())
        .copied();
    let dropped = dropped.unwrap_or(0) + snapshot.allocations.not_kept;
    if dropped != 0 {
        let dropped = count(dropped);
        say(
            Gap::AllocationSites,
            format!("{dropped} not recorded; counts are unaffected"),
        );
    }
    list
}
