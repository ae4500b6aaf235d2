//! The options, and nothing that gives them meaning.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand, ValueEnum};

use super::values::bytes;
use crate::duration;

const EXAMPLES: &str = "\
Examples:
  modeswitch workload
      read a sparse 64 GiB file with SQPOLL for five seconds, with a lazily
      touched bitmap: one page fault for each of its pages in steady state
  modeswitch workload --bitmap prefault
      populate the bitmap first: no page fault, no system call in steady state
  modeswitch workload --file /dev/nvme0n1 --duration 30s
      read a device, polled if its driver has poll queues; never written to
  modeswitch workload --mode interrupt --ios 1M
      make a million reads that complete by interrupt, for contrast
  modeswitch workload --nop --ios 10M
      use no device: measure the rings alone
  modeswitch workload verify
      show, claim by claim, that SQPOLL submits without system calls";

/// Run the in-tree polling workload by itself
///
/// Makes random direct reads over an `io_uring` ring, with a steady state that
/// stays out of the kernel. Prepares everything (ring, registered file and buffer, locked
/// memory), then reads random blocks, each exactly once per pass. Marks its phases
/// for the profiler and prints a summary at the end; Ctrl-C ends it early and in
/// order.
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct WorkloadArgs {
    /// What to do instead of generating load.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// File or block device to read; it is never written to. Default: a sparse
    /// temporary file without a name, in $TMPDIR, /var/tmp or here.
    #[arg(long, value_name = "PATH", help_heading = "Target")]
    pub file: Option<PathBuf>,

    /// Bytes of the target to use (k, M, G, T are powers of 1024). Default:
    /// all of --file, or a temporary file of 64G.
    #[arg(long, value_name = "BYTES", value_parser = bytes, help_heading = "Target")]
    pub size: Option<u64>,

    /// Submit operations that do nothing, to no device.
    #[arg(long, conflicts_with = "file", help_heading = "Target")]
    pub nop: bool,

    /// Bytes per read, a multiple of the device's block size.
    #[arg(long, value_name = "BYTES", value_parser = bytes, default_value = "512", help_heading = "Load")]
    pub block_size: u64,

    /// Reads in flight.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=16_384), help_heading = "Load")]
    pub depth: u32,

    /// Reads shown to the kernel at once. Default: 16, or the depth if less.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=16_384), help_heading = "Load")]
    pub batch: Option<u32>,

    /// How long steady state lasts, such as 500ms or 2m. Default: 5s, or without end if
    /// --ios is given.
    #[arg(long, value_name = "TIME", value_parser = duration::parse, help_heading = "Load")]
    pub duration: Option<Duration>,

    /// End after so many reads (k, M, G are powers of 1000), or after
    /// --duration if that comes first.
    #[arg(long, value_name = "N", value_parser = super::values::count, help_heading = "Load")]
    pub ios: Option<u64>,

    /// How the map of blocks already read comes into memory.
    #[arg(long, value_enum, default_value_t = BitmapKind::Lazy, help_heading = "Load")]
    pub bitmap: BitmapKind,

    /// Leave memory to the kernel's NUMA balancing, and with it to its page
    /// faults; by default it is kept out.
    #[arg(long, help_heading = "Load")]
    pub numa_hints: bool,

    /// Seed of the random block numbers.
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Load")]
    pub seed: u64,

    /// How reads are submitted and how they complete.
    #[arg(long, value_enum, default_value_t = Mode::Auto, help_heading = "Ring")]
    pub mode: Mode,

    /// CPU for the thread that submits and reaps. Default: the last allowed.
    #[arg(long, value_name = "CPU", help_heading = "Ring")]
    pub cpu: Option<u32>,

    /// CPU for the kernel's submission thread. Default: the last allowed but
    /// that of --cpu.
    #[arg(long, value_name = "CPU", help_heading = "Ring")]
    pub sq_cpu: Option<u32>,

    /// Form of the summary.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// What to do instead of generating load.
#[derive(Subcommand, Clone, Debug)]
#[expect(
    missing_docs,
    reason = "the help of a command is what its arguments say"
)]
pub enum Command {
    Verify(VerifyArgs),
}

/// Show, claim by claim, that SQPOLL submits without system calls
///
/// Writes two lines through a ring whose submission thread is a kernel thread,
/// reads them back, and asks the kernel's tracepoints who submitted. Then lets
/// the thread fall asleep and counts what it takes to wake it. Every claim
/// ends in "yes", "no" or "cannot be shown here" with the reason; the exit
/// status is 0 unless one of them is "no". The tracepoints need root.
#[derive(Args, Clone, Copy, Debug)]
pub struct VerifyArgs {
    /// Form of the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How the map of blocks already read comes into memory.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitmapKind {
    /// Private pages, each by a page fault in steady state.
    Lazy,
    /// Private pages, all during set-up: `MADV_POPULATE_WRITE`.
    Prefault,
    /// From the C library's allocator, which leaves its pages to page faults.
    Malloc,
    /// `MAP_PRIVATE|MAP_POPULATE`: private pages, all during set-up.
    PrivatePopulate,
    /// `MAP_SHARED` alone: shared pages, each by a page fault in steady state.
    Shared,
    /// `MAP_SHARED|MAP_POPULATE`: shared pages, all during set-up.
    SharedPopulate,
    /// Private huge pages where the kernel has some, all during set-up.
    Huge,
}

impl BitmapKind {
    /// Its name, as on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lazy => "lazy",
            Self::Prefault => "prefault",
            Self::Malloc => "malloc",
            Self::PrivatePopulate => "private-populate",
            Self::Shared => "shared",
            Self::SharedPopulate => "shared-populate",
            Self::Huge => "huge",
        }
    }

    /// What it is, in one sentence's worth of words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Lazy => "the block bitmap is touched as it is needed",
            Self::Prefault => "the block bitmap is populated before steady state",
            Self::Malloc => "the block bitmap is from malloc, and touched as it is needed",
            Self::PrivatePopulate => {
                "the block bitmap is mapped MAP_PRIVATE|MAP_POPULATE before steady state"
            }
            Self::Shared => "the block bitmap is mapped MAP_SHARED, and touched as it is needed",
            Self::SharedPopulate => {
                "the block bitmap is mapped MAP_SHARED|MAP_POPULATE before steady state"
            }
            Self::Huge => "the block bitmap is populated with huge pages before steady state",
        }
    }
}

/// How reads are submitted and how they complete.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// SQPOLL, and IOPOLL where the device can.
    Auto,
    /// A kernel thread submits, and polls the device for completions.
    SqpollIopoll,
    /// A kernel thread submits; completions come as the device brings them.
    Sqpoll,
    /// System calls submit, and poll the device for completions.
    Iopoll,
    /// System calls submit; completions come by interrupt.
    Interrupt,
}

/// Form of the output.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    /// As the profiler has them: options of a subcommand.
    #[derive(Parser)]
    enum Outer {
        Workload(WorkloadArgs),
    }

    fn parsed(line: &str) -> WorkloadArgs {
        let Outer::Workload(args) = Outer::parse_from(line.split_whitespace());
        args
    }

    #[test]
    fn bitmaps_are_called_what_they_are_called_on_the_command_line() {
        for kind in BitmapKind::value_variants() {
            assert_eq!(BitmapKind::from_str(kind.name(), false), Ok(*kind));
        }
    }

    #[test]
    fn the_options_work_below_another_program() {
        Outer::command().debug_assert();
        let args = parsed("modeswitch workload --bitmap prefault --size 1G");
        assert_eq!(args.bitmap, BitmapKind::Prefault);
        assert_eq!(args.size, Some(1 << 30));
        assert!(args.command.is_none());
        let args = parsed("modeswitch workload verify --format json");
        let Some(Command::Verify(options)) = args.command else {
            panic!("no subcommand");
        };
        assert_eq!(options.format, Format::Json);
    }
}
