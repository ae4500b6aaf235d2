//! Tests that cannot run here say so.

/// Whether this process may load eBPF programs.
pub(crate) fn is_privileged() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Prints why a test is skipped, or fails it where skips are not allowed.
pub(crate) fn skip(test: &str, reason: &str) {
    assert!(
        std::env::var_os("MODESWITCH_REQUIRE_ROOT").is_none_or(|value| value != "1"),
        "{test} would be skipped, which MODESWITCH_REQUIRE_ROOT forbids: {reason}"
    );
    println!("SKIPPED {test}: {reason}");
}

/// Prints that a test is skipped for want of another program, or fails it in
/// CI, which installs them all.
pub(crate) fn skip_for_tool(test: &str, reason: &str) {
    assert!(
        std::env::var_os("CI").is_none_or(|value| value != "true"),
        "{test} would be skipped, which CI forbids: {reason}"
    );
    println!("SKIPPED {test}: {reason}");
}

/// Prints that a test is skipped for want of something that this kernel or this
/// machine does not have. The lab has machines with each of them.
pub(crate) fn skip_here(test: &str, reason: &str) {
    println!("SKIPPED {test}: {reason}");
}

/// Ends the test here unless it may load eBPF programs.
#[macro_export]
macro_rules! needs_root {
    ($test:literal) => {
        if !$crate::support::skip::is_privileged() {
            $crate::support::skip::skip($test, "needs root to load eBPF programs");
            return;
        }
    };
}
