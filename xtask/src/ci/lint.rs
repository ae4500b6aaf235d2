//! Clippy, once for each side: one call for both would unify their features
//! and mix the host's `std` with the programs' `core`.

use anyhow::Result;
use modeswitch_object::recipe;

use super::step;
use crate::{build_ebpf, workspace};

pub(super) fn user_side() -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo.args(["clippy", "--all-targets"]);
    cargo.args(workspace::HOST_PACKAGES);
    step::quietly(cargo.args(["--", "-D", "warnings"]))
}

pub(super) fn ebpf_side() -> Result<()> {
    let tools = build_ebpf::toolchain(false)?;
    let target_dir = workspace::target_dir().join("ebpf");
    let mut cargo = recipe::cargo(&workspace::here(), &tools, &target_dir, "clippy")?;
    step::quietly(cargo.args(["--", "-D", "warnings"]))
}
