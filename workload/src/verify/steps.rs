//! What is done, and what it shows.

use std::{
    env, fs::File, io::Write, mem::ManuallyDrop, path::Path, process, thread, time::Duration,
};

use io_uring::{opcode, squeue, types};

use super::{
    claim::{self, Claim},
    exchange::{Exchange, wait_until},
    trace::Trace,
};
use crate::{
    cli::Format,
    error::WorkloadError,
    run::written,
    sq_thread,
    summary::SqThread,
    sys::{files, process::StopOnSignal},
};

const LINES: [&str; 2] = [
    "What happens in user mode stays in user mode.\n",
    "The kernel thread submits, and nobody calls.\n",
];

/// Longer than everything that is done with the first ring.
const AWAKE_MS: u32 = 2000;
/// Short, so that the second ring's thread soon sleeps.
const SLEEPY_MS: u32 = 50;
/// How long a sleeping thread is given to submit by itself, which it must not.
const UNATTENDED: Duration = Duration::from_millis(20);

/// Goes through all claims, writes them to `out` and tells whether none of
/// them is false.
pub(crate) fn run(format: Format, out: &mut dyn Write) -> Result<bool, WorkloadError> {
    // An orderly end removes the tracing buffer.
    let _signals = StopOnSignal::begin().map_err(WorkloadError::system("cannot handle signals"))?;
    let trace = Trace::begin();
    let mut claims = submitting(trace.as_ref())?;
    claims.extend(sleeping(trace.as_ref().ok())?);
    written(claim::write(&claims, format, out))?;
    Ok(claim::none_is_false(&claims))
}

/// Writes two lines through the ring, reads them back, and asks who submitted.
fn submitting(trace: Result<&Trace, &String>) -> Result<Vec<Claim>, WorkloadError> {
    let file = scratch_file()?;
    let before = [sq_thread::in_this_process(), sq_thread::of_the_kernel()].concat();
    let mut exchange = Exchange::begin(AWAKE_MS)?;
    exchange.ring.register_file(&file)?;

    let writes: Vec<squeue::Entry> = (0..).zip(LINES).map(write_entry).collect();
    // SAFETY: the lines are constants.
    unsafe { exchange.show(&writes) }?;
    let written = exchange.results(LINES.len())?;

    // Not to be freed while the kernel may still write to them.
    let mut buffers = ManuallyDrop::new(LINES.map(|line| vec![0_u8; line.len()]));
    let reads: Vec<squeue::Entry> = (0..).zip(buffers.iter_mut()).map(read_entry).collect();
    // SAFETY: the buffers are freed only when every answer has come.
    unsafe { exchange.show(&reads) }?;
    let read = exchange.results(LINES.len())?;
    let lengths = LINES.map(|line| i32::try_from(line.len()).unwrap_or(i32::MAX));
    let same = read == lengths
        && ManuallyDrop::into_inner(buffers)
            .iter()
            .zip(LINES)
            .all(|(bytes, line)| bytes == line.as_bytes());
    let after = sq_thread::of_ring(exchange.ring.fd());

    let enter_calls = trace.ok().and_then(Trace::enter_calls);
    let marks: Vec<u64> = (0..4).map(mark).collect();
    Ok(vec![
        Claim::found(
            "before the ring there is no submission thread of its own",
            after.as_ref().is_none_or(|thread| !before.contains(thread)),
            format!("submission threads then: {}", threads(&before)),
        ),
        Claim::found(
            "after it there is one",
            after.is_some(),
            format!("submission thread now: {}", threads(after.as_slice())),
        ),
        Claim::found(
            "two lines are written through the registered file, by its index",
            written == lengths,
            format!("IOSQE_FIXED_FILE, index 0: results {written:?}"),
        ),
        Claim::found(
            "read back, they are the same",
            same,
            format!("results {read:?}, contents compared"),
        ),
        who_submitted(trace, &marks, exchange.enter_calls, enter_calls),
    ])
}

fn who_submitted(
    trace: Result<&Trace, &String>,
    marks: &[u64],
    counted: usize,
    traced: Option<usize>,
) -> Claim {
    let claim = "they are submitted by that thread, not by io_uring_enter";
    let seen = match trace {
        Ok(trace) => trace.submissions(marks),
        Err(reason) => Err(reason.clone()),
    };
    match seen {
        Ok(seen) => {
            let by_thread = seen.iter().filter(|one| one.by_sq_thread).count();
            let evidence = format!(
                "submit tracepoint: {by_thread} of {} by the thread, {} by a system call; {}",
                marks.len(),
                seen.len() - by_thread,
                calls(counted, traced)
            );
            let all = by_thread == marks.len() && seen.len() == marks.len();
            Claim::found(claim, all, evidence)
        }
        Err(reason) => Claim::unknown(claim, reason),
    }
}

/// Lets a submission thread fall asleep, and counts what wakes it.
fn sleeping(trace: Option<&Trace>) -> Result<Vec<Claim>, WorkloadError> {
    let mut exchange = Exchange::begin(SLEEPY_MS)?;
    let nop = |index| [opcode::Nop::new().build().user_data(mark(index))];
    // SAFETY: an operation that does nothing points to nothing.
    unsafe { exchange.show(&nop(8)) }?;
    exchange.results(1)?;
    let slept = wait_until(|| exchange.asleep());

    let calls_before = trace.and_then(Trace::enter_calls);
    let counted_before = exchange.enter_calls;
    // SAFETY: as above.
    unsafe { exchange.show(&nop(9)) }?;
    thread::sleep(UNATTENDED);
    let unattended = exchange.take_results().len();
    let results = exchange.results(1)?;
    let counted = exchange.enter_calls - counted_before;
    let traced = trace
        .and_then(Trace::enter_calls)
        .zip(calls_before)
        .map(|(after, before)| after - before);
    Ok(vec![
        Claim::found(
            format!("with nothing to do for {SLEEPY_MS} ms, the thread goes to sleep"),
            slept,
            "NEED_WAKEUP in the ring's flags".to_owned(),
        ),
        Claim::found(
            "exactly one io_uring_enter wakes it",
            results == [0] && unattended == 0 && counted == 1 && traced.unwrap_or(1) == 1,
            format!(
                "a submission {} before the call and {} after it; {}",
                completed(unattended),
                completed(results.len()),
                calls(counted, traced)
            ),
        ),
    ])
}

fn completed(count: usize) -> &'static str {
    if count == 0 {
        "had not completed"
    } else {
        "had completed"
    }
}

fn calls(counted: usize, traced: Option<usize>) -> String {
    match traced {
        Some(traced) => format!("io_uring_enter calls: {counted} counted, {traced} traced"),
        None => format!("io_uring_enter calls: {counted} counted, not traced"),
    }
}

fn threads(threads: &[SqThread]) -> String {
    let names: Vec<String> = threads
        .iter()
        .map(|thread| format!("{} (tid {})", thread.comm, thread.tid))
        .collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// By which our entries are known among those of all rings.
fn mark(index: u64) -> u64 {
    0x6d6f << 48 | u64::from(process::id()) << 16 | index
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn offset_of_line(index: u64) -> u64 {
    LINES
        .iter()
        .zip(0..index)
        .map(|(line, _)| line.len() as u64)
        .sum()
}

fn write_entry((index, line): (u64, &str)) -> squeue::Entry {
    opcode::Write::new(types::Fixed(0), line.as_ptr(), length(line.as_bytes()))
        .offset(offset_of_line(index))
        .build()
        .user_data(mark(index))
}

fn read_entry((index, buffer): (u64, &mut Vec<u8>)) -> squeue::Entry {
    opcode::Read::new(types::Fixed(0), buffer.as_mut_ptr(), length(buffer))
        .offset(offset_of_line(index))
        .build()
        .user_data(mark(2 + index))
}

fn scratch_file() -> Result<File, WorkloadError> {
    let directory = env::temp_dir();
    files::nameless(&directory, 0)
        .or_else(|_elsewhere| files::nameless(Path::new("."), 0))
        .map_err(WorkloadError::system("cannot create a scratch file"))
}
