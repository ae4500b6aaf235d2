//! Reading the lines of a trace.

/// A submission as the tracepoint saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Submission {
    pub(super) user_data: u64,
    /// Taken from the ring by the submission thread, not by `io_uring_enter`.
    pub(super) by_sq_thread: bool,
}

/// Reads a line of `io_uring_submit_sqe` (to 6.1) or `io_uring_submit_req`
/// (later). Three generations differ in fields and order, and agree in the end
/// of one name (`data 0x..`, `user_data 0x..`) and in `sq_thread`.
pub(super) fn submission(line: &str) -> Option<Submission> {
    let (_, event) = line.split_once(": io_uring_submit_")?;
    let number = |name: &str, radix: u32| {
        let (_, rest) = event.split_once(name)?;
        let end = rest
            .find(|character: char| !character.is_digit(radix))
            .unwrap_or(rest.len());
        u64::from_str_radix(&rest[..end], radix).ok()
    };
    Some(Submission {
        user_data: number("data 0x", 16)?,
        by_sq_thread: number("sq_thread ", 10)? != 0,
    })
}

/// Is this line a system call?
pub(super) fn is_system_call(line: &str) -> bool {
    line.contains(": sys_enter: NR ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_generation_of_the_tracepoint_is_read() {
        for (line, user_data, by_sq_thread) in [
            (
                "  io_uring-sq-812     [001] ....    33.117: io_uring_submit_sqe: ring 00000000d1, op 23, data 0x6d6f0001, non block 1, sq_thread 1",
                0x6d6f_0001,
                true,
            ),
            (
                " iou-sqp-77-78 [000] ..... 1.5: io_uring_submit_sqe: ring 00000000a1, req 00000000b2, user_data 0x2a, opcode WRITE, flags 0x1, non block 1, sq_thread 1",
                0x2a,
                true,
            ),
            (
                " workload-77 [000] ..... 1.5: io_uring_submit_req: ring 00000000a1, req 00000000b2, user_data 0x2b, opcode READ_FIXED, flags 0x1, sq_thread 0",
                0x2b,
                false,
            ),
        ] {
            let expected = Submission {
                user_data,
                by_sq_thread,
            };
            assert_eq!(submission(line), Some(expected), "{line}");
        }
    }

    #[test]
    fn other_lines_are_none() {
        assert_eq!(submission("# tracer: nop"), None);
        assert_eq!(
            submission(" x-1 [0] ..... 1.5: io_uring_complete: ring 01, user_data 0x1"),
            None
        );
        assert!(is_system_call(
            " workload-77 [000] ..... 1.5: sys_enter: NR 426 (4, 0, 0, 2, 0, 8)"
        ));
        assert!(!is_system_call(
            " workload-77 [000] ..... 1.5: sys_exit: NR 426 = 0"
        ));
    }
}
