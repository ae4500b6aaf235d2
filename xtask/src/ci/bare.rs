//! The suite on a bare Debian: one with gcc, git and this machine's Rust, and nothing
//! of what the suite would like to have.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
use fs_err as fs;
use modeswitch_object::process;

use crate::{
    install::{self, Need, apt::Apt},
    workspace::{self, RootAccess},
};

const SUITE: &str = "bookworm";
const PACKAGES: &str = "gcc,libc6-dev,git,ca-certificates";
pub(super) const NEEDED: [Need; 1] = [Need::program("debootstrap", "debootstrap")];

/// What is run there: the unprivileged tests, and some of those that need root.
const RUNS: [&[&str]; 3] = [
    &["--no-root"],
    &["--root-only", "root_counts::"],
    &["--root-only", "root_user_stacks"],
];

/// In a mount namespace of its own, so that nothing of it is left behind. `$1` is the
/// root, `$2` the workspace; what follows are folders to show there as they are here,
/// an empty word, and the command.
const ENTER: &str = r#"
set -e
root=$1 workspace=$2; shift 2
# The tests unshare mounts, which takes a root that is a mount.
mount --bind "$root" "$root"
show() { mkdir -p "$root$1"; mount --rbind "$1" "$root$1"; }
for folder in /proc /sys /dev; do show "$folder"; done
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/var/tmp"
while [ -n "$1" ]; do show "$1"; shift; done
shift
exec chroot "$root" sh -c 'cd "$1"; shift; exec "$@"' sh "$workspace" "$@"
"#;

pub(super) fn check() -> Result<()> {
    if workspace::root_access() != RootAccess::Root {
        println!("      skipped: a root file system of its own can only be made as root");
        return Ok(());
    }
    install::ensure("the bare machine", &NEEDED)?;
    let root = root()?;
    for run in RUNS {
        let said = suite(&root, run)?;
        let closing = said.lines().skip_while(|line| !line.starts_with("tests: "));
        for line in closing.filter(|line| !line.is_empty()) {
            println!("      {line}");
        }
        // Some of those that need no root need a package.
        let named = said.contains("apt-get install --no-install-recommends groff-base");
        ensure!(
            named || run != RUNS[0],
            "the closing line does not name the packages that are missing"
        );
    }
    Ok(())
}

/// The root file system, made once.
fn root() -> Result<PathBuf> {
    let home = workspace::target_dir().join("bare");
    let root = home.join(SUITE);
    if root.exists() {
        return Ok(root);
    }
    fs::create_dir_all(&home)?;
    let scratch = tempfile::tempdir_in(&home).context("cannot make a folder")?;
    let half_made = scratch.path().join(SUITE);
    let apt = Apt::new(&scratch.path().join("apt"), &[SUITE])?;
    apt.update()?;
    let mirrors = apt.mirrors()?;
    let mirror = mirrors.first().context("no mirror")?;
    println!("      making a bare Debian from {mirror}");
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args(["--variant=minbase", &format!("--include={PACKAGES}"), SUITE]);
    super::checks::quietly(debootstrap.arg(&half_made).arg(mirror))?;
    fs::rename(&half_made, &root)?;
    Ok(root)
}

/// `cargo xtask test` in there, on this workspace with what is built already. Returns
/// what it printed.
fn suite(root: &Path, arguments: &[&str]) -> Result<String> {
    let home = PathBuf::from(env::var_os("HOME").context("HOME is not set")?);
    let of = |variable: &str, name: &str| {
        env::var_os(variable).map_or_else(|| home.join(name), PathBuf::from)
    };
    let (cargo_home, rustup_home) = (of("CARGO_HOME", ".cargo"), of("RUSTUP_HOME", ".rustup"));
    let workspace = workspace::root();
    let mut shown = vec![workspace.clone(), workspace::target_dir()];
    shown.extend([cargo_home.clone(), rustup_home.clone()]);
    shown.extend(git_folder(&workspace));
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", ENTER, "sh"]);
    command.arg(root).arg(&workspace);
    command
        .args(shown.iter().filter(|folder| folder.is_dir()))
        .arg("");
    command.args([
        "env",
        "-i",
        "CARGO_NET_OFFLINE=true",
        "HOME=/root",
        "LANG=C.UTF-8",
    ]);
    let bin = cargo_home.join("bin");
    let path = format!("PATH={}:/usr/sbin:/usr/bin:/sbin:/bin", bin.display());
    command.arg(path);
    let homes = [("CARGO_HOME", &cargo_home), ("RUSTUP_HOME", &rustup_home)];
    for (name, folder) in homes {
        command.arg(format!("{name}={}", folder.display()));
    }
    // What chooses how things are built, so that they are found built.
    let builds = env::vars().filter(|(name, _)| {
        name.starts_with("CARGO_PROFILE_")
            || ["CARGO_TARGET_DIR", "RUSTUP_TOOLCHAIN"].contains(&name.as_str())
    });
    command.args(builds.map(|(name, value)| format!("{name}={value}")));
    command
        .args(["cargo", "xtask", "test", "--no-install"])
        .args(arguments);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", process::describe(&command)))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        print!("{said}{}", String::from_utf8_lossy(&output.stderr));
        bail!("the suite ended with {} on a bare Debian", output.status);
    }
    Ok(said)
}

/// Where git keeps its own of a worktree that is not the first.
fn git_folder(workspace: &Path) -> Option<PathBuf> {
    let mut git = Command::new("git");
    git.args(["rev-parse", "--path-format=absolute", "--git-common-dir"]);
    let output = git.current_dir(workspace).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(text.trim())).filter(|folder| !folder.starts_with(workspace))
}
