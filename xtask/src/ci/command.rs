//! The steps, quick ones first.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::{bare, checks};
use crate::{build_ebpf, install, lab, test, workspace};

type Step = (&'static str, fn() -> Result<()>);

const STEPS: &[Step] = &[
    ("formatting", format),
    ("no binaries", checks::no_binaries),
    ("clippy, user side", checks::user_side),
    ("clippy, eBPF side", checks::ebpf_side),
    ("documentation", documentation),
    ("licences, bans, sources", checks::licences),
    ("no-op rebuild", checks::no_op_rebuild),
    ("packages build by themselves", checks::packages),
    ("eBPF object is what its sources give", ebpf_object),
    ("tests", tests),
];

/// Do all that CI does: lints, documentation, licences, rebuilds, tests
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Install what is missing first: Debian's packages, and pieces of the eBPF toolchain
    #[arg(long)]
    install: bool,
    /// Also run the suite on a Debian that has gcc, git and Rust, and nothing more
    #[arg(long)]
    bare: bool,
    /// Only the steps whose names contain this
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Also run the kernel lab's scenarios, which take most of an hour
    #[arg(long)]
    lab: bool,
}

/// Runs the steps; the first one that fails ends it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let begin = Instant::now();
    let mut steps = STEPS.to_vec();
    let mut needs = install::FOR_TESTS.to_vec();
    if options.bare {
        steps.push(("tests on a bare Debian", bare::check));
        needs.extend(bare::NEEDED);
    }
    if options.lab {
        steps.push(("kernel lab", lab::scenarios));
        needs.extend(lab::NEEDED);
    }
    if let Some(only) = &options.only {
        steps.retain(|(name, _)| name.contains(only.as_str()));
        ensure!(
            !steps.is_empty(),
            "no step has a name that contains `{only}`"
        );
    }
    if options.install {
        install::ensure("ci", &needs)?;
    }
    build_ebpf::toolchain(options.install)?;
    for (number, (name, step)) in steps.iter().enumerate() {
        println!("[{}/{}] {name}", number + 1, steps.len());
        let begin = Instant::now();
        step().with_context(|| format!("step \"{name}\" failed"))?;
        println!("      {name}: ok, {:.1} s", begin.elapsed().as_secs_f64());
    }
    println!(
        "ci: all {} steps ok, {:.1} s",
        steps.len(),
        begin.elapsed().as_secs_f64()
    );
    Ok(())
}

fn format() -> Result<()> {
    checks::quietly(workspace::cargo().args(["fmt", "--all", "--check"]))
}

fn documentation() -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo.env("RUSTDOCFLAGS", "-D warnings");
    cargo
        .args(["doc", "--no-deps"])
        .args(workspace::HOST_PACKAGES);
    checks::quietly(&mut cargo)
}

fn ebpf_object() -> Result<()> {
    build_ebpf::run(&build_ebpf::Options::check())
}

fn tests() -> Result<()> {
    test::run(&test::Options::default())
}
