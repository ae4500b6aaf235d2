//! Which CPU for which thread.

use crate::{cpu_list, error::WorkloadError};

/// CPUs for the two threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placement {
    pub(crate) user: u32,
    /// `None`: there is no submission thread, or no CPU of its own for it.
    pub(crate) sq: Option<u32>,
    pub(crate) note: Option<String>,
}

/// Places the threads on the `allowed` CPUs: the submitting thread on the last
/// of them, the kernel's submission thread (if `sqpoll`) on the last other one.
pub(crate) fn place(
    allowed: &[u32],
    user: Option<u32>,
    sq: Option<u32>,
    sqpoll: bool,
) -> Result<Placement, WorkloadError> {
    for (option, cpu) in [("--cpu", user), ("--sq-cpu", sq)] {
        if let Some(cpu) = cpu
            && !allowed.contains(&cpu)
        {
            return Err(WorkloadError::Usage(format!(
                "{option} {cpu}: this process may not run on CPU {cpu}, only on {}; choose one \
                 of those, or widen its affinity (taskset, cpuset)",
                cpu_list::format(allowed)
            )));
        }
    }
    if sq.is_some() && !sqpoll {
        return Err(WorkloadError::Usage(
            "--sq-cpu places the kernel's submission thread, which this --mode does not have"
                .to_owned(),
        ));
    }
    if sq.is_some() && sq == user {
        return Err(WorkloadError::Usage(
            "--cpu and --sq-cpu name the same CPU: two busy loops would share it; name two"
                .to_owned(),
        ));
    }
    let last_but = |other: Option<u32>| allowed.iter().copied().rfind(|&cpu| Some(cpu) != other);
    // With one CPU only, `sq` may have taken the only one there is.
    let Some(user) = user.or_else(|| last_but(sq)).or_else(|| last_but(None)) else {
        return Err(WorkloadError::Internal("no CPU is allowed".to_owned()));
    };
    let sq = if sqpoll {
        sq.filter(|&cpu| cpu != user)
            .or_else(|| last_but(Some(user)))
    } else {
        None
    };
    let note = (sqpoll && sq.is_none()).then(|| {
        format!(
            "SQ_AFF is off: only CPU {user} is allowed, so the submission thread has none of its \
             own and may have to share it"
        )
    });
    Ok(Placement { user, sq, note })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpus(placement: &Placement) -> (u32, Option<u32>) {
        (placement.user, placement.sq)
    }

    #[test]
    fn by_default_the_last_two_allowed_cpus() {
        let placed = place(&[0, 1, 5, 7], None, None, true).unwrap();
        assert_eq!((cpus(&placed), placed.note), ((7, Some(5)), None));
        let placed = place(&[0, 1], None, None, false).unwrap();
        assert_eq!((cpus(&placed), placed.note), ((1, None), None));
    }

    #[test]
    fn one_choice_keeps_clear_of_the_other() {
        assert_eq!(
            cpus(&place(&[0, 1, 2], Some(2), None, true).unwrap()),
            (2, Some(1))
        );
        assert_eq!(
            cpus(&place(&[0, 1, 2], None, Some(2), true).unwrap()),
            (1, Some(2))
        );
    }

    #[test]
    fn a_single_cpu_means_no_binding_and_a_note() {
        let placed = place(&[3], None, None, true).unwrap();
        assert_eq!(cpus(&placed), (3, None));
        assert!(placed.note.unwrap().contains("SQ_AFF is off"));
    }

    #[test]
    fn impossible_choices_are_usage_errors_that_name_what_is_possible() {
        let error = place(&[0, 1, 2, 8], Some(5), None, true).unwrap_err();
        assert!(error.is_usage());
        assert!(error.to_string().contains("only on 0-2,8"), "{error}");
        assert!(
            place(&[0, 1], Some(1), Some(1), true)
                .unwrap_err()
                .is_usage()
        );
        assert!(place(&[0, 1], None, Some(1), false).unwrap_err().is_usage());
    }
}
