//! The kernels that the mirrors have now.
//!
//! Old packages disappear from a mirror and new ones come, so nothing is
//! pinned: a series is resolved when it is asked for.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use super::series::{Series, Wanted};
use super::version;
use crate::install::debian::Package;
use crate::install::debian::archive::Archive;
use crate::lab::cache::Cache;

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
/// How long the list is believed.
const FRESH: Duration = Duration::from_hours(24);
const ARCHITECTURE: &str = "-amd64";

/// One release, with the packages that it consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::lab) struct Release {
    /// As `uname -r` will print it.
    pub(in crate::lab) name: String,
    pub(super) packages: Vec<Package>,
}

/// All releases that can be had whole.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::lab) struct Catalog {
    releases: Vec<Release>,
}

impl Catalog {
    /// Asks the mirrors, unless they were asked a short while ago.
    pub(in crate::lab) fn load(cache: &Cache, refresh: bool) -> Result<Self> {
        let file = cache.index();
        if !refresh && age(&file).is_some_and(|age| age < FRESH) {
            return Self::read(&file);
        }
        match Self::ask(cache) {
            Ok(catalog) => {
                let text = serde_json::to_vec_pretty(&catalog)?;
                fs::write(&file, text)
                    .with_context(|| format!("cannot write {}", file.display()))?;
                Ok(catalog)
            }
            Err(error) if file.exists() => {
                eprintln!("lab: going by an old list of kernels: {error:#}");
                Self::read(&file)
            }
            Err(error) => Err(error),
        }
    }

    fn read(file: &Path) -> Result<Self> {
        let context = || format!("cannot read {}: delete it", file.display());
        let text = fs::read(file).with_context(context)?;
        serde_json::from_slice(&text).with_context(context)
    }

    fn ask(cache: &Cache) -> Result<Self> {
        let mut packages = Vec::new();
        let mut failures = Vec::new();
        for suite in SUITES {
            eprintln!("lab: asking the mirror for the kernels of {suite}");
            let scratch = cache.scratch()?;
            match Archive::find(suite, scratch.path()) {
                Ok(archive) => packages.extend(archive.packages("linux-")),
                Err(error) => failures.push(format!("{error:#}")),
            }
        }
        let catalog = Self::from_packages(packages);
        if catalog.releases.is_empty() {
            bail!("no mirror has a kernel: {}", failures.join("; "));
        }
        Ok(catalog)
    }

    /// Puts packages together to releases. Since 6.19 the image and the modules
    /// are packages of their own, and an older release may have lost one of them.
    fn from_packages(packages: Vec<Package>) -> Self {
        let mut by_name: BTreeMap<String, Package> = BTreeMap::new();
        for package in packages {
            let known = by_name.get(&package.name);
            if known.is_none_or(|known| version::compare(&known.version, &package.version).is_lt())
            {
                by_name.insert(package.name.clone(), package);
            }
        }
        let mut releases = Vec::new();
        for (name, image) in &by_name {
            let Some(release) = name.strip_prefix("linux-image-").filter(|r| is_stock(r)) else {
                continue;
            };
            let part = |kind: &str| by_name.get(&format!("linux-{kind}-{release}"));
            let packages = match (part("binary"), part("modules")) {
                (None, _) => vec![image.clone()],
                // The list of what is built in is in a third one.
                (Some(binary), Some(modules)) => [Some(binary), Some(modules), part("base")]
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect(),
                (Some(_), None) => continue,
            };
            releases.push(Release {
                name: release.to_owned(),
                packages,
            });
        }
        Self { releases }
    }

    /// The latest release of what is wanted.
    pub(in crate::lab) fn find(&self, wanted: Wanted) -> Result<&Release> {
        let series_of = |release: &&Release| Series::parse(&release.name);
        let newest = || self.releases.iter().filter_map(|r| series_of(&r)).max();
        let series = match wanted {
            Wanted::Series(series) => Some(series),
            Wanted::Newest => newest(),
        };
        let of_series = self.releases.iter().filter(|r| series_of(r) == series);
        of_series
            .max_by(|a, b| version::compare(&a.packages[0].version, &b.packages[0].version))
            .with_context(|| format!("no mirror has a kernel {wanted}; they have {}", self.list()))
    }

    fn list(&self) -> String {
        let mut series: Vec<Series> = self
            .releases
            .iter()
            .filter_map(|release| Series::parse(&release.name))
            .collect();
        series.sort_unstable();
        series.dedup();
        let names: Vec<String> = series.iter().map(ToString::to_string).collect();
        names.join(", ")
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(packages: &[(&str, &str)]) -> Catalog {
        let package = |&(name, version): &(&str, &str)| Package {
            name: name.to_owned(),
            version: version.to_owned(),
            filename: String::new(),
            sha256: String::new(),
        };
        Catalog::from_packages(packages.iter().map(package).collect())
    }

    fn find(catalog: &Catalog, wanted: &str) -> Result<String> {
        let wanted = Wanted::list(wanted)?[0];
        catalog.find(wanted).map(|release| release.name.clone())
    }

    /// By version, not by name: 9 is less than 10, and a backport is less than
    /// what it was made from.
    #[test]
    fn the_latest_of_a_series_is_found() {
        let catalog = catalog(&[
            ("linux-image-6.1.0-9-amd64", "6.1.27-1"),
            ("linux-image-6.1.0-56-amd64", "6.1.187-1"),
            ("linux-image-6.1.0-0.deb11.52-amd64", "6.1.187-1~deb11u1"),
            ("linux-image-6.1.0-57-amd64-unsigned", "6.1.188-1"),
            ("linux-image-6.1.0-57-cloud-amd64", "6.1.188-1"),
            ("linux-image-6.1-amd64", "6.1.188-1"),
            ("linux-image-6.12.9+deb13-amd64", "6.12.9-1"),
        ]);
        assert_eq!(find(&catalog, "6.1").unwrap(), "6.1.0-56-amd64");
        assert_eq!(find(&catalog, "newest").unwrap(), "6.12.9+deb13-amd64");
        let error = find(&catalog, "5.10").unwrap_err().to_string();
        assert!(error.contains("they have 6.1, 6.12"), "{error}");
    }

    /// A split release counts only while its modules can be had.
    #[test]
    fn a_release_without_modules_is_passed_over() {
        let catalog = catalog(&[
            ("linux-image-7.0.4+deb13-amd64", "7.0.4-1"),
            ("linux-binary-7.0.4+deb13-amd64", "7.0.4-1"),
            ("linux-modules-7.0.4+deb13-amd64", "7.0.4-1"),
            ("linux-image-7.3.1+deb13-amd64", "7.3.1-1"),
            ("linux-binary-7.3.1+deb13-amd64", "7.3.1-1"),
        ]);
        assert_eq!(find(&catalog, "newest").unwrap(), "7.0.4+deb13-amd64");
        assert_eq!(catalog.releases[0].packages.len(), 2);
    }
}
