//! Packages of the distribution, by apt.

use anyhow::Result;

use super::privilege;

const APT_GET: [&str; 5] = [
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "apt-get",
    "-q",
    "-y",
];

/// Installs packages as root.
pub(crate) fn install<'a>(packages: impl IntoIterator<Item = &'a str>) -> Result<()> {
    privilege::run(&[&APT_GET[..], &["update"]].concat())?;
    let mut arguments = [&APT_GET[..], &["install", "--no-install-recommends"]].concat();
    arguments.extend(packages);
    privilege::run(&arguments)
}
