//! The options, checked and completed.

use std::{path::PathBuf, time::Duration};

use crate::{
    cli::{BitmapKind, Mode, WorkloadArgs},
    error::WorkloadError,
    placement::{Placement, place},
};

const DEFAULT_DURATION: Duration = Duration::from_secs(5);
const DEFAULT_BATCH: u32 = 16;

/// A bitmap of 16 MiB, 4,096 pages, over blocks of 512 bytes.
const DEFAULT_SIZE: u64 = 64 << 30;

/// The kernel's limit for one registered buffer.
const MAX_BUFFER_BYTES: u64 = 1 << 30;

/// What to read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file or device, all of it or its first bytes.
    File { path: PathBuf, size: Option<u64> },
    /// A sparse file of our own.
    Temporary { size: u64 },
    /// Nothing: operations that do nothing, over imagined blocks.
    Nop { size: u64 },
}

/// Who submits, and who looks for completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RingMode {
    pub(crate) sqpoll: bool,
    pub(crate) iopoll: bool,
}

impl RingMode {
    pub(crate) fn name(self) -> &'static str {
        match (self.sqpoll, self.iopoll) {
            (true, true) => "sqpoll-iopoll",
            (true, false) => "sqpoll",
            (false, true) => "iopoll",
            (false, false) => "interrupt",
        }
    }

    pub(crate) fn without_iopoll(self) -> Self {
        Self {
            iopoll: false,
            ..self
        }
    }
}

/// Everything that was decided before the first system call of the run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) source: Source,
    pub(crate) block_size: u32,
    pub(crate) depth: u32,
    pub(crate) batch: u32,
    /// `None`: until `ios` are done.
    pub(crate) duration: Option<Duration>,
    /// `None`: until `duration` is over.
    pub(crate) ios: Option<u64>,
    pub(crate) bitmap: BitmapKind,
    pub(crate) numa_hints: bool,
    pub(crate) seed: u64,
    pub(crate) mode: RingMode,
    /// Polling was asked for by name, so there is no going without.
    pub(crate) polling_demanded: bool,
    pub(crate) placement: Placement,
}

impl Plan {
    /// Checks the options against each other and the CPUs this process has.
    pub(crate) fn new(args: &WorkloadArgs, allowed_cpus: &[u32]) -> Result<Self, WorkloadError> {
        let usage = |text: String| Err(WorkloadError::Usage(text));
        let polling_demanded = matches!(args.mode, Mode::SqpollIopoll | Mode::Iopoll);
        if args.nop && polling_demanded {
            return usage(
                "--nop has no device to poll; use --mode sqpoll or --mode interrupt".to_owned(),
            );
        }
        let batch = args.batch.unwrap_or(DEFAULT_BATCH.min(args.depth));
        if batch > args.depth {
            return usage(format!(
                "--batch {batch} can never be free at once with --depth {}; use at most the depth",
                args.depth
            ));
        }
        let Ok(block_size) = u32::try_from(args.block_size) else {
            return usage(format!("--block-size {} is out of range", args.block_size));
        };
        if u64::from(args.depth) * args.block_size > MAX_BUFFER_BYTES {
            return usage(format!(
                "--depth {} with --block-size {block_size} takes more than 1 GiB, the most that \
                 one registered buffer may hold; lower one of them",
                args.depth
            ));
        }
        let source = match (&args.file, args.nop) {
            (Some(path), _) => Source::File {
                path: path.clone(),
                size: args.size,
            },
            (None, true) => Source::Nop {
                size: args.size.unwrap_or(DEFAULT_SIZE),
            },
            (None, false) => Source::Temporary {
                size: args.size.unwrap_or(DEFAULT_SIZE),
            },
        };
        let mode = RingMode {
            sqpoll: matches!(args.mode, Mode::Auto | Mode::SqpollIopoll | Mode::Sqpoll),
            iopoll: matches!(args.mode, Mode::Auto | Mode::SqpollIopoll | Mode::Iopoll)
                && !args.nop,
        };
        Ok(Self {
            source,
            block_size,
            depth: args.depth,
            batch,
            duration: args
                .duration
                .or_else(|| args.ios.is_none().then_some(DEFAULT_DURATION)),
            ios: args.ios,
            bitmap: args.bitmap,
            numa_hints: args.numa_hints,
            seed: args.seed,
            mode,
            polling_demanded,
            placement: place(allowed_cpus, args.cpu, args.sq_cpu, mode.sqpoll)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: WorkloadArgs,
    }

    fn plan(options: &str) -> Result<Plan, WorkloadError> {
        let line = std::iter::once("workload").chain(options.split_whitespace());
        Plan::new(&Line::parse_from(line).args, &[0, 1])
    }

    #[test]
    fn ends_after_five_seconds_unless_told_otherwise() {
        let limits = |options| {
            let plan = plan(options).unwrap();
            (plan.duration, plan.ios)
        };
        assert_eq!(limits(""), (Some(DEFAULT_DURATION), None));
        assert_eq!(limits("--ios 10k"), (None, Some(10_000)));
        assert_eq!(
            limits("--ios 1 --duration 2s"),
            (Some(Duration::from_secs(2)), Some(1))
        );
    }

    #[test]
    fn the_default_bitmap_has_4096_pages() {
        let plan = plan("").unwrap();
        assert_eq!(plan.source, Source::Temporary { size: 64 << 30 });
        let bits = DEFAULT_SIZE / u64::from(plan.block_size);
        assert_eq!(bits / 8 / 4096, 4096);
    }

    #[test]
    fn only_modes_with_a_device_poll_it() {
        assert_eq!(plan("").unwrap().mode.name(), "sqpoll-iopoll");
        assert_eq!(plan("--nop").unwrap().mode.name(), "sqpoll");
        assert_eq!(plan("--mode iopoll").unwrap().mode.name(), "iopoll");
        assert!(plan("--mode iopoll --nop").unwrap_err().is_usage());
    }

    #[test]
    fn what_cannot_work_is_refused_before_anything_starts() {
        assert!(plan("--depth 8 --batch 9").unwrap_err().is_usage());
        assert!(
            plan("--depth 16384 --block-size 1M")
                .unwrap_err()
                .is_usage()
        );
        assert!(plan("--block-size 8G").unwrap_err().is_usage());
        assert_eq!(plan("--depth 8").unwrap().batch, 8);
    }
}
