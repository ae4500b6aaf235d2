//! What a budget makes of runs.

use super::{
    baseline::against_baseline,
    judge::against_budget,
    judged::Outcome,
    parse::parse,
    samples::{named, profile},
    update,
    verdict::Verdict,
};
use crate::{
    gap::{Gap, Unavailable},
    profile::{
        exactness,
        model::{Audit, CheckVerdict, CrossCheck, Miss, Profile, Purpose},
    },
};

fn judged(limit: &str, profiles: impl IntoIterator<Item = Profile>) -> Verdict {
    let parsed = parse(&format!("[[limit]]\n{limit}")).expect("a budget");
    against_budget(&parsed, "budget.toml", &named(profiles))
}

fn outcome(limit: &str, profile: Profile) -> Outcome {
    judged(limit, [profile]).outcome
}

fn quiet() -> Profile {
    profile(&[
        ("syscall", "read", "setup", 30),
        ("page_fault", "first_touch", "steady", 5),
    ])
}

fn spoilt(spoil: impl FnOnce(&mut Profile)) -> Profile {
    let mut profile = quiet();
    spoil(&mut profile);
    profile
}

/// The bound itself is allowed; one more is not; the worst of several runs
/// decides.
#[test]
fn a_limit_is_the_most_that_is_allowed() {
    let limit = |most| format!("cause = 'syscall'\nhard = {most}");
    assert_eq!(outcome(&limit(30), quiet()), Outcome::Pass);
    assert_eq!(outcome(&limit(29), quiet()), Outcome::Breach);
    let louder = profile(&[("syscall", "read", "setup", 31)]);
    assert_eq!(
        judged(&limit(30), [quiet(), louder, quiet()]).outcome,
        Outcome::Breach
    );
    let soft = "cause = 'syscall'\nsoft = 29\nhard = 40";
    assert_eq!(outcome(soft, quiet()), Outcome::Warning);
}

/// Selected by detail, phase and thread, and set in proportion to time.
#[test]
fn limits_select() {
    let one = |limit: &str| judged(limit, [quiet()]).findings[0].judged;
    assert_eq!(one("cause = 'total'\nhard = 0"), Some(35.0));
    assert_eq!(
        one("cause = 'total'\nphase = 'steady'\nhard = 0"),
        Some(5.0)
    );
    let rate = "cause = 'total'\nphase = 'steady'\nper = 'second'\nhard = 0";
    assert_eq!(one(rate), Some(10.0));
    assert_eq!(one("cause = 'syscall'\ndetail = 'w*'\nhard = 0"), Some(0.0));
    assert_eq!(
        one("cause = 'syscall'\nthread = 'pol*'\nhard = 0"),
        Some(30.0)
    );
}

/// Whatever is lost, contradicted or cut short: never a pass; and what is above
/// the limit all the same is a breach.
#[test]
fn a_doubt_is_never_a_pass() {
    type Spoil = fn(&mut Profile);
    let doubts: [(&str, Spoil); 12] = [
        ("inexact", |p| p.accounting.inexact.push("why".to_owned())),
        ("map full", |p| p.accounting.map_full = 1),
        ("unknown loss", |p| {
            p.accounting
                .losses
                .insert("of_a_newer_version".to_owned(), 1);
        }),
        ("threads lost", |p| {
            p.accounting
                .losses
                .insert("thread_table_full".to_owned(), 1);
        }),
        ("missed", |p| {
            p.accounting.misses.push(Miss {
                program: "sys_exit".to_owned(),
                count: Some(1),
            });
        }),
        ("unclassified", |p| p.accounting.unclassified = 1),
        ("audit", |p| {
            p.accounting.audit = Some(Audit {
                difference: -1,
                ..Audit::default()
            });
        }),
        ("cross-check", |p| {
            p.accounting.cross_checks.push(CrossCheck {
                verdict: CheckVerdict::Inconsistent,
                ..CrossCheck::default()
            });
        }),
        ("interrupted", |p| {
            p.exit.interrupted_by = Some("SIGINT".into());
        }),
        ("crashed", |p| {
            p.exit.signal = Some(11);
            p.exit.code = None;
        }),
        ("failed", |p| p.exit.code = Some(1)),
        ("left running", |p| p.exit.left_running = 1),
    ];
    for (name, spoil) in doubts {
        let found = judged("cause = 'syscall'\nhard = 100", [spoilt(spoil)]);
        assert_eq!(found.outcome, Outcome::Inconclusive, "{name}");
        assert!(!found.findings[0].reasons.is_empty(), "{name}");
        let soft = outcome("cause = 'syscall'\nsoft = 100", spoilt(spoil));
        assert_eq!(soft, Outcome::Inconclusive, "{name}, soft");
        let breached = outcome("cause = 'syscall'\nhard = 29", spoilt(spoil));
        assert_eq!(breached, Outcome::Breach, "{name}, certain");
        let created = update::created(&named([quiet(), spoilt(spoil)]));
        assert!(created.is_err(), "{name}: a budget of lost counts");
        let later = against_baseline(&named([quiet()]), &named([spoilt(spoil)]));
        assert_eq!(later.outcome, Outcome::Inconclusive, "{name}, baseline");
    }
}

/// A run in which the beginning of the command was missed has counted nothing,
/// and keeps no limit.
#[test]
fn nothing_counted_is_never_a_pass() {
    let empty = spoilt(|p| p.ledger.by_cause.clear());
    let found = judged("cause = 'syscall'\nhard = 100", [empty]);
    assert_eq!(found.outcome, Outcome::Inconclusive);
}

/// Ten calls a second are not held by a phase that is said to have lasted for
/// longer than the run.
#[test]
fn impossible_times_hold_no_rate() {
    let limit = "cause = 'syscall'\nphase = 'steady'\nper = 'second'\nhard = 10";
    let long = spoilt(|p| {
        p.window.phases[1].duration_ns = Some(2_779_191_000_000_000);
        exactness::settle(p);
    });
    assert_eq!(outcome(limit, long), Outcome::Inconclusive);
}

/// What interrupts were for can be limited: by the rows that say so, as far as
/// it is told.
#[test]
fn purposes_are_limited() {
    let run = |gap: Option<Gap>| {
        let mut run = profile(&[("interrupt", "call_function", "steady", 50)]);
        let purpose = |(purpose, count): (&str, u64)| Purpose {
            purpose: purpose.to_owned(),
            count,
            phases: [("steady".to_owned(), count)].into(),
            ..Purpose::default()
        };
        let purposes: Vec<Purpose> = [("tlb_shootdown", 40), ("wakeup", 10)].map(purpose).into();
        run.ledger.by_cause[0].purposes.clone_from(&purposes);
        run.ledger.by_thread[0].by_cause[0].purposes = purposes;
        let gaps = gap.into_iter().map(|gap| Unavailable::new(gap, "so"));
        run.accounting.unavailable.extend(gaps);
        run
    };
    for (limit, expected) in [
        ("detail = 'tlb_shootdown'\nhard = 39", Outcome::Breach),
        ("detail = 'tlb_shootdown'\nhard = 40", Outcome::Pass),
        (
            "detail = 'tlb_*'\nphase = 'steady'\nhard = 39",
            Outcome::Breach,
        ),
        (
            "detail = 'wakeup'\nthread = 'poller'\nhard = 9",
            Outcome::Breach,
        ),
        ("detail = 'call_function'\nhard = 49", Outcome::Breach),
        ("hard = 50", Outcome::Pass),
        // A vector's name is the vector's.
        ("detail = 'reschedule'\nhard = 0", Outcome::Pass),
    ] {
        let limit = format!("cause = 'interrupt'\n{limit}");
        assert_eq!(outcome(&limit, run(None)), expected, "{limit}");
    }
    let untold = Some(Gap::ProbeNotInKernel("tlb_flush".to_owned()));
    let limit = "cause = 'interrupt'\ndetail = 'tlb_shootdown'\nhard = 40";
    assert_eq!(outcome(limit, run(untold)), Outcome::Inconclusive);
    let mut run = run(None);
    run.ledger.by_cause[0].purposes[1].purpose = "not_told".to_owned();
    assert_eq!(outcome(limit, run), Outcome::Inconclusive);
}

/// A phase of the baseline that the candidate lacks has not become better, also
/// if nothing was counted in it before.
#[test]
fn a_phase_does_not_go_unnoticed() {
    let before = profile(&[("syscall", "read", "setup", 5)]);
    let mut after = before.clone();
    let same = against_baseline(&named([after.clone()]), &named([before.clone()]));
    assert_eq!(same.outcome, Outcome::Pass);
    after.window.phases.retain(|phase| phase.name != "steady");
    let found = against_baseline(&named([after]), &named([before]));
    assert_eq!(found.outcome, Outcome::Inconclusive);
    let reasons = found.findings.iter().flat_map(|finding| &finding.reasons);
    let words: Vec<&String> = reasons.collect();
    assert!(
        words.iter().any(|reason| reason.contains("`steady`")),
        "{words:?}"
    );
}

/// The rate of a run that was cut short is no bound of anything.
#[test]
fn the_rate_of_half_a_run_is_no_breach() {
    let cut = spoilt(|p| p.exit.interrupted_by = Some("SIGINT".into()));
    let limit = "cause = 'syscall'\nper = 'second'\nhard = 1";
    assert_eq!(outcome(limit, cut), Outcome::Inconclusive);
    let on_time = spoilt(|p| {
        p.exit.interrupted_by = Some("duration".into());
        p.exit.signal = Some(15);
    });
    assert_eq!(outcome(limit, on_time), Outcome::Breach);
}

/// Losses of details put only those limits in doubt that need them.
#[test]
fn lost_details_matter_where_they_are_needed() {
    let lost = |name: &'static str| {
        move || {
            spoilt(|p| {
                p.accounting.losses.insert(name.to_owned(), 3);
            })
        }
    };
    let all = "cause = 'page_fault'\nhard = 9";
    let kind = "cause = 'page_fault'\ndetail = 'first_touch'\nhard = 9";
    let thread = "cause = 'page_fault'\nthread = 'poller'\nhard = 9";
    let unreadable = lost("fault_unreadable");
    assert_eq!(outcome(all, unreadable()), Outcome::Pass);
    assert_eq!(outcome(kind, unreadable()), Outcome::Inconclusive);
    let nameless = lost("thread_info_full");
    assert_eq!(outcome(all, nameless()), Outcome::Pass);
    assert_eq!(outcome(thread, nameless()), Outcome::Inconclusive);
    assert_eq!(outcome(all, lost("stack_lost")()), Outcome::Pass);
}

/// What these probes cannot see, the program did not mark or nobody was called
/// has not been 0.
#[test]
fn what_was_not_looked_at_is_not_none() {
    let blind = || {
        spoilt(|p| {
            let unavailable = &mut p.accounting.unavailable;
            for (gap, reason) in [
                (Gap::Exceptions, "no tracepoint"),
                (Gap::ProbeNotAttached("nmi_handler".to_owned()), "no room"),
                (
                    Gap::ProbeNotInKernel("thermal_apic_entry".to_owned()),
                    "this kernel has no tracepoint thermal_apic_entry",
                ),
                (Gap::Device, "the return does not show it"),
            ] {
                unavailable.push(Unavailable::new(gap, reason));
            }
        })
    };
    for limit in [
        "cause = 'exception'\nhard = 9",
        "cause = 'nmi'\nhard = 9",
        "cause = 'interrupt'\ndetail = 'thermal_apic'\nhard = 9",
        "cause = 'interrupt'\ndetail = 'device:nvme*'\nhard = 9",
        "cause = 'total'\nthread = 'nobody'\nhard = 99",
        "cause = 'total'\nphase = 'teardown'\nhard = 99",
        "cause = 'total'\nper = 'million_ios'\nhard = 99",
    ] {
        assert_eq!(outcome(limit, blind()), Outcome::Inconclusive, "{limit}");
    }
    // A vector that this kernel does not have is not missed among all of them.
    assert_eq!(
        outcome("cause = 'interrupt'\nhard = 9", blind()),
        Outcome::Pass
    );
    assert_eq!(
        outcome("cause = 'syscall'\nhard = 99", blind()),
        Outcome::Pass
    );
    let sampled = spoilt(|p| p.window.phases[1].exact = false);
    let rate = "cause = 'total'\nphase = 'steady'\nper = 'second'\nhard = 99";
    assert_eq!(outcome(rate, sampled), Outcome::Inconclusive);
}

/// A cause of a newer version is in no limit of this one: that is no pass.
#[test]
fn unknown_causes_are_not_passed_over() {
    let newer = || profile(&[("hypercall", "exit", "steady", 5)]);
    assert_eq!(
        outcome("cause = 'syscall'\nhard = 9", newer()),
        Outcome::Inconclusive
    );
    let found = against_baseline(&named([newer()]), &named([newer()]));
    assert_eq!(found.outcome, Outcome::Inconclusive);
    assert!(found.notes.iter().any(|note| note.contains("hypercall")));
}

/// A new system call is a breach whatever its number, an interrupt more or less
/// is not, and what is above the spread of the baseline is.
#[test]
fn baselines() {
    let run = |reads: u64, ticks: u64| {
        profile(&[
            ("syscall", "read", "steady", reads),
            ("interrupt", "local_timer", "steady", ticks),
        ])
    };
    let before = named([run(100, 50), run(104, 55), run(102, 52)]);
    let against = |after: Vec<Profile>| against_baseline(&named(after), &before).outcome;
    assert_eq!(against(vec![run(108, 60)]), Outcome::Pass);
    assert_eq!(against(vec![run(109, 60)]), Outcome::Breach);
    assert_eq!(against(vec![run(102, 500)]), Outcome::Breach);
    // One odd run of three is not the median.
    assert_eq!(
        against(vec![run(102, 50), run(500, 50), run(103, 50)]),
        Outcome::Pass
    );
    let new = profile(&[
        ("syscall", "futex", "steady", 1),
        ("syscall", "read", "steady", 100),
    ]);
    let found = against_baseline(&named([new]), &before);
    assert_eq!(found.outcome, Outcome::Breach);
    let finding = found.findings.iter().find(|finding| finding.is_new);
    let finding = finding.expect("a new row");
    assert!(finding.name.contains("futex") && finding.reasons[0].contains("new"));
    let irq = profile(&[
        ("interrupt", "irq_work", "steady", 1),
        ("syscall", "read", "steady", 100),
    ]);
    assert_eq!(
        against_baseline(&named([irq]), &before).outcome,
        Outcome::Warning
    );
}

/// The numbers change; what a person wrote does not.
#[test]
fn an_update_keeps_what_people_wrote() {
    let text = "# Ours.\nphases = [\"drain\"] # own\n\n[[limit]] # the loop\ncause = \"syscall\"\n\
                hard   =   7 # why 7\nsoft = 1\n\n# the end\n";
    let parsed = parse(text).expect("a budget");
    let runs = named([quiet(), quiet()]);
    let updated = update::updated(text, &parsed, &runs).expect("nothing lost");
    let expected = text
        .replace("  7 #", "  30 #")
        .replace("soft = 1\n", "soft = 30\n");
    assert_eq!(updated, expected);
    let inline = "limit = [{ cause = 'syscall', hard = 1 }, { cause = 'total', soft = 2 }]\n";
    let parsed = parse(inline).expect("a budget");
    let updated = update::updated(inline, &parsed, &runs).expect("nothing lost");
    assert!(updated.contains("hard = 30 }"), "{updated}");
}

/// What is wrong with a budget is said with its place, and what was meant.
#[test]
fn mistakes_in_budgets() {
    let limit = |rest: &str| format!("[[limit]]\n{rest}\n");
    for (text, line, column, words, meant) in [
        (
            limit("cause = 'sycsall'\nhard = 1"),
            2,
            9,
            "sycsall",
            Some("syscall"),
        ),
        (limit("cause = 'nmi'\nhrad = 1"), 3, 1, "hrad", Some("hard")),
        (
            limit("cause = 'nmi'\nphase = 'stedy'\nhard = 1"),
            3,
            9,
            "stedy",
            Some("steady"),
        ),
        (limit("cause = 'nmi'\nhard = -1"), 3, 8, "-1", None),
        (limit("cause = 'nmi'\nhard = inf"), 3, 8, "inf", None),
        (limit("cause = 'nmi'"), 1, 1, "no number", None),
        (limit("hard = 1"), 1, 1, "cause", None),
        (
            limit("cause = 'total'\ndetail = 'x'\nhard = 1"),
            3,
            10,
            "detail",
            None,
        ),
        (
            limit("cause = 'nmi'\nhard = 1\nsoft = 2"),
            4,
            8,
            "exchange",
            None,
        ),
        (
            limit("cause = 'nmi'\nthread = 'a-name-of-17-bytes'\nhard = 1"),
            3,
            10,
            "15 bytes",
            None,
        ),
        (
            limit("cause = 'nmi'\nphase = 'setup'\nper = 'million_ios'\nhard = 1"),
            4,
            7,
            "I/Os",
            None,
        ),
        (
            limit("cause = 'nmi'\nper = 'secnd'\nhard = 1"),
            3,
            7,
            "secnd",
            Some("second"),
        ),
        ("limits = 1\n".to_owned(), 1, 1, "limits", Some("limit")),
        (
            "phases = ['steady']\n".to_owned() + &limit("cause = 'nmi'\nhard = 1"),
            1,
            11,
            "every",
            None,
        ),
        (String::new(), 1, 1, "no limit", None),
        (limit("cause = 'nmi"), 2, 13, "string", None),
    ] {
        let found = parse(&text).expect_err(&text);
        assert_eq!((found.line, found.column), (line, column), "{found}");
        assert!(found.message.contains(words), "{found}");
        assert_eq!(found.suggestion.as_deref(), meant, "{found}");
    }
    let own = "phases = ['drain']\n[[limit]]\ncause = 'nmi'\nphase = 'drain'\nhard = 1";
    assert!(parse(own).is_ok());
}
