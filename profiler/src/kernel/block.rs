//! Block devices.

use std::{collections::BTreeMap, fs, path::Path};

use super::version::read_trimmed;

/// By device, whether its driver has queues that can be polled, as
/// `/sys/block/*/queue/io_poll` tells. Devices that do not say are left out.
#[must_use]
pub fn poll_queues() -> BTreeMap<String, bool> {
    poll_queues_in(Path::new("/sys/block"))
}

fn poll_queues_in(folder: &Path) -> BTreeMap<String, bool> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let text = read_trimmed(entry.path().join("queue/io_poll"))?;
            Some((entry.file_name().into_string().ok()?, text != "0"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only what the kernel says is said.
    #[test]
    fn devices_say_whether_they_can_poll() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, value) in [
            ("nvme0n1", Some("1\n")),
            ("sda", Some("0\n")),
            ("old", None),
        ] {
            let queue = folder.path().join(name).join("queue");
            fs::create_dir_all(&queue).expect("a folder");
            if let Some(value) = value {
                fs::write(queue.join("io_poll"), value).expect("a file");
            }
        }
        let found = poll_queues_in(folder.path());
        let expected = [("nvme0n1".to_owned(), true), ("sda".to_owned(), false)];
        assert_eq!(found, BTreeMap::from(expected));
    }
}
