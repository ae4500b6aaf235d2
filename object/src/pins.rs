//! The one toolchain, and the one set of options, that build the eBPF object.
//!
//! All of it is part of the source hash: whoever changes a value here gets a
//! new object. rustc and the linker must speak the same LLVM bitcode, which is
//! why they move together or not at all.

/// The compiler whose `core` is built for the eBPF target.
pub const RUSTC: &str = "1.95.0";
/// The linker that turns rustc's bitcode into an eBPF object.
pub const BPF_LINKER: &str = "0.13.0";
/// The LLVM that the linker is built against and that strips the object.
pub const LLVM_MAJOR: &str = "22";

/// What it is built for.
pub const TARGET: &str = "bpfel-unknown-none";
/// The package that holds the programs.
pub const PACKAGE: &str = "modeswitch-ebpf";
/// The package's binary.
pub const BINARY: &str = "profiler-ebpf";
/// The package's folder in the workspace.
pub const FOLDER: &str = "profiler-ebpf";
/// The folder with the object that is checked in: of the package that embeds it.
pub const PREBUILT: &str = "profiler/prebuilt";
/// The object there.
pub const OBJECT: &str = "modeswitch.bpf.o";
/// The hashes of what it was built from, beside it.
pub const RECORD: &str = "sources.sha256";
/// The feature that makes the package's binary visible to cargo at all.
pub const FEATURE: &str = "program";

/// What rustc is told, besides the paths to the linker and the prefix maps.
pub const RUSTFLAGS: &[&str] = &[
    "-Clink-arg=--btf",
    "-Cdebuginfo=2",
    "--cfg=bpf_target_arch=\"x86_64\"",
];

/// The profile's name. It is ours alone, so that nobody's change to `release`
/// can alter the object behind the back of the source hash.
pub const PROFILE_NAME: &str = "ebpf";
/// Every setting that cargo knows for a profile, so that none is inherited.
pub const PROFILE: &[(&str, &str)] = &[
    ("inherits", "\"release\""),
    ("opt-level", "3"),
    ("debug", "2"),
    ("split-debuginfo", "\"off\""),
    ("strip", "\"none\""),
    ("debug-assertions", "false"),
    ("overflow-checks", "false"),
    ("lto", "false"),
    ("panic", "\"abort\""),
    ("incremental", "false"),
    ("codegen-units", "1"),
    ("rpath", "false"),
];

/// What the directories of the building machine are called inside the object.
/// No such path may exist anywhere: LLVM would copy source lines out of it.
pub const WORKSPACE_ALIAS: &str = "/_modeswitch/workspace";
/// The folder that it is built in.
pub const TARGET_DIR_ALIAS: &str = "/_modeswitch/target";
/// The folder with the sources of crates.
pub const REGISTRY_ALIAS: &str = "/_modeswitch/registry";
/// The folder of the compiler.
pub const SYSROOT_ALIAS: &str = "/_modeswitch/sysroot";

/// All of the above as one text, for the source hash.
#[must_use]
pub fn describe() -> String {
    let scalars = [
        RUSTC,
        BPF_LINKER,
        LLVM_MAJOR,
        TARGET,
        PACKAGE,
        BINARY,
        FEATURE,
        PROFILE_NAME,
        WORKSPACE_ALIAS,
        TARGET_DIR_ALIAS,
        REGISTRY_ALIAS,
        SYSROOT_ALIAS,
    ];
    format!("{scalars:?} {RUSTFLAGS:?} {PROFILE:?}")
}
