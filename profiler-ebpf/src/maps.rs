//! Every map, and why it has the size it has.
//!
//! Sizes are what one measurement may need at most; the profiler raises or
//! lowers them before loading. All memory is reserved at load time, so that
//! nothing is allocated on the hot path.

use aya_ebpf::{
    macros::map,
    maps::{Array, HashMap, LruHashMap, PerCpuArray, RingBuf, StackTrace},
};
use profiler_common::{
    disturbance::{CpuState, DisturbanceKey, DisturbanceTime},
    fault::{MappingInfo, MappingKey, PageKey, PendingFault},
    interruption::{Handling, PurposeKey, SenderCount, SenderKey},
    key::{CACHE_LINES, CacheLine, LedgerKey, StackKey, region},
    loss::Loss,
    nmi::NmiHandlers,
    numa,
    paging::{Calibration, Paging},
    phase::{self, PAGE_BYTES},
    submission,
    thread::{SignalFrames, ThreadId, ThreadInfo, ThreadState},
};

use crate::fault::Scratch;

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

/// By thread: signals being handled. The oldest make room: what is forgotten is
/// told from the instruction instead.
#[map]
pub static SIGNAL_FRAMES: LruHashMap<u32, SignalFrames> = LruHashMap::with_max_entries(8192, 0);

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

/// How page tables are walked: written once, before anything is counted.
#[map]
pub static PAGING: Array<Paging> = Array::with_max_entries(1, 0);

/// One question and its answer, before anything is counted.
#[map]
pub static CALIBRATION: Array<Calibration> = Array::with_max_entries(1, 0);

/// By CPU: what the page-fault program works in.
#[map]
pub static SCRATCH: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(1, 0);

/// Mappings that had page faults. The profiler decides how many there is room for,
/// here and in the next two, and shrinks them to one where they are not used.
#[map]
pub static MAPPINGS: HashMap<MappingKey, MappingInfo> = HashMap::with_max_entries(32_768, 0);

/// Pages that had page faults.
#[map]
pub static PAGES: HashMap<PageKey, u64> = HashMap::with_max_entries(262_144, 0);

/// By mapping: page faults whose page had no room.
#[map]
pub static UNPAGED: HashMap<PageKey, u64> = HashMap::with_max_entries(32_768, 0);

/// Faults that may turn out to be major, by thread: as many as there are threads.
#[map]
pub static PENDING_FAULTS: HashMap<u32, PendingFault> = HashMap::with_max_entries(32_768, 0);
/// Calls that made memory, a thousand of them between two looks. Shrunk to one
/// page where they are not wanted.
#[map]
pub static ALLOCATIONS: RingBuf = RingBuf::with_byte_size(4 << 20, 0);

/// By phase and way: submissions taken off an io_uring.
#[map]
pub static SUBMISSIONS: PerCpuArray<u64> =
    PerCpuArray::with_max_entries(phase::COUNT as u32 * submission::WAYS, 0);

/// NUMA-hint faults, by who had them.
#[map]
pub static NUMA_HINTS: PerCpuArray<u64> = PerCpuArray::with_max_entries(numa::COUNT, 0);

/// By CPU: the shared-line action that the interrupt being handled runs next.
#[map]
pub static NEXT_ACTION: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

/// By CPU: the handlers that NMIs run through.
#[map]
pub static NMI_HANDLERS: PerCpuArray<NmiHandlers> = PerCpuArray::with_max_entries(1, 0);

/// By CPU: the call-function interrupt being handled.
#[map]
pub static HANDLING: PerCpuArray<Handling> = PerCpuArray::with_max_entries(1, 0);

/// Distinct (thread, phase, vector, function): a few dozen occur.
#[map]
pub static PURPOSES: HashMap<PurposeKey, u64> = HashMap::with_max_entries(16_384, 0);

/// By CPU number: the measured thread that it runs. Shrunk to one where nobody
/// asks who sent interrupts, as is the next.
#[map]
pub static RUNNING: Array<u64> = Array::with_max_entries(4096, 0);

/// Distinct (sender, place, function, target).
#[map]
pub static SENDERS: HashMap<SenderKey, SenderCount> = HashMap::with_max_entries(16_384, 0);

/// By CPU number. Shrunk to one where nobody asks for disturbance, as are the
/// next three.
#[map]
pub static CPU_STATES: Array<CpuState> = Array::with_max_entries(4096, 0);

/// Threads put off and ready to run, and the CPU on which that happened.
#[map]
pub static WAITING: HashMap<u32, u32> = HashMap::with_max_entries(32_768, 0);

/// Names of submission threads: they are in no other table.
#[map]
pub static SQ_THREADS: HashMap<u32, [u8; 16]> = HashMap::with_max_entries(1024, 0);

/// Distinct (CPU, thread, disturber).
#[map]
pub static DISTURBANCES: HashMap<DisturbanceKey, DisturbanceTime> =
    HashMap::with_max_entries(16_384, 0);
