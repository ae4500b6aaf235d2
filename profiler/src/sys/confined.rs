//! A process that gives up what it does not need, before it reads what strangers
//! wrote. Whoever takes it over can compute, read a few files and answer.

use std::{collections::BTreeMap, os::fd::AsRawFd, os::fd::BorrowedFd, path::PathBuf};

use anyhow::{Context, Result};
use landlock::{
    ABI, Access, AccessFs, PathBeneath, PathFd, RestrictionStatus, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr,
};
use nix::{
    errno::Errno,
    sys::{
        prctl,
        resource::{Resource, setrlimit},
        signal::Signal,
    },
    unistd::{Gid, Pid, Uid, getpid, getppid, setgroups, setresgid, setresuid},
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Is,
    SeccompCondition as Condition, SeccompFilter, SeccompRule, TargetArch,
};

/// The user who owns nothing, and has no name in some containers.
const NOBODY: u32 = 65_534;
/// Reads files whoever owns them: all that is kept of root's rights.
const CAP_DAC_READ_SEARCH: u32 = 2;
/// `_LINUX_CAPABILITY_VERSION_3`, with two words for each set.
const CAPABILITY_VERSION: u32 = 0x2008_0522;

/// What such a process is left.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// Files and folders that it may read. What is not there is passed over.
    pub may_read: &'a [PathBuf],
    /// Memory that it may ask for.
    pub memory_bytes: u64,
    /// CPU time after which it is ended.
    pub cpu_seconds: u64,
}

/// Confines this process for good: it may write to `answers` only, read what
/// `limits` say and nothing else, create nothing, and ends with its parent.
///
/// # Errors
/// If the kernel does not know how. The process must not go on then. Only the
/// limit to certain files is left out where there is no Landlock (before 5.13).
pub fn confine(parent: Pid, answers: BorrowedFd<'_>, limits: &Limits<'_>) -> Result<()> {
    for (resource, most) in [
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_FSIZE, 0),
        (Resource::RLIMIT_DATA, limits.memory_bytes),
        (Resource::RLIMIT_CPU, limits.cpu_seconds),
    ] {
        setrlimit(resource, most, most).context("cannot limit what a helper uses")?;
    }
    let files = readable(limits.may_read).context("cannot limit what a helper reads")?;
    become_nobody().context("cannot give up a helper's rights")?;
    // A change of user takes this back, so it comes behind it.
    prctl::set_pdeathsig(Signal::SIGKILL).context("cannot tie a helper to its parent")?;
    anyhow::ensure!(getppid() == parent, "the parent is gone");
    prctl::set_no_new_privs().context("cannot give up new rights")?;
    let status: RestrictionStatus = files.restrict_self()?;
    log::debug!("a helper's files are limited: {:?}", status.ruleset);
    let filter = filter(answers).context("cannot make a system call filter")?;
    seccompiler::apply_filter(&filter).context("cannot filter system calls")
}

/// Reading of these files, and of all in these folders; anything else of files is
/// forbidden, as far as the kernel knows how to.
fn readable(paths: &[PathBuf]) -> Result<RulesetCreated> {
    let all = AccessFs::from_all(ABI::V5);
    let mut rules = Ruleset::default().handle_access(all)?.create()?;
    for file in paths.iter().filter_map(|path| PathFd::new(path).ok()) {
        let before = rules.try_clone()?;
        // Memory that is a file takes no rule, and needs none.
        rules = rules
            .add_rule(PathBeneath::new(file, AccessFs::ReadFile))
            .unwrap_or(before);
    }
    Ok(rules)
}

/// Becomes a user who owns nothing, where this process may, and gives up every
/// capability but one.
fn become_nobody() -> nix::Result<()> {
    let kept = capabilities()? & (1 << CAP_DAC_READ_SEARCH);
    prctl::set_keepcaps(true)?;
    let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    let became = setgroups(&[])
        .and_then(|()| setresgid(gid, gid, gid))
        .and_then(|()| setresuid(uid, uid, uid));
    match became {
        // It has rights over nobody but itself, or there is no such user here.
        Ok(()) | Err(Errno::EPERM | Errno::EINVAL) => set_capabilities(kept),
        Err(error) => Err(error),
    }
}

/// The header of `capget` and `capset`, for this process.
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// 32 capabilities: the effective, the permitted and the inheritable ones.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Sets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

static SELF: Header = Header {
    version: CAPABILITY_VERSION,
    pid: 0,
};

/// The first 32 permitted capabilities.
fn capabilities() -> nix::Result<u32> {
    let mut sets = [Sets::default(); 2];
    // SAFETY: both are live and as large as this version says.
    let got = unsafe { libc::syscall(libc::SYS_capget, &raw const SELF, sets.as_mut_ptr()) };
    Errno::result(got).map(|_| sets[0].permitted)
}

/// Keeps these of the first 32 capabilities, and no other.
fn set_capabilities(kept: u32) -> nix::Result<()> {
    let low = Sets {
        effective: kept,
        permitted: kept,
        inheritable: 0,
    };
    let sets = [low, Sets::default()];
    // SAFETY: both are live and as large as this version says.
    let set = unsafe { libc::syscall(libc::SYS_capset, &raw const SELF, sets.as_ptr()) };
    Errno::result(set).map(drop)
}

/// The system calls of a process that reads, computes and answers. Others fail.
fn filter(answers: BorrowedFd<'_>) -> Result<BpfProgram> {
    let number = |value: i32| u64::from(value.cast_unsigned());
    let only = |argument, is, value| -> Result<Vec<SeccompRule>> {
        let condition = Condition::new(argument, Length::Dword, is, value)?;
        Ok(vec![SeccompRule::new(vec![condition])?])
    };
    let writes = libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | libc::O_APPEND;
    let to_read = Is::MaskedEq(number(writes));
    let not_executable = || Is::MaskedEq(number(libc::PROT_EXEC));
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = [
        libc::SYS_brk,
        libc::SYS_clock_gettime,
        libc::SYS_close,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_fstat,
        libc::SYS_futex,
        libc::SYS_getcwd,
        libc::SYS_getpid,
        libc::SYS_getrandom,
        libc::SYS_gettid,
        libc::SYS_lseek,
        libc::SYS_lstat,
        libc::SYS_madvise,
        libc::SYS_mremap,
        libc::SYS_munmap,
        libc::SYS_newfstatat,
        libc::SYS_pread64,
        libc::SYS_read,
        libc::SYS_readlink,
        libc::SYS_readlinkat,
        libc::SYS_restart_syscall,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_stat,
        libc::SYS_statx,
    ]
    .into_iter()
    .map(|call| (call, Vec::new()))
    .collect();
    rules.extend([
        (libc::SYS_open, only(1, to_read.clone(), 0)?),
        (libc::SYS_openat, only(2, to_read, 0)?),
        (libc::SYS_mmap, only(2, not_executable(), 0)?),
        (libc::SYS_mprotect, only(2, not_executable(), 0)?),
        (
            libc::SYS_tgkill,
            only(0, Is::Eq, number(getpid().as_raw()))?,
        ),
        (
            libc::SYS_write,
            only(0, Is::Eq, number(answers.as_raw_fd()))?,
        ),
    ]);
    let denied = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let filter = SeccompFilter::new(rules, denied, SeccompAction::Allow, TargetArch::x86_64)?;
    Ok(filter.try_into()?)
}
