//! From a release of the catalog to files that can be booted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::Kernel;
use super::catalog::Release;
use crate::ebpf_object::process;
use crate::install::debian::archive;
use crate::lab::cache::{self, Cache};

/// Drivers for hardware that no guest of ours has; nine tenths of all modules.
const LEFT_OUT: [&str; 8] = [
    "*/kernel/drivers/gpu",
    "*/kernel/drivers/media",
    "*/kernel/drivers/net",
    "*/kernel/drivers/infiniband",
    "*/kernel/drivers/iio",
    "*/kernel/drivers/usb",
    "*/kernel/drivers/scsi",
    "*/kernel/sound",
];

/// The kernel out of the cache, downloaded first if need be.
pub(in crate::lab) fn fetch(cache: &Cache, release: &Release) -> Result<Kernel> {
    let home = cache.kernel(&release.name);
    if !home.exists() {
        let scratch = cache.scratch()?;
        let unpacked = scratch.path().join("unpacked");
        cache::create(&unpacked)?;
        for package in &release.packages {
            eprintln!("lab: downloading {} {}", package.name, package.version);
            let deb = scratch.path().join("package.deb");
            archive::fetch(package, &deb)?;
            unpack(&deb, &unpacked)?;
            fs::remove_file(&deb).with_context(|| format!("cannot remove {}", deb.display()))?;
        }
        cache::create(home.parent().unwrap_or(&home))?;
        // In one step, so that a half-made kernel is never found; if another
        // process was quicker, its kernel is as good.
        if let Err(error) = fs::rename(&unpacked, &home)
            && !home.exists()
        {
            return Err(error).with_context(|| format!("cannot create {}", home.display()));
        }
    }
    find(&home, &release.name)
}

fn unpack(deb: &Path, folder: &Path) -> Result<()> {
    let mut tarball = Command::new("dpkg-deb");
    tarball
        .arg("--fsys-tarfile")
        .arg(deb)
        .stdout(Stdio::piped());
    let name = process::describe(&tarball);
    let mut tarball = tarball
        .spawn()
        .with_context(|| format!("cannot start `{name}`"))?;
    let content = tarball.stdout.take().context("no pipe to dpkg-deb")?;
    let mut tar = Command::new("tar");
    tar.args(["-x", "--no-same-owner", "-C"]).arg(folder);
    tar.args(LEFT_OUT.map(|pattern| format!("--exclude={pattern}")));
    let unpacked = process::run(tar.stdin(content));
    let status = tarball
        .wait()
        .with_context(|| format!("cannot wait for `{name}`"))?;
    unpacked?;
    ensure!(status.success(), "`{name}` ended with {status}");
    Ok(())
}

/// Debian has moved these files about; none of the old places is in use for
/// something else.
fn find(home: &Path, release: &str) -> Result<Kernel> {
    let first = |places: [String; 2]| -> Option<PathBuf> {
        places
            .iter()
            .map(|place| home.join(place))
            .find(|path| path.exists())
    };
    let image = first([
        format!("boot/vmlinuz-{release}"),
        format!("usr/lib/modules/{release}/vmlinuz"),
    ]);
    let modules = first([
        format!("lib/modules/{release}"),
        format!("usr/lib/modules/{release}"),
    ]);
    let missing = |what: &str| format!("no {what} in {}: delete that folder", home.display());
    Ok(Kernel {
        release: release.to_owned(),
        image: image.with_context(|| missing("kernel image"))?,
        modules: modules.with_context(|| missing("modules"))?,
    })
}
