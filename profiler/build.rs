//! Decides which eBPF object the profiler embeds, and names its own version.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use fs_err as fs;
use modeswitch_object::{
    pins, recipe,
    record::{self, Record},
    toolchain,
    workspace::Workspace,
};

/// What goes into the binary, besides the crates that cargo looks after.
const OWN_SOURCES: &[&str] = &[
    "profiler/src",
    "profiler/Cargo.toml",
    "profiler/build.rs",
    "object",
];
const EBPF_SOURCES: &[&str] = &[
    "profiler-ebpf",
    "profiler-common",
    "Cargo.toml",
    "Cargo.lock",
];

fn main() -> Result<()> {
    let package = variable("CARGO_MANIFEST_DIR")?;
    let root = package.parent().context("the package is in no workspace")?;
    let workspace = Workspace::new(root);
    let object = if workspace.has_sources() {
        for path in OWN_SOURCES.iter().chain(EBPF_SOURCES) {
            rerun_if_changed(&root.join(path));
        }
        for name in ["LLVM_PREFIX", "CARGO_HOME"] {
            println!("cargo::rerun-if-env-changed={name}");
        }
        object(&workspace)?
    } else {
        Some(packaged_object(&package)?)
    };
    // Without an object, cargo ends the build at the error that was printed.
    if let Some(object) = object {
        println!(
            "cargo::rustc-env=MODESWITCH_BPF_OBJECT={}",
            object.display()
        );
        let digest = record::sha256(&fs::read(&object)?);
        println!("cargo::rustc-env=MODESWITCH_BPF_SHA256={digest}");
    }
    let version = git_version(root).or_else(|| packaged_version(&package));
    let version = version.as_deref().unwrap_or("unknown");
    println!("cargo::rustc-env=MODESWITCH_GIT={version}");
    Ok(())
}

/// The checked-in object if it is up to date, else one built from source:
/// never a stale one.
fn object(workspace: &Workspace) -> Result<Option<PathBuf>> {
    let stale = record::staleness(workspace)?;
    if stale.is_empty() {
        return Ok(Some(workspace.object()));
    }
    let reasons = stale.join(", ");
    let tools = match toolchain::find() {
        Ok(tools) => tools,
        Err(missing) => {
            let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
            println!(
                "cargo::error=the eBPF object has to be built anew ({reasons}), and for that \
                 this machine lacks: {}. To install it and build the object: \
                 cargo xtask build-ebpf --install",
                missing.join("; ")
            );
            return Ok(None);
        }
    };
    let out = variable("OUT_DIR")?;
    let content = recipe::build(workspace, &tools, &out.join("ebpf"))?;
    let object = out.join("modeswitch.bpf.o");
    fs::write(&object, content)?;
    println!(
        "cargo::warning={} built from source, since {reasons}; `cargo xtask build-ebpf` checks it in",
        pins::PACKAGE
    );
    Ok(Some(object))
}

/// The object that came with an unpacked package, where there are no sources.
fn packaged_object(package: &Path) -> Result<PathBuf> {
    let folder = package.join("prebuilt");
    let (object, record) = (folder.join(pins::OBJECT), folder.join(pins::RECORD));
    let content = fs::read(&object)?;
    let text = fs::read_to_string(&record)?;
    ensure!(
        Record::parse(&text).is_of(&content),
        "{} is not the object that {} tells of",
        object.display(),
        record.display()
    );
    Ok(object)
}

/// The commit that an unpacked package was made from.
fn packaged_version(package: &Path) -> Option<String> {
    let text = fs::read(package.join(".cargo_vcs_info.json")).ok()?;
    let information: serde_json::Value = serde_json::from_slice(&text).ok()?;
    let commit = information["git"]["sha1"].as_str()?.get(..12)?.to_owned();
    let is_dirty = information["git"]["dirty"] == true;
    Some(if is_dirty { commit + "-dirty" } else { commit })
}

/// The commit this is built from, with `-dirty` if it is not quite that.
fn git_version(root: &Path) -> Option<String> {
    let git = |arguments: &[&str]| -> Option<String> {
        let mut git = Command::new("git");
        // Without the lock, `git status` leaves the index as it is.
        git.env("GIT_OPTIONAL_LOCKS", "0").current_dir(root);
        let output = git.args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim_end().to_owned())
    };
    let top = PathBuf::from(git(&["rev-parse", "--show-toplevel"])?);
    // An unpacked tarball may lie in somebody else's repository.
    if top.canonicalize().ok()? != root.canonicalize().ok()? {
        return None;
    }
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD"].into_iter().chain(branch.as_deref()) {
        rerun_if_changed(&root.join(git(&["rev-parse", "--git-path", name])?));
    }
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let mut status = vec!["status", "--porcelain", "--"];
    status.extend(OWN_SOURCES.iter().chain(EBPF_SOURCES));
    let dirty = if git(&status)?.is_empty() {
        ""
    } else {
        "-dirty"
    };
    Some(format!("{commit}{dirty}"))
}

/// Cargo takes a missing path for a changed one and would build every time, so
/// the nearest folder that exists is watched in its stead.
fn rerun_if_changed(path: &Path) {
    let existing = path.ancestors().find(|path| path.exists());
    if let Some(path) = existing {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

fn variable(name: &str) -> Result<PathBuf> {
    Ok(env::var_os(name)
        .with_context(|| format!("{name} is not set: run by cargo only"))?
        .into())
}
