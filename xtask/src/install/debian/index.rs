//! Reading the archive's `Release` and `Packages`.

/// Where a package is and what it must hash to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Below the mirror's base address.
    pub(crate) filename: String,
    pub(crate) sha256: String,
}

impl Package {
    fn parse(stanza: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut lines = stanza.lines();
            lines
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                .map(str::to_owned)
        };
        Some(Self {
            name: field("Package")?,
            version: field("Version")?,
            filename: field("Filename")?,
            sha256: field("SHA256")?,
        })
    }
}

/// Every package whose name begins so, in the list's order.
pub(super) fn with_prefix<'a>(
    packages: &'a str,
    prefix: &'a str,
) -> impl Iterator<Item = Package> + 'a {
    packages
        .split("\n\n")
        .filter(move |stanza| {
            stanza
                .trim_start()
                .strip_prefix("Package: ")
                .is_some_and(|name| name.starts_with(prefix))
        })
        .filter_map(Package::parse)
}

/// The last stanza for `name` whose version is `upstream`, in any revision.
pub(super) fn find(packages: &str, name: &str, upstream: &str) -> Option<Package> {
    let stanzas = with_prefix(packages, name)
        .filter(|package| package.name == name && upstream_version(&package.version) == upstream);
    stanzas.last()
}

/// `1.95.0` out of `1:1.95.0+dfsg1-2~bpo13+1`.
fn upstream_version(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let end = version.find(['+', '-', '~']).unwrap_or(version.len());
    &version[..end]
}

/// The digest that a `Release` file gives for one of the suite's files.
pub(super) fn digest_in_release(release: &str, path: &str) -> Option<String> {
    let digests = release
        .lines()
        .skip_while(|line| *line != "SHA256:")
        .skip(1);
    let mut digests = digests.take_while(|line| line.starts_with(' '));
    digests.find_map(|line| {
        let mut words = line.split_whitespace();
        let digest = words.next()?;
        (words.nth(1)? == path).then(|| digest.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKAGES: &str = "\
Package: rust-src
Version: 1.94.1+dfsg1-1~bpo13+3
Filename: pool/94.deb
SHA256: 94

Package: rust-src
Source: rustc
Version: 1.95.0+dfsg1-2~bpo13+1
Description: sources
 Package: not-this
Filename: pool/95.deb
SHA256: 95

Package: rust-src-extra
Version: 1.95.0-1
Filename: pool/extra.deb
SHA256: 96

Package: rust-src
Version: 1.95.01-1
Filename: pool/later.deb
SHA256: 97
";

    #[test]
    fn the_package_is_found_by_name_and_upstream_version() {
        let package = find(PACKAGES, "rust-src", "1.95.0").unwrap();
        assert_eq!(package.version, "1.95.0+dfsg1-2~bpo13+1");
        assert_eq!(package.filename, "pool/95.deb");
        assert_eq!(package.sha256, "95");
        assert_eq!(find(PACKAGES, "rust-src", "1.95"), None);
        assert_eq!(find(PACKAGES, "rust", "1.95.0"), None);
    }

    #[test]
    fn upstream_versions_lose_epoch_and_revision() {
        assert_eq!(upstream_version("1:2.3.4-5"), "2.3.4");
        assert_eq!(upstream_version("2.3.4~rc1"), "2.3.4");
        assert_eq!(upstream_version("2.3.4"), "2.3.4");
    }

    /// A `Release` file lists the same paths under `MD5Sum` first.
    #[test]
    fn the_digest_is_the_sha256_one() {
        let release = "Suite: x\nMD5Sum:\n aa 10 main/P.xz\nSHA256:\n bb 9 main/Q.xz\n cc 10 main/P.xz\nX: y\n dd 1 main/R.xz\n";
        assert_eq!(
            digest_in_release(release, "main/P.xz").as_deref(),
            Some("cc")
        );
        assert_eq!(digest_in_release(release, "main/R.xz"), None);
    }
}
