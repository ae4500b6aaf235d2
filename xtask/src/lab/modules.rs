//! Kernel modules: which to load, in which order, and what is in their files.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use fs_err as fs;
use modeswitch_object::process;

/// A module to load.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Loaded {
    pub(super) name: String,
    pub(super) content: Vec<u8>,
}

/// All modules of one kernel, by name.
#[derive(Debug)]
pub(super) struct Modules {
    files: BTreeMap<String, PathBuf>,
    builtin: BTreeSet<String>,
}

impl Modules {
    /// Looks through the folder of one release.
    pub(super) fn find(folder: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        visit(folder, &mut files)?;
        let list = folder.join("modules.builtin");
        let text = fs::read_to_string(&list)?;
        let builtin = text
            .lines()
            .filter_map(|line| module_name(line.rsplit('/').next()?))
            .collect();
        Ok(Self { files, builtin })
    }

    /// The named modules behind all that they need, each once, without those that are
    /// built in or that this kernel does not have.
    pub(super) fn in_order(&self, wanted: &[&str]) -> Result<Vec<Loaded>> {
        let mut loaded = Vec::new();
        for name in wanted.iter().filter(|name| self.files.contains_key(**name)) {
            self.add(name, &mut loaded)?;
        }
        Ok(loaded)
    }

    fn add(&self, name: &str, loaded: &mut Vec<Loaded>) -> Result<()> {
        // Modules cannot need each other in a circle: none of them could be loaded.
        if self.builtin.contains(name) || loaded.iter().any(|module| module.name == name) {
            return Ok(());
        }
        let Some(file) = self.files.get(name) else {
            bail!("this kernel has no module {name}, which another one needs");
        };
        let content = read(file)?;
        let needed = dependencies(&content)
            .with_context(|| format!("cannot understand {}", file.display()))?;
        for needed in needed {
            self.add(&needed, loaded)?;
        }
        loaded.push(Loaded {
            name: name.to_owned(),
            content,
        });
        Ok(())
    }
}

fn visit(folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Not through links: `build` and `source` lead out of the folder.
        let kind = entry.file_type()?;
        if kind.is_dir() {
            visit(&entry.path(), files)?;
        } else if let Some(name) = module_name(&entry.file_name().to_string_lossy()) {
            files.insert(name, entry.path());
        }
    }
    Ok(())
}

/// The ways in which distributions compress modules, and what undoes them.
const COMPRESSIONS: [(&str, &str); 3] = [(".xz", "xz"), (".zst", "zstd"), (".gz", "gzip")];

/// A module's name, if that is what the file is: `9pnet_virtio.ko.xz`, and
/// `null-blk.ko`, whose name is `null_blk`.
fn module_name(file: &str) -> Option<String> {
    let plain = COMPRESSIONS
        .iter()
        .find_map(|(ending, _)| file.strip_suffix(ending))
        .unwrap_or(file);
    plain.strip_suffix(".ko").map(|name| name.replace('-', "_"))
}

/// The module itself.
fn read(path: &Path) -> Result<Vec<u8>> {
    let file = path.to_string_lossy();
    let compression = COMPRESSIONS.iter().find(|(end, _)| file.ends_with(end));
    let Some((_, program)) = compression else {
        return Ok(fs::read(path)?);
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
fn dependencies(module: &[u8]) -> Result<Vec<String>> {
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

    fn kernel(modules: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let drivers = folder.path().join("kernel/drivers");
        fs::create_dir_all(&drivers).unwrap();
        for (name, depends) in modules {
            let text = format!("x\0depends={depends}\0");
            fs::write(drivers.join(format!("{name}.ko")), text).unwrap();
        }
        fs::write(
            folder.path().join("modules.builtin"),
            "kernel/drivers/virtio/virtio_ring.ko\n",
        )
        .unwrap();
        folder
    }

    /// What is needed comes first, once, and nothing that is built in.
    #[test]
    fn dependencies_come_first() {
        let folder = kernel(&[
            ("9p", "9pnet,netfs"),
            ("9pnet", ""),
            ("9pnet-virtio", "virtio_ring,9pnet"),
            ("netfs", ""),
            ("unrelated", ""),
        ]);
        let modules = Modules::find(folder.path()).unwrap();
        let wanted = ["9pnet_virtio", "9p", "virtio_ring", "novelty"];
        let loaded = modules.in_order(&wanted).unwrap();
        let names: Vec<&str> = loaded.iter().map(|module| module.name.as_str()).collect();
        assert_eq!(names, ["9pnet", "9pnet_virtio", "netfs", "9p"]);
    }

    /// A package from which something is missing is noticed.
    #[test]
    fn a_missing_dependency_is_an_error() {
        let folder = kernel(&[("9p", "9pnet")]);
        let modules = Modules::find(folder.path()).unwrap();
        let error = modules.in_order(&["9p"]).unwrap_err();
        assert!(error.to_string().contains("9pnet"), "{error}");
    }

    #[test]
    fn names_lose_endings_and_dashes() {
        assert_eq!(
            module_name("9pnet_virtio.ko.xz").as_deref(),
            Some("9pnet_virtio")
        );
        assert_eq!(module_name("null-blk.ko").as_deref(), Some("null_blk"));
        assert_eq!(module_name("modules.order"), None);
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
