//! Distribution kernels: which there are, and fetching one.
//!
//! Old packages disappear from a mirror and new ones come, so nothing is
//! pinned: a series is resolved when it is asked for.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, bail, ensure};
use fs_err as fs;
use modeswitch_object::process;

use super::cache::Cache;
use crate::install::apt::{self, Apt, Package};

/// Where Debian keeps its kernels. Those that a mirror lacks are passed over.
const SUITES: [&str; 7] = [
    "bullseye",
    "bullseye-security",
    "bookworm",
    "bookworm-security",
    "trixie",
    "trixie-security",
    "trixie-backports",
];
/// How long apt's lists are believed.
const FRESH: Duration = Duration::from_hours(24);
const ARCHITECTURE: &str = "-amd64";
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

/// A kernel on this machine, ready to boot.
#[derive(Debug, Clone)]
pub(super) struct Kernel {
    /// As `uname -r` prints it.
    pub(super) release: String,
    pub(super) image: PathBuf,
    /// The folder with the modules of this release.
    pub(super) modules: PathBuf,
}

/// A line of stable releases, such as 6.12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Series {
    major: u32,
    minor: u32,
}

impl Series {
    /// Out of `6.12`, or of a release such as `6.12.117+deb13-amd64`.
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(|c: char| !c.is_ascii_digit());
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        Some(Self { major, minor })
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// One kernel of `--kernel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The latest of a series.
    Series(Series),
    /// The latest there is.
    Newest,
}

/// What the project promises to work on: Debian's last three, and the newest.
const PROMISED: &str = "5.10,6.1,6.12,newest";

impl Wanted {
    /// Reads a list such as `5.10,newest`, or `all`.
    pub(super) fn list(text: &str) -> Result<Vec<Self>> {
        let text = if text == "all" { PROMISED } else { text };
        text.split(',')
            .map(|word| Self::parse(word.trim()))
            .collect()
    }

    fn parse(word: &str) -> Result<Self> {
        if word == "newest" {
            return Ok(Self::Newest);
        }
        let understood = || {
            format!("`{word}` is no kernel series: 6.12 is one; `newest` and `all` are understood")
        };
        let series = Series::parse(word).with_context(understood)?;
        if series.to_string() != word {
            bail!("{}", understood());
        }
        Ok(Self::Series(series))
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Series(series) => series.fmt(f),
            Self::Newest => f.write_str("newest"),
        }
    }
}

/// One release, with the packages that it consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Release {
    /// As `uname -r` will print it.
    name: String,
    packages: Vec<Package>,
}

/// All releases that the mirrors have whole.
pub(super) struct Catalog {
    apt: Apt,
    releases: Vec<Release>,
}

impl Catalog {
    /// Asks the mirrors, unless they were asked a short while ago.
    pub(super) fn load(cache: &Cache, refresh: bool) -> Result<Self> {
        let root = cache.apt();
        let apt = Apt::new(&root, &SUITES)?;
        let stamp = root.join("updated");
        if refresh || age(&stamp).is_none_or(|age| age >= FRESH) {
            eprintln!("lab: asking the mirrors which kernels there are");
            match apt.update() {
                Ok(()) => fs::write(&stamp, "")?,
                Err(error) if stamp.exists() => {
                    eprintln!("lab: going by an old list of kernels: {error:#}");
                }
                Err(error) => return Err(error),
            }
        }
        let releases = releases(apt.packages("linux-")?);
        ensure!(!releases.is_empty(), "no mirror has a kernel");
        Ok(Self { apt, releases })
    }

    /// The latest release of what is wanted, out of the cache or downloaded.
    pub(super) fn fetch(&self, cache: &Cache, wanted: Wanted) -> Result<Kernel> {
        let release = latest(&self.releases, wanted)?;
        let home = cache.kernel(&release.name);
        if !home.exists() {
            let scratch = cache.run_folder()?;
            let unpacked = scratch.path().join("unpacked");
            let folder = scratch.path().join("package");
            fs::create_dir_all(&unpacked)?;
            for Package { name, version } in &release.packages {
                eprintln!("lab: downloading {name} {version}");
                fs::create_dir_all(&folder)?;
                let deb = self.apt.download(name, version, &folder)?;
                unpack(&deb, &unpacked)?;
                fs::remove_dir_all(&folder)?;
            }
            fs::create_dir_all(home.parent().unwrap_or(&home))?;
            // In one step, so that a half-made kernel is never found; if another
            // process was quicker, its kernel is as good.
            if let Err(error) = fs::rename(&unpacked, &home)
                && !home.exists()
            {
                return Err(error.into());
            }
        }
        find(&home, &release.name)
    }
}

/// Puts packages together to releases. Since 6.19 the image and the modules
/// are packages of their own, and an older release may have lost one of them.
fn releases(packages: Vec<Package>) -> Vec<Release> {
    let by_name: BTreeMap<String, Package> = packages
        .into_iter()
        .map(|package| (package.name.clone(), package))
        .collect();
    let release = |(name, image): (&String, &Package)| {
        let release = name.strip_prefix("linux-image-").filter(|r| is_stock(r))?;
        let part = |kind: &str| by_name.get(&format!("linux-{kind}-{release}"));
        let packages = match (part("binary"), part("modules")) {
            (None, _) => vec![image.clone()],
            // The list of what is built in is in a third one.
            (Some(binary), Some(modules)) => [Some(binary), Some(modules), part("base")]
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
            (Some(_), None) => return None,
        };
        Some(Release {
            name: release.to_owned(),
            packages,
        })
    };
    by_name.iter().filter_map(release).collect()
}

fn latest(releases: &[Release], wanted: Wanted) -> Result<&Release> {
    let series_of = |release: &Release| Series::parse(&release.name);
    let series = match wanted {
        Wanted::Series(series) => Some(series),
        Wanted::Newest => releases.iter().filter_map(series_of).max(),
    };
    let mut latest: Option<&Release> = None;
    for release in releases.iter().filter(|r| series_of(r) == series) {
        let version = |release: &Release| release.packages[0].version.clone();
        let is_latest = match latest {
            None => true,
            Some(latest) => apt::is_later(&version(release), &version(latest))?,
        };
        latest = if is_latest { Some(release) } else { latest };
    }
    latest.with_context(|| {
        let mut known: Vec<Series> = releases.iter().filter_map(series_of).collect();
        known.sort_unstable();
        known.dedup();
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        format!(
            "no mirror has a kernel {wanted}; they have {}",
            known.join(", ")
        )
    })
}

/// The ordinary flavour of a release; neither a package that stands for the
/// newest one nor another build of it.
fn is_stock(release: &str) -> bool {
    let Some(version) = release.strip_suffix(ARCHITECTURE) else {
        return false;
    };
    let other = ["cloud", "rt", "unsigned"].iter();
    let numbers = version.split(['.', '-', '+']);
    numbers.filter(|part| part.parse::<u32>().is_ok()).count() >= 3
        && other.clone().all(|word| !version.contains(word))
}

fn age(file: &Path) -> Option<Duration> {
    let modified = fs::metadata(file).ok()?.modified().ok()?;
    SystemTime::now().duration_since(modified).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn all(packages: &[(&str, &str)]) -> Vec<Release> {
        let package = |&(name, version): &(&str, &str)| Package {
            name: name.to_owned(),
            version: version.to_owned(),
        };
        releases(packages.iter().map(package).collect())
    }

    fn find(releases: &[Release], wanted: &str) -> Result<String> {
        latest(releases, Wanted::list(wanted)?[0]).map(|release| release.name.clone())
    }

    /// By version, not by name: 9 is less than 10, and a backport is less than
    /// what it was made from.
    #[test]
    fn the_latest_of_a_series_is_found() {
        if crate::install::find_program("dpkg").is_none() {
            println!("SKIPPED the_latest_of_a_series_is_found: no dpkg here");
            return;
        }
        let releases = all(&[
            ("linux-image-6.1.0-9-amd64", "6.1.27-1"),
            ("linux-image-6.1.0-56-amd64", "6.1.187-1"),
            ("linux-image-6.1.0-0.deb11.52-amd64", "6.1.187-1~deb11u1"),
            ("linux-image-6.1.0-57-amd64-unsigned", "6.1.188-1"),
            ("linux-image-6.1.0-57-cloud-amd64", "6.1.188-1"),
            ("linux-image-6.1-amd64", "6.1.188-1"),
            ("linux-image-6.12.9+deb13-amd64", "6.12.9-1"),
        ]);
        assert_eq!(find(&releases, "6.1").unwrap(), "6.1.0-56-amd64");
        assert_eq!(find(&releases, "newest").unwrap(), "6.12.9+deb13-amd64");
        let error = find(&releases, "5.10").unwrap_err().to_string();
        assert!(error.contains("they have 6.1, 6.12"), "{error}");
    }

    /// A split release counts only while its modules can be had.
    #[test]
    fn a_release_without_modules_is_passed_over() {
        let releases = all(&[
            ("linux-image-7.0.4+deb13-amd64", "7.0.4-1"),
            ("linux-binary-7.0.4+deb13-amd64", "7.0.4-1"),
            ("linux-modules-7.0.4+deb13-amd64", "7.0.4-1"),
            ("linux-image-7.3.1+deb13-amd64", "7.3.1-1"),
            ("linux-binary-7.3.1+deb13-amd64", "7.3.1-1"),
        ]);
        assert_eq!(find(&releases, "newest").unwrap(), "7.0.4+deb13-amd64");
        assert_eq!(releases[0].packages.len(), 2);
    }

    #[test]
    fn lists_are_read_and_nonsense_is_refused() {
        let list = Wanted::list("5.10, newest").unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!(list[0].to_string(), "5.10");
        assert_eq!(list[1], Wanted::Newest);
        assert_eq!(Wanted::list("all").unwrap().len(), 4);
        for wrong in ["", "6", "6.12.1", "six", "6.12,,7.0"] {
            assert!(Wanted::list(wrong).is_err(), "{wrong}");
        }
    }

    /// 6.9 is older than 6.12.
    #[test]
    fn series_are_in_numeric_order() {
        assert!(Series::parse("6.9") < Series::parse("6.12.1+deb13-amd64"));
    }
}
