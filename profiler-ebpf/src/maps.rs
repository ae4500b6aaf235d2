//! Every map, and why it has the size it has.
//!
//! Sizes are what one measurement may need at most; the profiler raises or
//! lowers them before loading. All memory is reserved at load time, so that
//! nothing is allocated on the hot path.

use aya_ebpf::{
    macros::map,
    maps::{Array, HashMap, PerCpuArray, RingBuf, StackTrace},
};
use profiler_common::{
    key::{CACHE_LINES, CacheLine, LedgerKey, StackKey, region},
    loss::Loss,
    phase::{self, PAGE_BYTES},
    submission,
    thread::{ThreadId, ThreadInfo, ThreadState},
};

/// `BPF_F_MMAPABLE`: user space may map the array's memory.
const MMAPABLE: u32 = 1 << 10;

/// In front of the ledger: 256 lines in each region, on each CPU.
#[map]
pub static CACHE: PerCpuArray<CacheLine> =
    PerCpuArray::with_max_entries(region::COUNT * CACHE_LINES, 0);

/// Rows are few: (thread, phase, cause, instruction) that really occurred. The
/// profiler decides how many there is room for.
#[map]
pub static LEDGER: HashMap<LedgerKey, u64> = HashMap::with_max_entries(65_536, 0);

/// What the ledger had no room for, by cause alone. Can never be full.
#[map]
pub static OVERFLOW: PerCpuArray<u64> = PerCpuArray::with_max_entries(16, 0);

/// Indexed by [`Loss`].
#[map]
pub static LOSSES: PerCpuArray<u64> = PerCpuArray::with_max_entries(Loss::ALL.len() as u32, 0);

/// Threads alive at one time.
#[map]
pub static THREADS: HashMap<u32, ThreadState> = HashMap::with_max_entries(32_768, 0);

/// Threads over the whole measurement.
#[map]
pub static THREAD_INFO: HashMap<ThreadId, ThreadInfo> = HashMap::with_max_entries(65_536, 0);

/// One page that the measured program maps too.
#[map]
pub static PHASE: Array<[u32; PAGE_BYTES / 4]> = Array::with_max_entries(1, MMAPABLE);

/// By CPU number: not 0 where everything on that CPU is measured.
#[map]
pub static CPUS: Array<u32> = Array::with_max_entries(4096, 0);

/// Distinct stacks. Shrunk to one where no stacks are taken.
#[map]
pub static STACKS: StackTrace = StackTrace::with_max_entries(16_384, 0);

/// Distinct (cause, stacks) rows. Shrunk to one where no stacks are taken.
#[map]
pub static STACK_LEDGER: HashMap<StackKey, u64> = HashMap::with_max_entries(65_536, 0);

/// Calls that made memory, a thousand of them between two looks. Shrunk to one
/// page where they are not wanted.
#[map]
pub static ALLOCATIONS: RingBuf = RingBuf::with_byte_size(4 << 20, 0);

/// By phase and way: submissions taken off an io_uring.
#[map]
pub static SUBMISSIONS: PerCpuArray<u64> =
    PerCpuArray::with_max_entries(phase::COUNT as u32 * submission::WAYS, 0);

/// By CPU: the shared-line action that the interrupt being handled runs next.
#[map]
pub static NEXT_ACTION: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

/// By CPU: the first handler in the list that every NMI runs through.
#[map]
pub static FIRST_NMI_HANDLER: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);
