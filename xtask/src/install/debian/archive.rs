//! Fetching a package from a suite of the mirror that this machine's apt uses.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use super::apt_sources;
use super::index::{self, Package};
use crate::ebpf_object::{process, sources};

/// Uses apt's proxy settings, and is there on every Debian.
const APT_HELPER: &str = "/usr/lib/apt/apt-helper";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const ETC_APT: &str = "/etc/apt";
const PACKAGES: &str = "main/binary-amd64/Packages.xz";

/// One suite, whose list of packages carries Debian's signature.
pub(crate) struct Archive {
    base: String,
    packages: String,
    scratch: PathBuf,
}

impl Archive {
    /// The first mirror among apt's sources that has `suite`.
    pub(crate) fn find(suite: &str, scratch: &Path) -> Result<Self> {
        let mut failures = Vec::new();
        for base in apt_sources::uris(Path::new(ETC_APT))? {
            match Self::open(&base, suite, scratch) {
                Ok(archive) => return Ok(archive),
                Err(error) => failures.push(format!("{error:#}")),
            }
        }
        bail!(
            "none of apt's sources has the suite {suite}: {}",
            failures.join("; ")
        )
    }

    /// Where it is.
    pub(crate) fn mirror(&self) -> &str {
        &self.base
    }

    fn open(base: &str, suite: &str, scratch: &Path) -> Result<Self> {
        let suite = format!("{base}/dists/{suite}");
        let signed = scratch.join("InRelease");
        let release = scratch.join("Release");
        download(&format!("{suite}/InRelease"), &signed)?;
        verify(&signed, &release)?;
        let release = fs::read_to_string(&release).context("cannot read the Release file")?;
        let digest = index::digest_in_release(&release, PACKAGES)
            .with_context(|| format!("the Release file does not list {PACKAGES}"))?;

        let packages = scratch.join("Packages.xz");
        download(&format!("{suite}/{PACKAGES}"), &packages)?;
        check_digest(&packages, &digest)?;
        let text = Command::new(APT_HELPER)
            .arg("cat-file")
            .arg(&packages)
            .output()
            .with_context(|| format!("cannot start {APT_HELPER}"))?;
        ensure!(text.status.success(), "cannot decompress {PACKAGES}");
        Ok(Self {
            base: base.to_owned(),
            packages: String::from_utf8(text.stdout).context("Packages is not text")?,
            scratch: scratch.to_path_buf(),
        })
    }

    /// The package in the version `upstream`, in whichever of Debian's revisions.
    pub(crate) fn package(&self, name: &str, upstream: &str) -> Result<Package> {
        index::find(&self.packages, name, upstream)
            .with_context(|| format!("the mirror has no {name} {upstream}"))
    }

    pub(crate) fn download(&self, package: &Package) -> Result<PathBuf> {
        let path = self.scratch.join("package.deb");
        download(&format!("{}/{}", self.base, package.filename), &path)?;
        check_digest(&path, &package.sha256)?;
        Ok(path)
    }

    /// Every package whose name begins so.
    pub(crate) fn packages<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = Package> + 'a {
        index::with_prefix(&self.packages, prefix)
    }
}

/// Fetches a package whose digest is known from a list read earlier, from the
/// first of apt's mirrors that has it.
pub(crate) fn fetch(package: &Package, path: &Path) -> Result<()> {
    let mut failures = Vec::new();
    for base in apt_sources::uris(Path::new(ETC_APT))? {
        let from = format!("{base}/{}", package.filename);
        match download(&from, path).and_then(|()| check_digest(path, &package.sha256)) {
            Ok(()) => return Ok(()),
            Err(error) => failures.push(format!("{error:#}")),
        }
    }
    bail!(
        "none of apt's mirrors gave {}: {}",
        package.name,
        failures.join("; ")
    )
}

fn download(uri: &str, path: &Path) -> Result<()> {
    let mut command = Command::new(APT_HELPER);
    command.args(["download-file", uri]).arg(path);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {APT_HELPER}"))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        bail!("`{}`: {}", process::describe(&command), reason.trim());
    }
    Ok(())
}

/// Writes the signed text to `plain` if Debian's keys did sign it.
fn verify(signed: &Path, plain: &Path) -> Result<()> {
    let output = Command::new("gpgv")
        .args(["--quiet", "--keyring", KEYRING, "--output"])
        .args([plain, signed])
        .output()
        .context("cannot start gpgv")?;
    let reason = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "Debian has not signed what the mirror gave: {}",
        reason.trim()
    );
    Ok(())
}

fn check_digest(path: &Path, expected: &str) -> Result<()> {
    let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let found = sources::sha256(&content);
    ensure!(
        found == expected,
        "{} has the SHA-256 {found}, not {expected}",
        path.display()
    );
    Ok(())
}
