//! The programs of this machine that the lab needs.

use crate::install::Need;
pub(super) use crate::install::find_program as find;

pub(super) const QEMU: &str = "qemu-system-x86_64";

/// Installed first where they are missing.
pub(crate) const NEEDED: [Need; 6] = [
    Need::program("qemu-system-x86", QEMU),
    Need::program("busybox-static", "busybox"),
    Need::program("xz-utils", "xz"),
    Need::program("tar", "tar"),
    Need::program("e2fsprogs", "mke2fs"),
    Need::program("util-linux", "setpriv"),
];
