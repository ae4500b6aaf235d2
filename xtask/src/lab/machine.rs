//! The machine that QEMU makes, emulated or native.

use std::{ffi::OsString, path::Path, process::Command};

use anyhow::Result;
use fs_err as fs;

use super::{QEMU, cache::Cache, kernels::Kernel};

/// What can be chosen about it.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub(super) cpus: u32,
    pub(super) memory_mib: u32,
    /// Two nodes, each with half of the CPUs and of the memory.
    pub(super) numa: bool,
    /// More for the kernel's command line.
    pub(super) append: String,
}

/// The clock must be one that can be read without a system call, which the
/// kernel would not find out by itself on an emulated processor. A guest that
/// is lost shall end at once.
const COMMAND_LINE: &str = "console=ttyS0 loglevel=5 clocksource=tsc tsc=reliable panic=-1 oops=panic watchdog_thresh=50 rcupdate.rcu_cpu_stall_timeout=100";

impl Machine {
    /// The command that runs it with the files in a folder: the initramfs, the console,
    /// an empty drive (`/dev/nvme0n1`), a disk with a file system, and the share. It dies
    /// with us, whatever becomes of us.
    pub(super) fn command(
        &self,
        kernel: &Kernel,
        accelerator: Accelerator,
        folder: &Path,
    ) -> Command {
        let drive = "if=none,format=raw,cache=unsafe,id=";
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", QEMU]);
        command.args(["-nodefaults", "-no-user-config", "-no-reboot"]);
        command.args(["-display", "none", "-monitor", "none"]);
        command.args(["-machine", "q35", "-smp", &self.cpus.to_string()]);
        command.args(["-m", &self.memory_mib.to_string()]);
        command.args(accelerator.arguments());
        if self.numa {
            command.args(self.nodes());
        }
        command.arg("-kernel").arg(&kernel.image);
        command.arg("-initrd").arg(folder.join("initramfs"));
        command.args(["-append", &format!("{COMMAND_LINE} {}", self.append)]);
        command
            .arg("-serial")
            .arg(with("file:", &folder.join("console")));
        let local = "security_model=none,multidevs=remap,path=";
        let root = format!("local,id=host,readonly=on,{local}");
        command.arg("-fsdev").arg(with(&root, Path::new("/")));
        command.args(["-device", "virtio-9p-pci,fsdev=host,mount_tag=host"]);
        let share = format!("local,id=lab,{local}");
        command
            .arg("-fsdev")
            .arg(with(&share, &folder.join("share")));
        command.args(["-device", "virtio-9p-pci,fsdev=lab,mount_tag=lab"]);
        for (name, device) in [
            ("drive", "nvme,serial=modeswitch,drive=drive"),
            ("disk", "virtio-blk-pci,drive=disk"),
        ] {
            let options = format!("{drive}{name},file=");
            command
                .arg("-drive")
                .arg(with(&options, &folder.join(name)));
            command.args(["-device", device]);
        }
        command.args(["-device", "virtio-rng-pci"]);
        command
    }

    fn nodes(&self) -> Vec<String> {
        let half = self.cpus / 2;
        let cpus = [(0, half - 1), (half, self.cpus - 1)];
        let mut arguments = Vec::new();
        for (node, (first, last)) in cpus.iter().enumerate() {
            let size = self.memory_mib / 2;
            arguments.extend([
                "-object".to_owned(),
                format!("memory-backend-ram,id=m{node},size={size}M"),
                "-numa".to_owned(),
                format!("node,nodeid={node},cpus={first}-{last},memdev=m{node}"),
            ]);
        }
        arguments
    }
}

/// A path within an option, in which QEMU wants commas doubled.
fn with(before: &str, path: &Path) -> OsString {
    let path = path.to_string_lossy().replace(',', ",,");
    format!("{before}{path}").into()
}

/// How the guest's processors are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accelerator {
    Kvm,
    Tcg,
}

impl Accelerator {
    pub(super) fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::Kvm => ["-accel", "kvm", "-cpu", "max"],
            // One thread for all processors: with a thread each, one of them may run
            // code that another has patched meanwhile, which kernels do not survive.
            Self::Tcg => ["-accel", "tcg,thread=single", "-cpu", "max"],
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Kvm => "KVM",
            Self::Tcg => "emulation",
        }
    }

    /// The faster one that works. `trial` boots a guest and tells whether that
    /// went well.
    pub(super) fn choose(
        cache: &Cache,
        kernel: &Kernel,
        trial: impl FnOnce() -> Result<bool>,
    ) -> Result<Self> {
        if !is_usable(Path::new("/dev/kvm")) {
            return Ok(Self::Tcg);
        }
        // The cache may be on a disk that has been moved, or in a home folder
        // that several machines share.
        let machine = machine_id();
        let file = cache.accelerator(&kernel.release);
        let known = fs::read_to_string(&file).unwrap_or_default();
        let found = known
            .lines()
            .find_map(|line| line.strip_prefix(machine.as_str())?.strip_prefix(' '));
        match found {
            Some("kvm") => return Ok(Self::Kvm),
            Some(_) => return Ok(Self::Tcg),
            None => {}
        }
        eprintln!("lab: trying {} under KVM", kernel.release);
        let works = trial()?;
        if !works {
            eprintln!("lab: KVM does not work here; emulating");
        }
        let word = if works { "kvm" } else { "tcg" };
        fs::create_dir_all(file.parent().unwrap_or(&file))?;
        fs::write(&file, format!("{known}{machine} {word}\n"))?;
        Ok(if works { Self::Kvm } else { Self::Tcg })
    }
}

fn is_usable(device: &Path) -> bool {
    fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(device)
        .is_ok()
}

/// Of the machine and its kernel: another host kernel may do better.
fn machine_id() -> String {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let id = format!(
        "{}/{}",
        read("/etc/machine-id").trim(),
        read("/proc/sys/kernel/osrelease").trim()
    );
    id.replace(' ', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_share_cpus_and_memory_evenly() {
        let machine = Machine {
            cpus: 4,
            memory_mib: 3072,
            numa: true,
            append: String::new(),
        };
        let nodes = machine.nodes().join(" ");
        assert!(nodes.contains("id=m0,size=1536M"), "{nodes}");
        assert!(nodes.contains("nodeid=0,cpus=0-1,memdev=m0"), "{nodes}");
        assert!(nodes.contains("nodeid=1,cpus=2-3,memdev=m1"), "{nodes}");
    }

    #[test]
    fn commas_in_paths_are_doubled() {
        assert_eq!(with("file:", Path::new("/a,b")), "file:/a,,b");
    }
}
