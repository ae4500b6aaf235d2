//! Rows of page faults.

use profiler_common::{
    cause::fault_bits,
    fault::{FaultKind, detail},
};

/// The kind in a row's detail. What had to be waited for is said by a mark of
/// its own, since only the kernel knows that, and only afterwards.
#[must_use]
pub fn kind(row_detail: u32) -> FaultKind {
    settle(detail::kind(row_detail), is_major(row_detail))
}

/// A kind by its code, and whether the fault was major.
#[must_use]
pub fn settle(code: u8, is_major: bool) -> FaultKind {
    match FaultKind::from_code(code) {
        Some(FaultKind::FileMinor) if is_major => FaultKind::FileMajor,
        Some(kind) => kind,
        None => FaultKind::Unknown,
    }
}

/// Whether a row's faults had to be waited for.
#[must_use]
pub const fn is_major(row_detail: u32) -> bool {
    row_detail & detail::MAJOR != 0
}

/// What the access was, by the hardware's error code.
#[must_use]
pub const fn access(row_detail: u32) -> &'static str {
    if row_detail & fault_bits::INSTRUCTION != 0 {
        "exec"
    } else if row_detail & fault_bits::WRITE != 0 {
        "write"
    } else {
        "read"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only a file's fault changes its name when it is major, and the error code
    /// does not get in the way.
    #[test]
    fn major_faults_of_files_have_a_name_of_their_own() {
        let of = |code: FaultKind, mark: u32| {
            let row = detail::of(fault_bits::WRITE | fault_bits::USER, code.code()) | mark;
            (kind(row), access(row))
        };
        assert_eq!(of(FaultKind::FileMinor, 0), (FaultKind::FileMinor, "write"));
        assert_eq!(
            of(FaultKind::FileMinor, detail::MAJOR),
            (FaultKind::FileMajor, "write")
        );
        assert_eq!(
            of(FaultKind::SwapIn, detail::MAJOR),
            (FaultKind::SwapIn, "write")
        );
    }
}
