//! Finding the pieces of the eBPF toolchain, and naming those that are missing.

use std::{
    env, fmt,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::pins;

/// Everything that a build from source needs.
#[derive(Debug)]
pub struct Toolchain {
    /// The compiler.
    pub rust: Rust,
    /// bpf-linker.
    pub linker: PathBuf,
    /// LLVM's.
    pub objcopy: PathBuf,
}

/// A compiler of the pinned version.
#[derive(Debug, Clone)]
pub struct Rust {
    /// The name by which rustup finds it; `None` for the one in use anyway.
    pub rustup_name: Option<String>,
    /// Where it is installed.
    pub sysroot: PathBuf,
}

/// A piece that is not there.
#[derive(Debug, Clone)]
pub enum Missing {
    /// The compiler.
    Rust {
        /// The version that is there instead.
        found: String,
    },
    /// The sources of its standard library.
    RustSource(Rust),
    /// bpf-linker.
    BpfLinker {
        /// The version that is there instead.
        found: String,
    },
    /// LLVM's tools.
    Llvm,
}

impl Missing {
    /// The commands that put it there.
    #[must_use]
    pub fn remedy(&self) -> Vec<String> {
        let version = pins::RUSTC;
        let llvm = pins::LLVM_MAJOR;
        match self {
            Self::Rust { .. } => vec![format!(
                "rustup toolchain install {version} --profile minimal --component rust-src"
            )],
            Self::RustSource(rust) => vec![format!(
                "rustup {}component add rust-src   # or, without rustup: Debian's package \
                 rust-src {version}, copied to {}",
                rust.rustup_name
                    .as_ref()
                    .map_or(String::new(), |name| format!("+{name} ")),
                rust.source().display()
            )],
            Self::BpfLinker { .. } => vec![format!(
                "LLVM_PREFIX={} cargo install bpf-linker --version {} --locked \
                 --no-default-features --features llvm-{llvm}",
                llvm_prefix().display(),
                pins::BPF_LINKER
            )],
            Self::Llvm => vec![format!("apt-get install -y {}", llvm_packages().join(" "))],
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rust { found } => write!(f, "rustc {} (found: {found})", pins::RUSTC),
            Self::RustSource(rust) => write!(
                f,
                "rust-src {}: the sources of core in {}",
                pins::RUSTC,
                rust.source().display()
            ),
            Self::BpfLinker { found } => {
                write!(f, "bpf-linker {} (found: {found})", pins::BPF_LINKER)
            }
            Self::Llvm => write!(
                f,
                "LLVM {} with llvm-objcopy in {}/bin (LLVM_PREFIX names another place)",
                pins::LLVM_MAJOR,
                llvm_prefix().display()
            ),
        }
    }
}

impl Rust {
    /// Where the sources of the standard library belong.
    #[must_use]
    pub fn source(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib/src/rust")
    }

    /// Whether they are there.
    #[must_use]
    pub fn has_source(&self) -> bool {
        self.source().join("library/core/src/lib.rs").exists()
    }

    /// A command of this toolchain: `cargo` or `rustc`.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        if let Some(name) = &self.rustup_name {
            command.env("RUSTUP_TOOLCHAIN", name);
        }
        command
    }
}

/// The toolchain, or all that is missing of it, in the order in which it has
/// to be installed.
pub fn find() -> Result<Toolchain, Vec<Missing>> {
    let mut missing = Vec::new();
    let mut keep = |error| missing.push(error);
    let objcopy = find_llvm().map_err(&mut keep).ok();
    let linker = find_linker().map_err(&mut keep).ok();
    let rust = find_rust().map_err(&mut keep).ok();
    if let Some(rust) = rust.as_ref().filter(|rust| !rust.has_source()) {
        keep(Missing::RustSource(rust.clone()));
    }
    match (rust, linker, objcopy) {
        (Some(rust), Some(linker), Some(objcopy)) if missing.is_empty() => Ok(Toolchain {
            rust,
            linker,
            objcopy,
        }),
        _ => Err(missing),
    }
}

/// The compiler in use if its version is right, or else the one that rustup
/// knows by the version's number.
fn find_rust() -> Result<Rust, Missing> {
    let mut found = "none".to_owned();
    for rustup_name in [None, Some(pins::RUSTC.to_owned())] {
        let rust = Rust {
            rustup_name,
            sysroot: PathBuf::new(),
        };
        let Some(version) = output(rust.command("rustc").arg("--version")) else {
            continue;
        };
        if version.split(' ').nth(1) != Some(pins::RUSTC) {
            found = version;
            continue;
        }
        if let Some(sysroot) = output(rust.command("rustc").args(["--print", "sysroot"])) {
            let sysroot = PathBuf::from(sysroot);
            return Ok(Rust { sysroot, ..rust });
        }
    }
    Err(Missing::Rust { found })
}

fn find_linker() -> Result<PathBuf, Missing> {
    let installed = cargo_home().map(|home| home.join("bin/bpf-linker"));
    let mut found = "none".to_owned();
    let candidates = [installed, Some(PathBuf::from("bpf-linker"))];
    for candidate in candidates.into_iter().flatten() {
        let Some(version) = output(Command::new(&candidate).arg("--version")) else {
            continue;
        };
        if version.split(' ').nth(1) == Some(pins::BPF_LINKER) {
            return Ok(candidate);
        }
        found = version;
    }
    Err(Missing::BpfLinker { found })
}

fn find_llvm() -> Result<PathBuf, Missing> {
    let objcopy = llvm_prefix().join("bin/llvm-objcopy");
    let wanted = format!("LLVM version {}.", pins::LLVM_MAJOR);
    output(Command::new(&objcopy).arg("--version"))
        .filter(|version| version.contains(&wanted))
        .map(|_| objcopy)
        .ok_or(Missing::Llvm)
}

/// `$CARGO_HOME`, or where it is by default.
#[must_use]
pub fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))
}

/// Where LLVM is installed: `$LLVM_PREFIX`, or where Debian puts it.
#[must_use]
pub fn llvm_prefix() -> PathBuf {
    let debian = || format!("/usr/lib/llvm-{}", pins::LLVM_MAJOR).into();
    env::var_os("LLVM_PREFIX").map_or_else(debian, PathBuf::from)
}

/// Debian's packages of it: the tools, and what bpf-linker is linked against.
#[must_use]
pub fn llvm_packages() -> [String; 3] {
    let major = pins::LLVM_MAJOR;
    [
        format!("llvm-{major}"),
        format!("llvm-{major}-dev"),
        format!("libpolly-{major}-dev"),
    ]
}

/// What a command prints, if it can be run and succeeds.
fn output(command: &mut Command) -> Option<String> {
    // Asking rustup for a toolchain must not download one.
    command.env("RUSTUP_AUTO_INSTALL", "0");
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
