//! Laws that hold for every profile and every budget.

use profiler_common::{cause::CauseKind, fault::FaultKind, loss::Loss, vector::Vector};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::{
    classify::purpose,
    gap::{Concealed, Details, Gap},
    gate::{
        baseline::against_baseline,
        budget::{Bound, Budget, Limit, Per},
        judge::against_budget,
        judged::Outcome,
        parse::{Parsed, parse},
        samples::{Entry, named, profile},
        update,
        write::render,
    },
    profile::{
        arbitrary::gap,
        model::{CodeRow, Profile, Unavailable, Untimed},
        selection::{Pattern, PhaseName, Selection},
    },
    report::{
        export::{Surface, write},
        format::DocumentKind,
        style::Look,
    },
};

/// Causes with details that there are.
const ROWS: [(&str, &str); 7] = [
    ("syscall", "read"),
    ("syscall", "clock_gettime"),
    ("page_fault", "first_touch"),
    ("page_fault", "file_major"),
    ("interrupt", "local_timer"),
    ("interrupt", "device:<nvme0q1>"),
    ("unclassified", "stub_0"),
];

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let count = prop_oneof![0..20_u64, 0..100_000_u64, Just(u64::MAX)];
    let row = (
        select(&ROWS[..]),
        select(&["setup", "steady", "own"][..]),
        count,
    );
    vec(
        row.prop_map(|((cause, detail), phase, count)| (cause, detail, phase, count)),
        0..8,
    )
}

/// Runs in which nothing went wrong.
fn whole() -> impl Strategy<Value = Profile> {
    (entries(), 1..u64::MAX / 2).prop_map(|(entries, ns)| {
        let mut made = profile(&entries);
        for phase in &mut made.window.phases {
            phase.duration_ns = Some((ns / 2).max(1));
        }
        made.window.duration_ns = ns;
        made
    })
}

/// Runs in which anything may have gone wrong.
fn any_profile() -> impl Strategy<Value = Profile> {
    let loss = option::of((select(Loss::ALL), 0..3_u64));
    let ending = (
        option::of(-1..300_i32),
        option::of(0..70_i32),
        any::<bool>(),
        0..2_usize,
    );
    let odd = (any::<bool>(), any::<bool>(), "\\PC{0,8}", 0..3_u64);
    (whole(), loss, ending, odd).prop_map(|(mut made, loss, ending, odd)| {
        if let Some((loss, count)) = loss {
            made.accounting.losses.insert(loss.name().to_owned(), count);
        }
        (made.exit.code, made.exit.signal, _, made.exit.left_running) = ending;
        made.exit.interrupted_by = ending.2.then(|| "SIGINT".into());
        let (no_phases, no_time, word, unclassified) = odd;
        if no_phases {
            made.window.phases.clear();
        }
        if no_time {
            made.window.duration_ns = 0;
            for phase in &mut made.window.phases {
                (phase.duration_ns, phase.untimed) = (None, Some(Untimed::NotKept));
            }
        }
        made.accounting.unclassified = unclassified;
        made.ledger
            .by_thread
            .iter_mut()
            .for_each(|row| row.comm.clone_from(&word));
        made.accounting.unavailable.push(Unavailable::new(
            Gap::ProbeNotAttached(word.clone()),
            word.clone(),
        ));
        made.ledger.by_code = vec![CodeRow {
            cause: "syscall".into(),
            detail: "read".to_owned(),
            count: 3,
            symbol: Some(word.clone()),
            file: Some(word),
            line: Some(7),
            ..CodeRow::default()
        }];
        made
    })
}

fn bound() -> impl Strategy<Value = Bound> {
    let number = prop_oneof![
        (0..1_000_000_u64)
            .prop_map(|whole| { f64::from(u32::try_from(whole).unwrap_or(u32::MAX)) }),
        0.0..1e12_f64,
        Just(f64::MAX),
    ];
    number.prop_filter_map("a bound", Bound::new)
}

fn limit() -> impl Strategy<Value = Limit> {
    let what = prop_oneof![
        Just((None, None)),
        Just((Some(CauseKind::Syscall), None)),
        Just((Some(CauseKind::Syscall), Some("clock_*"))),
        Just((Some(CauseKind::PageFault), Some("file_major"))),
        Just((Some(CauseKind::Interrupt), Some("device:\"quoted\"\\"))),
        Just((Some(CauseKind::Exception), None)),
        Just((Some(CauseKind::Nmi), Some("nmi"))),
        Just((Some(CauseKind::Interrupt), None)),
        Just((Some(CauseKind::Interrupt), Some("*"))),
        Just((Some(CauseKind::Interrupt), Some("thermal_apic"))),
        Just((Some(CauseKind::Interrupt), Some("local_*"))),
        Just((Some(CauseKind::Interrupt), Some("device:nvme*"))),
        Just((Some(CauseKind::Interrupt), Some("*nvme0q?"))),
        Just((Some(CauseKind::Interrupt), Some("tlb_shootdown"))),
        Just((Some(CauseKind::Interrupt), Some("hypervisor_callback"))),
        Just((Some(CauseKind::PageFault), None)),
        Just((Some(CauseKind::PageFault), Some("file_*"))),
        Just((Some(CauseKind::NewTask), None)),
    ];
    let phase = option::of(select(&["setup", "steady", "own"][..]));
    let bounds = (bound(), bound(), 0..3_u8);
    let unit = select(&[Per::Run, Per::Second, Per::MillionIos][..]);
    let words = (option::of("\\PC{0,12}"), option::of("[a-z*?\"'é]{0,7}"));
    (what, phase, bounds, unit, words).prop_map(
        |((cause, detail), phase, (one, other, which), per, (name, thread))| {
            let (soft, hard) = if one <= other {
                (one, other)
            } else {
                (other, one)
            };
            Limit {
                name,
                selection: Selection {
                    cause,
                    detail: detail.map(|word| Pattern(word.to_owned())),
                    phase: phase.map(|word| PhaseName(word.to_owned())),
                    thread: thread.map(Pattern),
                },
                per: match phase {
                    Some("setup" | "own") if per == Per::MillionIos => Per::Second,
                    Some(_) | None => per,
                },
                hard: (which != 1).then_some(hard),
                soft: (which != 0).then_some(soft),
            }
        },
    )
}

fn budget() -> impl Strategy<Value = Budget> {
    vec(limit(), 1..5).prop_map(|limits| Budget {
        phases: vec![PhaseName("own".to_owned())],
        limits,
    })
}

fn unplaced(budget: Budget) -> Parsed {
    Parsed {
        lines: vec![1; budget.limits.len()],
        budget,
    }
}

fn judged(limit: &Limit, run: &Profile) -> Outcome {
    let parsed = unplaced(Budget {
        phases: Vec::new(),
        limits: vec![limit.clone()],
    });
    against_budget(&parsed, "b", &named([run.clone()])).outcome
}

/// Details that entries of each cause may have.
fn details() -> impl Iterator<Item = (CauseKind, String)> {
    let of = |cause| move |name: &str| (cause, name.to_owned());
    let vectors = Vector::ALL.iter().map(|vector| vector.name());
    let interrupts = vectors.chain([
        "device:nvme0q1",
        "hypervisor_callback",
        "kvm_asyncpf_interrupt",
    ]);
    let kinds = FaultKind::ALL.iter().map(|kind| kind.name());
    let exceptions = ["breakpoint", "invalid_opcode"];
    interrupts
        .map(of(CauseKind::Interrupt))
        .chain(kinds.map(of(CauseKind::PageFault)))
        .chain(["read", "clock_gettime"].map(of(CauseKind::Syscall)))
        .chain(exceptions.map(of(CauseKind::Exception)))
        .chain(["nmi"].map(of(CauseKind::Nmi)))
        .chain(["first_return"].map(of(CauseKind::NewTask)))
}

/// Whether a gap hides how many of some entries that are meant there were.
fn hides(gap: &Gap, selection: &Selection) -> bool {
    let wants = |kind: CauseKind, hidden: Details| {
        let mut details = details();
        details.any(|(cause, detail)| {
            cause == kind && hidden.include(&detail) && selection.includes(cause.name(), &detail)
        })
    };
    let detail = selection.detail.as_ref().map_or("*", |pattern| &pattern.0);
    gap.conceals().into_iter().any(|concealed| match concealed {
        Concealed::Entries(kind, hidden) => wants(kind, hidden),
        Concealed::Split(kind, hidden) => detail != "*" && wants(kind, hidden),
        Concealed::Existence(kind, name) => selection.cause == Some(kind) && detail == name,
        Concealed::Purposes(hidden) => {
            selection.cause == Some(CauseKind::Interrupt)
                && purpose::all().any(|name| detail == name && hidden.include(name))
        }
        Concealed::Mappings => false,
        Concealed::Everything => true,
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// A budget is what it was after writing it down and reading it.
    #[test]
    fn a_budget_survives_the_file(budget in budget()) {
        let parsed = parse(&render(&budget));
        prop_assert_eq!(parsed.map(|parsed| parsed.budget), Ok(budget));
    }

    /// Any text is a budget or has a mistake that can be shown.
    #[test]
    fn any_text_can_be_read(text in "(\\PC|\\n|\\[\\[limit\\]\\]\\n|cause = 'nmi'\\n|hard = 1\\n){0,20}") {
        if let Err(wrong) = parse(&text) {
            prop_assert!(!wrong.to_string().is_empty());
        }
    }

    /// No profile and no budget is too odd to be judged and shown; and what the
    /// check calls passed has no finding that is not.
    #[test]
    fn every_check_comes_to_an_end(
        budget in budget(),
        runs in vec(any_profile(), 0..3),
        before in vec(any_profile(), 0..3),
    ) {
        let runs = named(runs);
        for verdict in [
            against_budget(&unplaced(budget), "b.toml", &runs),
            against_baseline(&runs, &named(before)),
        ] {
            if verdict.outcome < Outcome::Inconclusive {
                let mut findings = verdict.findings.iter();
                prop_assert!(findings.all(|found| found.outcome < Outcome::Inconclusive));
            }
            for format in DocumentKind::Check.formats() {
                let look = Look { columns: Some(70) };
                let surface = Surface { look, by: crate::profile::merge::programs::By::default(), sources: None };
                let mut out = Vec::new();
                prop_assert!(write(&verdict, format, &surface, &mut out).is_ok());
                prop_assert!(!out.is_empty());
            }
        }
    }

    /// A higher limit never fails what a lower one lets pass, and never warns
    /// where a lower one is silent.
    #[test]
    fn raising_a_limit_never_fails_more(limit in limit(), run in any_profile(), higher in bound()) {
        let raised = |bound: Option<Bound>| bound.map(|old| if old < higher { higher } else { old });
        let other = Limit { hard: raised(limit.hard), soft: limit.soft, ..limit.clone() };
        let softer = Limit { hard: raised(limit.hard), soft: raised(limit.soft), ..limit.clone() };
        let before = judged(&limit, &run);
        prop_assert!(judged(&other, &run) <= before);
        prop_assert!(judged(&softer, &run) <= before);
    }

    /// No limit passes on entries that a gap conceals, whichever gap it is.
    #[test]
    fn what_is_concealed_never_passes(limit in limit(), run in whole(), gap in gap()) {
        let mut run = run;
        run.accounting.unavailable.push(Unavailable::new(gap.clone(), "so"));
        if hides(&gap, &limit.selection) {
            prop_assert!(judged(&limit, &run) >= Outcome::Inconclusive);
        }
    }

    /// A run that lost entries passes nothing.
    #[test]
    fn a_loss_is_never_a_pass(limit in limit(), run in whole(), lost in 1..u64::MAX) {
        let mut run = run;
        run.accounting.losses.insert(Loss::LedgerFull.name().to_owned(), lost);
        prop_assert!(judged(&limit, &run) >= Outcome::Inconclusive);
    }

    /// A budget made from runs lets these very runs pass, new or updated.
    #[test]
    fn an_update_fits_its_own_runs(budget in budget(), runs in vec(whole(), 1..4)) {
        let runs = named(runs);
        let text = render(&budget);
        let parsed = parse(&text).expect("rendered by us");
        let made = [update::created(&runs), update::updated(&text, &parsed, &runs)];
        for text in made.into_iter().flatten() {
            let again = parse(&text);
            prop_assert!(again.is_ok(), "{:?}\n{}", again, text);
            let verdict = against_budget(&again.expect("just looked"), "b", &runs);
            prop_assert_eq!(verdict.outcome, Outcome::Pass, "{}\n{:?}", text, verdict.findings);
        }
    }
}
