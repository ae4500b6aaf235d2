//! One kernel module's file.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::ebpf_object::process;

/// The ways in which distributions compress modules, and what undoes them.
const COMPRESSIONS: [(&str, &str); 3] = [(".xz", "xz"), (".zst", "zstd"), (".gz", "gzip")];

/// A module's name, if that is what the file is: `9pnet_virtio.ko.xz`, and
/// `null-blk.ko`, whose name is `null_blk`.
pub(super) fn name(file: &str) -> Option<String> {
    let plain = COMPRESSIONS
        .iter()
        .find_map(|(ending, _)| file.strip_suffix(ending))
        .unwrap_or(file);
    plain.strip_suffix(".ko").map(|name| name.replace('-', "_"))
}

/// The module itself.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let file = path.to_string_lossy();
    let compression = COMPRESSIONS.iter().find(|(end, _)| file.ends_with(end));
    let Some((_, program)) = compression else {
        return fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    };
    let mut command = Command::new(program);
    command.arg("-dc").arg(path);
    process::output(&mut command)
}

/// The names of the modules that one needs, as it says itself.
///
/// `depmod` collects these into `modules.dep`, but distributions run it only
/// where the kernel is installed, and a machine that only cross-boots kernels
/// need not have it.
pub(super) fn dependencies(module: &[u8]) -> Result<Vec<String>> {
    const FIELD: &[u8] = b"\0depends=";
    let Some(at) = module.windows(FIELD.len()).position(|w| w == FIELD) else {
        bail!("a kernel module does not say what it depends on");
    };
    let value = &module[at + FIELD.len()..];
    let end = value.iter().position(|&byte| byte == 0);
    let names = String::from_utf8_lossy(&value[..end.unwrap_or(value.len())]);
    let names = names.split(',').filter(|name| !name.is_empty());
    Ok(names.map(|name| name.replace('-', "_")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_endings_and_dashes() {
        assert_eq!(name("9pnet_virtio.ko.xz").as_deref(), Some("9pnet_virtio"));
        assert_eq!(name("null-blk.ko").as_deref(), Some("null_blk"));
        assert_eq!(name("modules.order"), None);
    }

    #[test]
    fn dependencies_are_read_from_the_module() {
        let module = b"\x7fELF\0license=GPL\0depends=nvme-core,9pnet\0name=x\0";
        assert_eq!(dependencies(module).unwrap(), ["nvme_core", "9pnet"]);
        let none = b"\0depends=\0retpoline=Y\0";
        assert_eq!(dependencies(none).unwrap(), [""; 0]);
        assert!(dependencies(b"not a module").is_err());
    }
}
