//! Profiles with names that want escaping, for tests of the formats.

use std::collections::BTreeMap;

use serde_json::json;

use crate::profile::model::{
    CauseRow, CodeRow, Profile, ThreadCauseRow, ThreadRow, Unavailable, UserStack,
};

/// What has a meaning in one format or another.
const PIECES: [&str; 26] = [
    "a",
    "|",
    "`",
    "``",
    "\"",
    "\\",
    "\n",
    "\r\n",
    ";",
    ",",
    "<b>",
    "&amp;",
    "]]>",
    "{",
    "}",
    "=",
    " 12",
    "é",
    "漢",
    "\u{1f600}",
    "\t",
    "\u{1}",
    "*_",
    "[x](y)",
    "# EOF",
    "\u{2028}",
];

/// Names made of such pieces, the same ones each time.
pub(crate) fn random_names(count: usize) -> Vec<String> {
    let mut rng = workload::rng::Rng::new(1);
    let mut name = || -> String {
        let length = rng.below(6);
        (0..length)
            .filter_map(|_| rng.pick(&PIECES).copied())
            .collect()
    };
    (0..count).map(|_| name()).collect()
}

/// A profile with this name wherever a name may come from the target, and with
/// one entry that has no thread.
pub(crate) fn nasty(name: &str, stacks: bool) -> Profile {
    let phases = |count| BTreeMap::from([(name.to_owned(), count), ("steady".to_owned(), 1)]);
    let row = |detail: &str, count| ThreadCauseRow {
        cause: "interrupt".into(),
        detail: detail.to_owned(),
        count,
        phases: phases(count - 1),
        ..ThreadCauseRow::default()
    };
    let mut profile = empty();
    profile.target.command = vec![name.to_owned()];
    profile.ledger.by_cause = vec![CauseRow {
        cause: "interrupt".into(),
        detail: name.to_owned(),
        count: 8,
        phases: phases(7),
        ..CauseRow::default()
    }];
    profile.ledger.by_thread = vec![ThreadRow {
        tid: 7,
        tgid: 7,
        comm: name.to_owned(),
        total: 7,
        by_cause: vec![row(name, 7)],
    }];
    let file = Some(name.to_owned());
    profile.ledger.by_code = vec![CodeRow {
        cause: "interrupt".into(),
        detail: name.to_owned(),
        count: 5,
        tgid: 7,
        user_ip: "0x1".to_owned(),
        symbol: file.clone(),
        file,
        line: Some(1),
        module: Some(name.to_owned()),
        ..CodeRow::default()
    }];
    if stacks {
        profile.backend.stacks = "all".into();
        profile.ledger.user_stacks = vec![UserStack {
            cause: "interrupt".into(),
            detail: name.to_owned(),
            tgid: 7,
            count: 6,
            frames: vec![name.to_owned(), "main".to_owned()],
            truncated: None,
        }];
    }
    profile.ledger.total = 8;
    profile.accounting.losses.insert(name.to_owned(), 1);
    profile.accounting.inexact = vec![name.to_owned()];
    profile.accounting.unavailable = vec![Unavailable::new(
        crate::gap::Gap::ProbeNotAttached(name.to_owned()),
        name,
    )];
    profile.window.duration_ns = 1_000_000_000;
    profile
}

/// A profile of nothing.
pub(crate) fn empty() -> Profile {
    let host = crate::profile::model::Host::default();
    serde_json::from_value(json!({
        "schema_version": 1,
        "tool": {"name": "modeswitch", "version": "0", "git": "0"},
        "host": host,
        "target": {"command": [], "pid": null, "cpus": null, "user": null},
        "backend": {"name": "tracepoint", "probe": null, "reason": "", "stacks": "off"},
        "window": {"start": "2026-01-01T00:00:00.000Z", "duration_ns": 1, "phases": []},
        "exit": {"code": 0, "signal": null, "interrupted_by": null, "left_running": 0},
        "ledger": {"total": 0, "rates": crate::profile::model::Rates::default(),
            "by_cause": [], "by_thread": [], "by_code": [], "kernel_stacks": []},
        "memory": {"faults_by_kind": {}, "by_mapping": []},
        "io": null,
        "accounting": crate::profile::model::Accounting::default(),
        "advice": [],
    }))
    .expect("a profile")
}
