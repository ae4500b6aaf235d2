//! NUMA nodes, as sysfs shows them.

use crate::error::Error;

/// The CPUs of a node.
///
/// # Errors
/// [`Error::Usage`] if there is no such node.
pub fn cpus_of(node: u32) -> Result<Vec<u32>, Error> {
    let path = format!("/sys/devices/system/node/node{node}/cpulist");
    let list = std::fs::read_to_string(&path).map_err(|error| {
        Error::Usage(format!(
            "there is no NUMA node {node} here ({path}: {error}): see `lscpu`"
        ))
    })?;
    crate::cpu_list::parse(list.trim())
        .map_err(|error| Error::Environment(format!("node {node} has no CPUs: {error}")))
}

/// How many nodes this machine has.
#[must_use]
pub fn nodes() -> usize {
    let Ok(entries) = std::fs::read_dir("/sys/devices/system/node") else {
        return 1;
    };
    let is_node = |name: &str| {
        name.strip_prefix("node")
            .is_some_and(|number| number.parse::<u32>().is_ok())
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    names
        .filter(|name| is_node(&name.to_string_lossy()))
        .count()
}

/// Why NUMA balancing is not at work on this machine anyway, if it is not.
#[must_use]
pub fn balancing_is_off() -> Option<String> {
    if nodes() < 2 {
        return Some("this machine has one NUMA node, so nothing is balanced".to_owned());
    }
    match std::fs::read_to_string("/proc/sys/kernel/numa_balancing") {
        Ok(value) if value.trim() == "0" => {
            Some("kernel.numa_balancing is 0: it was off already".to_owned())
        }
        Ok(_) => None,
        Err(error) => Some(format!("this kernel has no NUMA balancing ({error})")),
    }
}
