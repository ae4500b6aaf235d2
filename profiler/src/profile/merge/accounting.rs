//! What stands behind the counts of two runs, as one.

use super::rows::{add, add_counts, add_known, add_new, add_rows, both};
use crate::profile::exactness::SAID;
use crate::profile::model::{Accounting, Audit, CheckVerdict, ChildUsage, CrossCheck, Own};

/// Adds a run's accounting. One doubt about one run is a doubt about the sum.
pub(super) fn add_accounting(sum: &mut Accounting, run: Accounting) {
    add_rows(
        &mut sum.misses,
        run.misses,
        |miss| miss.program.clone(),
        |known, miss| known.count = add_known(known.count, miss.count),
    );
    add(&mut sum.map_full, run.map_full);
    add(&mut sum.stacks_lost, run.stacks_lost);
    add(&mut sum.unclassified, run.unclassified);
    sum.inexact_codes.resize(sum.inexact.len(), SAID.to_owned());
    let mut codes = run.inexact_codes.into_iter();
    for reason in run.inexact {
        let code = codes.next().unwrap_or_else(|| SAID.to_owned());
        if !sum.inexact.contains(&reason) {
            sum.inexact.push(reason);
            sum.inexact_codes.push(code);
        }
    }
    add_counts(&mut sum.losses, run.losses);
    sum.audit = both(sum.audit.take(), run.audit, add_audit);
    add_rows(
        &mut sum.cross_checks,
        run.cross_checks,
        |check| (check.what.clone(), check.source.clone()),
        add_check,
    );
    add_own(&mut sum.own, run.own);
    sum.usage = both(sum.usage.take(), run.usage, |sum, run| add_usage(sum, &run));
    add_new(&mut sum.unavailable, run.unavailable);
}

fn add_audit(sum: &mut Audit, run: Audit) {
    add(&mut sum.exits, run.exits);
    add(&mut sum.entries, run.entries);
    sum.difference = sum.difference.saturating_add(run.difference);
    add_rows(
        &mut sum.one_sided,
        run.one_sided,
        |row| (row.cause.clone(), row.detail.clone(), row.reason.clone()),
        |known, row| add(&mut known.count, row.count),
    );
}

/// Sums of counts that agree agree, and so may those of counts that do not: the
/// worst verdict remains.
fn add_check(sum: &mut CrossCheck, run: CrossCheck) {
    let badness = |verdict| match verdict {
        CheckVerdict::Consistent => 0,
        CheckVerdict::NotContradicted => 1,
        CheckVerdict::Informative => 2,
        CheckVerdict::Inconsistent => 3,
    };
    add(&mut sum.ours, run.ours);
    add(&mut sum.theirs, run.theirs);
    if badness(run.verdict) > badness(sum.verdict) {
        sum.verdict = run.verdict;
        sum.note = run.note;
    }
}

fn add_own(sum: &mut Own, run: Own) {
    add_new(&mut sum.cpus, run.cpus);
    sum.cpus.sort_unstable();
    sum.cpu = sum.cpu.filter(|_| sum.cpu == run.cpu);
    sum.entries = add_known(sum.entries, run.entries);
    sum.apart &= run.apart;
    add(&mut sum.cpu_ns, run.cpu_ns);
    add(&mut sum.all_cpu_ns, run.all_cpu_ns);
}

fn add_usage(sum: &mut ChildUsage, run: &ChildUsage) {
    add(&mut sum.minor_faults, run.minor_faults);
    add(&mut sum.major_faults, run.major_faults);
    add(&mut sum.voluntary_switches, run.voluntary_switches);
    add(&mut sum.involuntary_switches, run.involuntary_switches);
    add(&mut sum.user_ns, run.user_ns);
    add(&mut sum.system_ns, run.system_ns);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::model::Miss;

    /// What one run does not know, lost or doubts, the sum does not know, has lost
    /// and doubts; whichever comes first.
    #[test]
    fn doubts_remain() {
        let clean = Accounting {
            misses: vec![Miss {
                program: "p".to_owned(),
                count: Some(0),
            }],
            cross_checks: vec![CrossCheck {
                what: "page faults".to_owned(),
                ours: 5,
                theirs: 5,
                verdict: CheckVerdict::Consistent,
                ..CrossCheck::default()
            }],
            ..Accounting::default()
        };
        let mut doubtful = clean.clone();
        doubtful.misses[0].count = None;
        doubtful.cross_checks[0].theirs = 4;
        doubtful.cross_checks[0].verdict = CheckVerdict::Inconsistent;
        doubtful.map_full = 3;
        doubtful.losses.insert("ledger_full".to_owned(), 3);
        doubtful.inexact.push("some were missed".to_owned());
        doubtful.inexact_codes.push("other".to_owned());
        for (mut sum, run) in [(clean.clone(), doubtful.clone()), (doubtful, clean)] {
            add_accounting(&mut sum, run);
            assert_eq!(sum.misses[0].count, None);
            assert_eq!((sum.map_full, sum.losses["ledger_full"]), (3, 3));
            assert_eq!(sum.inexact, ["some were missed"]);
            let check = &sum.cross_checks[0];
            assert_eq!((check.ours, check.theirs), (10, 9));
            assert_eq!(check.verdict, CheckVerdict::Inconsistent);
        }
    }
}
