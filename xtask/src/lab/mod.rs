//! `cargo xtask lab`: stock distribution kernels in QEMU, with this machine's
//! files, to run a command or the test suite in.

mod cache;
mod command;
mod console;
mod exactness;
mod fred;
mod guest;
mod initramfs;
mod kernels;
mod machine;
mod modules;
mod script;
mod suite;

use crate::install::Need;

pub(crate) use command::{Options, run, scenarios};

const QEMU: &str = "qemu-system-x86_64";

/// Installed first where they are missing.
pub(crate) const NEEDED: [Need; 6] = [
    Need::program("qemu-system-x86", QEMU),
    Need::program("busybox-static", "busybox"),
    Need::program("xz-utils", "xz"),
    Need::program("tar", "tar"),
    Need::program("e2fsprogs", "mke2fs"),
    Need::program("util-linux", "setpriv"),
];
