//! Set-up flags, and what to do without on kernels that do not know them.

use std::io;

/// A set-up flag of the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flag {
    /// A kernel thread submits.
    Sqpoll,
    /// Completions are polled for.
    Iopoll,
    /// That thread is bound to a CPU.
    SqAff,
    /// One thread only uses the ring (6.0).
    SingleIssuer,
    /// No indirection between ring and entries (6.6).
    NoSqarray,
    /// The completion queue's size is ours.
    Cqsize,
}

impl Flag {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqpoll => "SQPOLL",
            Self::Iopoll => "IOPOLL",
            Self::SqAff => "SQ_AFF",
            Self::SingleIssuer => "SINGLE_ISSUER",
            Self::NoSqarray => "NO_SQARRAY",
            Self::Cqsize => "CQSIZE",
        }
    }
}

/// What is left out, try after try, while the kernel answers EINVAL: newer
/// flags first. The binding goes alone before it goes with them, since a
/// kernel that knows all flags may still refuse the CPU.
const LADDER: [&[Flag]; 5] = [
    &[],
    &[Flag::NoSqarray],
    &[Flag::NoSqarray, Flag::SingleIssuer],
    &[Flag::SqAff],
    &[Flag::NoSqarray, Flag::SingleIssuer, Flag::SqAff],
];

/// Names joined as `SQPOLL|CQSIZE`.
pub(crate) fn names(flags: &[Flag]) -> String {
    let names: Vec<&str> = flags.iter().map(|flag| flag.name()).collect();
    names.join("|")
}

/// Tries `make` with `wanted`, then with ever less, until something other than
/// EINVAL comes back.
///
/// Gives what was made and the flags left out, or the last error and the flags
/// with which it came.
pub(crate) fn descend<T>(
    wanted: &[Flag],
    mut make: impl FnMut(&[Flag]) -> io::Result<T>,
) -> Result<(T, Vec<Flag>), (io::Error, Vec<Flag>)> {
    let mut tried: Vec<Vec<Flag>> = Vec::new();
    let mut refusal = (io::Error::from_raw_os_error(libc::EINVAL), wanted.to_vec());
    for rung in LADDER {
        let (left_out, flags): (Vec<Flag>, Vec<Flag>) =
            wanted.iter().partition(|flag| rung.contains(flag));
        if tried.contains(&flags) {
            continue;
        }
        match make(&flags) {
            Ok(result) => return Ok((result, left_out)),
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                refusal = (error, flags.clone());
            }
            Err(error) => return Err((error, flags)),
        }
        tried.push(flags);
    }
    Err(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Flag::{Cqsize, Iopoll, NoSqarray, SingleIssuer, SqAff, Sqpoll};

    const ALL: [Flag; 6] = [Sqpoll, Iopoll, SqAff, SingleIssuer, NoSqarray, Cqsize];

    /// A kernel that does not know some flags.
    fn kernel_without(unknown: &[Flag]) -> impl FnMut(&[Flag]) -> io::Result<Vec<Flag>> {
        move |flags| {
            if flags.iter().any(|flag| unknown.contains(flag)) {
                Err(io::Error::from_raw_os_error(libc::EINVAL))
            } else {
                Ok(flags.to_vec())
            }
        }
    }

    fn left_out(unknown: &[Flag]) -> Option<Vec<Flag>> {
        descend(&ALL, kernel_without(unknown))
            .ok()
            .map(|(_, left_out)| left_out)
    }

    #[test]
    fn each_kernel_loses_only_what_it_does_not_know() {
        assert_eq!(left_out(&[]), Some(vec![]));
        assert_eq!(left_out(&[NoSqarray]), Some(vec![NoSqarray]));
        assert_eq!(
            left_out(&[NoSqarray, SingleIssuer]),
            Some(vec![SingleIssuer, NoSqarray])
        );
        assert_eq!(left_out(&[SqAff]), Some(vec![SqAff]));
        assert_eq!(
            left_out(&[NoSqarray, SingleIssuer, SqAff]),
            Some(vec![SqAff, SingleIssuer, NoSqarray])
        );
    }

    #[test]
    fn what_defines_the_mode_is_never_left_out() {
        assert_eq!(left_out(&[Sqpoll]), None);
        assert_eq!(left_out(&[Iopoll]), None);
    }

    #[test]
    fn another_error_ends_the_descent_at_once() {
        let mut tries = 0;
        let result = descend::<()>(&ALL, |_| {
            tries += 1;
            Err(io::Error::from_raw_os_error(libc::EPERM))
        });
        assert_eq!(result.unwrap_err().0.raw_os_error(), Some(libc::EPERM));
        assert_eq!(tries, 1);
    }

    #[test]
    fn no_combination_is_tried_twice() {
        let mut tries = Vec::new();
        let _refused = descend::<()>(&[Sqpoll, Cqsize], |flags| {
            tries.push(flags.to_vec());
            Err(io::Error::from_raw_os_error(libc::EINVAL))
        });
        assert_eq!(tries, [[Sqpoll, Cqsize]]);
    }
}
