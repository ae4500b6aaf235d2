//! The programs being measured, built once from the sources beside the suite.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The known-count program.
pub(crate) fn counts() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("counts"))
}

/// The program of the less usual ways in.
pub(crate) fn causes() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("causes"))
}

/// The program that keeps a CPU busy inside `bpf()`.
pub(crate) fn hammer() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("hammer"))
}

/// The program of known page faults.
pub(crate) fn faults() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("faults"))
}

/// The program of threads and processes that come and go.
pub(crate) fn lives() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("lives"))
}

/// The 32-bit program, or why it cannot be had. No library is needed for it.
pub(crate) fn compat() -> Result<&'static Path, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compat");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets/compat.c");
        let output = Command::new("cc")
            .args([
                "-m32",
                "-O1",
                "-Wall",
                "-Werror",
                "-ffreestanding",
                "-nostdlib",
            ])
            .args([
                "-static",
                "-fno-pie",
                "-no-pie",
                "-fno-stack-protector",
                "-o",
            ])
            .args([&built, &source])
            .output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        // The kernel may have no 32-bit programs.
        match Command::new(&built).args(["1", "/bin/true"]).status() {
            Ok(status) if status.success() => Ok(built),
            Ok(status) => Err(format!("it ended with {status}")),
            Err(error) => Err(error.to_string()),
        }
    });
    built.as_deref().map_err(Clone::clone)
}

/// Compiles `tests/targets/NAME.c`.
fn build(name: &str) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let status = Command::new("cc")
        .args(["-O1", "-pthread", "-Wall", "-Werror", "-o"])
        .arg(&built)
        .arg("-I")
        .arg(package.join("../include"))
        .arg(package.join(format!("tests/targets/{name}.c")))
        .status()
        .expect("the suite needs a C compiler (Debian: apt-get install gcc)");
    assert!(status.success(), "cannot compile {name}.c");
    built
}
