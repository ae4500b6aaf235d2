//! One guest, from power-on to its end.

use std::{
    fmt,
    io::{self, ErrorKind, Read as _, Write},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    str::FromStr,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use fs_err::{self as fs, File};
use modeswitch_object::process;
use nix::sys::{
    signal::{SigSet, Signal},
    signalfd::{SfdFlags, SignalFd},
};

use super::{
    cache::Cache,
    console::Console,
    initramfs,
    kernels::Kernel,
    machine::{Accelerator, Machine},
    script::Script,
};
use crate::install::find_program;

/// How often the guest is looked at.
const STEP: Duration = Duration::from_millis(50);
/// From the command's end to power-off.
const FAREWELL: Duration = Duration::from_secs(15);
/// How often a guest is booted that is lost through the emulation.
const ATTEMPTS: u32 = 3;
/// Where the suite's failing tests leave what they have seen, among the results.
pub(super) const EVIDENCE: &str = "failed";
const TRIAL: Duration = Duration::from_secs(20);
const DRIVE_BYTES: u64 = 1 << 30;
const DISK_BYTES: u64 = 4 << 30;

/// How much patience there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) total: Duration,
    /// Until the first sign of life, and between two of them.
    pub(super) silence: Duration,
}

/// Everything that boots have in common.
#[derive(Debug)]
pub(super) struct Lab {
    pub(super) cache: Cache,
    pub(super) limits: Limits,
    pub(super) signals: Signals,
    /// Whether to show the guest's console.
    pub(super) console: bool,
    /// Never even try KVM.
    pub(super) emulate: bool,
    /// Hold what a guest says until it has ended: others run beside it.
    pub(super) several: bool,
}

impl Lab {
    /// Runs a script in a guest. `results` sees what it left behind, and its console.
    /// Also tells how often the guest was booted.
    pub(super) fn run<T>(
        &self,
        machine: &Machine,
        kernel: &Kernel,
        script: &Script,
        results: impl FnOnce(&Path, &Path) -> Result<T>,
    ) -> Result<(Ending, u32, T)> {
        let initramfs = initramfs::build(kernel)?;
        let accelerator = if self.emulate {
            Accelerator::Tcg
        } else {
            Accelerator::choose(&self.cache, kernel, || {
                self.trial(machine, kernel, &initramfs)
            })?
        };
        for attempt in 1.. {
            let boot = Boot::prepare(&self.cache, &initramfs, script)?;
            let (ending, by_the_emulator) = self.attempt(machine, kernel, accelerator, &boot)?;
            // What a test has found before that is not to be lost.
            let has_failed = boot.results().join(EVIDENCE).exists();
            if by_the_emulator && attempt < ATTEMPTS && !has_failed {
                eprintln!(
                    "lab: {}: the emulated processor ran into a breakpoint that the kernel had \
                     taken away; booting again",
                    kernel.release
                );
                continue;
            }
            let left = results(&boot.results(), &boot.path("console"))?;
            return Ok((ending, attempt, left));
        }
        bail!("the guest was never booted")
    }

    /// One boot. Also tells whether it was lost through the emulation.
    fn attempt(
        &self,
        machine: &Machine,
        kernel: &Kernel,
        accelerator: Accelerator,
        boot: &Boot,
    ) -> Result<(Ending, bool)> {
        eprintln!(
            "lab: booting {} {}, {} CPUs, by {}",
            kernel.release,
            machine.append.trim(),
            machine.cpus,
            accelerator.name()
        );
        let begin = Instant::now();
        let qemu = boot.start(machine, kernel, accelerator)?;
        let mut guest = Guest::new(qemu, boot);
        guest.shows_console = self.console;
        guest.held = self.several.then(Vec::new);
        let ending = guest.watch(self.limits, &self.signals)?;
        guest.show_held()?;
        guest.explain(&ending);
        eprintln!(
            "lab: {}: {ending}, {:.1} s",
            kernel.release,
            begin.elapsed().as_secs_f64()
        );
        let by_the_emulator = accelerator == Accelerator::Tcg
            && matches!(ending, Ending::Lost(_))
            && guest.console.met_stale_breakpoint();
        Ok((ending, by_the_emulator))
    }

    /// Whether a guest that has nothing to do does it quickly under KVM.
    fn trial(&self, machine: &Machine, kernel: &Kernel, initramfs: &[u8]) -> Result<bool> {
        let script = Script::trial();
        let boot = Boot::prepare(&self.cache, initramfs, &script)?;
        let qemu = boot.start(machine, kernel, Accelerator::Kvm)?;
        let limits = Limits {
            total: TRIAL,
            silence: TRIAL,
        };
        let ending = Guest::new(qemu, &boot).watch(limits, &self.signals)?;
        Ok(ending == Ending::Exited(0))
    }
}

const GUEST: &str = include_str!("guest.sh");
/// The path of the share in the guest.
pub(super) const IN_GUEST: &str = "/modeswitch-lab";

/// The files of one boot, and among them the folder that the guest shares with us.
struct Boot {
    folder: tempfile::TempDir,
}

impl Boot {
    fn prepare(cache: &Cache, initramfs: &[u8], script: &Script) -> Result<Self> {
        let boot = Self {
            folder: cache.run_folder()?,
        };
        fs::create_dir_all(boot.results())?;
        fs::write(boot.path("share/guest.sh"), GUEST)?;
        fs::write(boot.path("share/command.sh"), script.render())?;
        let busybox = find_program("busybox").context("no busybox")?;
        fs::copy(busybox, boot.path("share/busybox"))?;
        fs::write(boot.path("initramfs"), initramfs)?;
        for (drive, bytes) in [("drive", DRIVE_BYTES), ("disk", DISK_BYTES)] {
            File::create(boot.path(drive))?.set_len(bytes)?;
        }
        boot.make_file_system()?;
        Ok(boot)
    }

    /// Memory and 9p, the guest's other file systems, do not take direct I/O.
    fn make_file_system(&self) -> Result<()> {
        let mut mke2fs = Command::new(find_program("mke2fs").context("no mke2fs")?);
        // Nothing is left for the guest's kernel to do in the background.
        let options = "lazy_itable_init=0,lazy_journal_init=0,nodiscard";
        mke2fs.args(["-q", "-F", "-t", "ext4", "-N", "4096", "-E", options]);
        process::run(mke2fs.arg(self.path("disk")))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the command left behind.
    fn results(&self) -> PathBuf {
        self.path("share/results")
    }

    /// A number that the guest has written: the command's exit status once it has ended,
    /// and a heartbeat as long as the guest is alive.
    fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        let text = fs::read_to_string(self.path("share").join(name)).ok()?;
        text.trim().parse().ok()
    }

    fn start(&self, machine: &Machine, kernel: &Kernel, accelerator: Accelerator) -> Result<Child> {
        let mut command = machine.command(kernel, accelerator, self.folder.path());
        let error = File::create(self.path("qemu"))?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(error.into_file())
            // Ctrl-C is ours to handle.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start `{}`", process::describe(&command)))
    }
}

/// A running guest. It is killed when this is dropped.
struct Guest<'a> {
    qemu: Child,
    boot: &'a Boot,
    console: Console,
    console_file: Follower,
    stdout: Follower,
    stderr: Follower,
    shows_console: bool,
    /// What it has said, if that is not to be shown yet.
    held: Option<Vec<u8>>,
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

impl<'a> Guest<'a> {
    fn new(qemu: Child, boot: &'a Boot) -> Self {
        Self {
            qemu,
            boot,
            console: Console::default(),
            console_file: Follower::new(boot.path("console")),
            stdout: Follower::new(boot.path("share/stdout")),
            stderr: Follower::new(boot.path("share/stderr")),
            shows_console: false,
            held: None,
        }
    }

    fn watch(&mut self, limits: Limits, signals: &Signals) -> Result<Ending> {
        let begin = Instant::now();
        let mut beat = (None, begin);
        loop {
            let has_ended = self
                .qemu
                .try_wait()
                .context("cannot wait for QEMU")?
                .is_some();
            let status = self.boot.number("status");
            self.pass_on()?;
            if let Some(status) = status {
                self.say_farewell()?;
                return Ok(Ending::Exited(status));
            }
            if let Some(line) = self.console.fatal() {
                return Ok(Ending::Lost(line.to_owned()));
            }
            if has_ended {
                return Ok(Ending::Lost(
                    "it stopped before the command ended".to_owned(),
                ));
            }
            if signals.arrived() {
                return Ok(Ending::Interrupted);
            }
            if begin.elapsed() > limits.total {
                return Ok(Ending::TimedOut);
            }
            let now = self.boot.number::<u64>("heartbeat");
            if now != beat.0 {
                beat = (now, Instant::now());
            }
            if beat.1.elapsed() > limits.silence {
                let seconds = limits.silence.as_secs();
                return Ok(Ending::Lost(match beat.0 {
                    Some(_) => format!("no sign of life for {seconds} s"),
                    None => format!("it did not come up within {seconds} s"),
                }));
            }
            thread::sleep(STEP);
        }
    }

    /// Hands on what the guest has written since.
    fn pass_on(&mut self) -> Result<()> {
        let context = "cannot pass on the guest's output";
        if let Some(held) = &mut self.held {
            held.extend(self.stdout.read()?);
            held.extend(self.stderr.read()?);
            self.console.read(&self.console_file.read()?);
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(&self.stdout.read()?).context(context)?;
        out.flush().context(context)?;
        let mut error = io::stderr().lock();
        error.write_all(&self.stderr.read()?).context(context)?;
        let console = self.console_file.read()?;
        self.console.read(&console);
        if self.shows_console {
            error.write_all(&console).context(context)?;
        }
        Ok(())
    }

    /// Shows in one piece what was not shown as it came.
    fn show_held(&mut self) -> Result<()> {
        let held = self.held.take().unwrap_or_default();
        let mut out = io::stdout().lock();
        out.write_all(&held)
            .and_then(|()| out.flush())
            .context("cannot pass on the guest's output")
    }

    fn say_farewell(&mut self) -> Result<()> {
        let begin = Instant::now();
        while begin.elapsed() < FAREWELL {
            if self
                .qemu
                .try_wait()
                .context("cannot wait for QEMU")?
                .is_some()
            {
                break;
            }
            thread::sleep(STEP);
        }
        self.pass_on()
    }

    /// Shows the end of the console of a guest that was lost.
    fn explain(&self, ending: &Ending) {
        if matches!(ending, Ending::Exited(_) | Ending::Interrupted) {
            return;
        }
        let qemu = fs::read_to_string(self.boot.path("qemu")).unwrap_or_default();
        eprint!("{qemu}");
        eprintln!("lab: the last lines of the guest's console:");
        for line in self.console.tail() {
            eprintln!("  | {line}");
        }
    }
}

/// A file that may not be there yet, read up to where it has grown.
#[derive(Debug)]
struct Follower {
    path: PathBuf,
    file: Option<File>,
}

impl Follower {
    fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// What has been added since.
    fn read(&mut self) -> Result<Vec<u8>> {
        let context = || format!("cannot read {}", self.path.display());
        if self.file.is_none() {
            self.file = match File::open(&self.path) {
                Ok(file) => Some(file),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(error).with_context(context),
            };
        }
        let mut bytes = Vec::new();
        if let Some(file) = &mut self.file {
            file.read_to_end(&mut bytes).with_context(context)?;
        }
        Ok(bytes)
    }
}

/// The guest crashed, hung or never came up.
const GUEST_LOST: u8 = 120;
/// As `timeout` has it.
const TIMED_OUT: u8 = 124;
/// As a shell has it after Ctrl-C.
const INTERRUPTED: u8 = 130;

/// What became of a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// The command ran to its end, with this status.
    Exited(u8),
    /// The guest crashed or hung; how that showed.
    Lost(String),
    /// The time allowed was over.
    TimedOut,
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

impl Ending {
    pub(super) fn status(&self) -> u8 {
        match self {
            Self::Exited(status) => *status,
            Self::Lost(_) => GUEST_LOST,
            Self::TimedOut => TIMED_OUT,
            Self::Interrupted => INTERRUPTED,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(0) => f.write_str("ok"),
            Self::Exited(status) => write!(f, "status {status}"),
            Self::Lost(how) => write!(f, "guest lost: {how}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

/// The signals that end a program, held back so that the guest and its files
/// can be cleared away first.
#[derive(Debug)]
pub(super) struct Signals {
    fd: SignalFd,
    /// Several guests may ask, and a signal can be read but once.
    has_arrived: AtomicBool,
}

impl Signals {
    pub(super) fn hold_back() -> Result<Self> {
        let mut set = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            set.add(signal);
        }
        set.thread_block().context("cannot hold back signals")?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let fd = SignalFd::with_flags(&set, flags).context("cannot receive signals")?;
        Ok(Self {
            fd,
            has_arrived: AtomicBool::new(false),
        })
    }

    /// Whether one has come.
    pub(super) fn arrived(&self) -> bool {
        if matches!(self.fd.read_signal(), Ok(Some(_))) {
            self.has_arrived.store(true, Ordering::Relaxed);
        }
        self.has_arrived.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_passed_on_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stdout");
        let mut follower = Follower::new(path.clone());
        assert_eq!(follower.read().unwrap(), b"");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"one").unwrap();
        assert_eq!(follower.read().unwrap(), b"one");
        assert_eq!(follower.read().unwrap(), b"");
        file.write_all(b"\xfftwo").unwrap();
        assert_eq!(follower.read().unwrap(), b"\xfftwo");
    }
}
