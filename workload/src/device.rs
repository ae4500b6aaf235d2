//! What the kernel tells about the device behind a file.

use std::{
    fs::{self, Metadata},
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

/// A block device, by its directory in sysfs.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    directory: PathBuf,
}

impl Device {
    /// The device that a file is, or on which it lies; `None` where that is not
    /// one device (network, memory, several disks).
    pub(crate) fn of(metadata: &Metadata) -> Option<Self> {
        let number = if metadata.file_type().is_block_device() {
            metadata.rdev()
        } else {
            metadata.dev()
        };
        let link = format!(
            "/sys/dev/block/{}:{}",
            libc::major(number),
            libc::minor(number)
        );
        let directory = fs::canonicalize(link).ok()?;
        Some(Self { directory })
    }

    /// The name of the whole device: `nvme0n1`, also for a partition of it.
    pub(crate) fn name(&self) -> String {
        let whole = self.queue_directory();
        let name = whole.as_deref().and_then(Path::parent);
        let name = name.unwrap_or(&self.directory).file_name();
        name.unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Can its driver be polled for completions?
    pub(crate) fn can_poll(&self) -> Option<bool> {
        self.queue_value("io_poll").map(|value| value != 0)
    }

    /// The unit of its addresses, in bytes.
    pub(crate) fn logical_block_size(&self) -> Option<u32> {
        self.queue_value("logical_block_size")
    }

    fn queue_value(&self, name: &str) -> Option<u32> {
        let text = fs::read_to_string(self.queue_directory()?.join(name)).ok()?;
        text.trim().parse().ok()
    }

    /// A partition's queue is that of its parent.
    fn queue_directory(&self) -> Option<PathBuf> {
        self.directory
            .ancestors()
            .take(2)
            .map(|directory| directory.join("queue"))
            .find(|directory| directory.is_dir())
    }

    /// Interrupts that its controller has raised since boot, on all CPUs.
    pub(crate) fn interrupts(&self) -> Option<u64> {
        let numbers = self.interrupt_numbers();
        let names = self
            .directory
            .ancestors()
            .filter_map(|directory| directory.file_name()?.to_str())
            .collect::<Vec<_>>();
        let text = fs::read_to_string("/proc/interrupts").ok()?;
        count_interrupts(&text, &numbers, &names)
    }

    /// The interrupts of the nearest controller that lists them.
    fn interrupt_numbers(&self) -> Vec<u32> {
        let listed = self
            .directory
            .ancestors()
            .find_map(|directory| fs::read_dir(directory.join("msi_irqs")).ok());
        listed
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .collect()
    }
}

/// Sums the lines of `/proc/interrupts` whose number is one of `numbers` or
/// whose action belongs to one of `names` (`virtio1-req.0` to `virtio1`).
fn count_interrupts(text: &str, numbers: &[u32], names: &[&str]) -> Option<u64> {
    let mut lines = text.lines();
    let cpus = lines.next()?.split_whitespace().count();
    let mut sum = None;
    for line in lines {
        let Some((label, rest)) = line.split_once(':') else {
            continue;
        };
        let Ok(number) = label.trim().parse::<u32>() else {
            continue;
        };
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let counts = fields
            .iter()
            .take(cpus)
            .filter_map(|field| field.parse::<u64>().ok());
        let action = fields.last().copied().unwrap_or_default();
        let owner = action.split_once('-').map_or(action, |(owner, _)| owner);
        if numbers.contains(&number) || names.contains(&owner) {
            *sum.get_or_insert(0) += counts.sum::<u64>();
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERRUPTS: &str = "\
           CPU0       CPU1
 28:          3          4 PCI-MSIX-0000:00:01.0   0-edge      virtio0-config
 35:          0          1 PCI-MSIX-0000:00:02.0   0-edge      virtio1-config
 36:         10     155580 PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0
 40:          5          6 PCI-MSI-0000:00:05.0    1-edge      nvme0q1
NMI:         20         30   Non-maskable interrupts
";

    #[test]
    fn a_devices_interrupts_are_those_of_its_controller_on_every_cpu() {
        let count = |numbers: &[u32], names: &[&str]| count_interrupts(INTERRUPTS, numbers, names);
        assert_eq!(count(&[35, 36], &[]), Some(155_591));
        assert_eq!(count(&[], &["block", "virtio1"]), Some(155_591));
        assert_eq!(count(&[40], &["virtio1"]), Some(155_602));
        assert_eq!(count(&[], &["virtual", "nullb0"]), None);
    }

    #[test]
    fn a_file_in_memory_is_on_no_device() {
        let metadata = fs::metadata("/proc/self/stat").unwrap();
        assert!(Device::of(&metadata).is_none());
    }
}
