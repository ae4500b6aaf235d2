//! A budget from anywhere: whatever it says, it is refused with its place, or it
//! judges a real run without a panic, and can be written anew from that run.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use modeswitch::{
    gate::{
        judge::{Named, against_budget},
        parse::parse,
        update,
    },
    profile::merge::programs::By,
    report::{
        export::{Surface, write},
        format::DocumentKind,
        style::Look,
    },
};

/// A run that strays, and one that lost entries.
static RUNS: LazyLock<[Vec<Named>; 2]> = LazyLock::new(|| {
    let stray = include_bytes!("../../profiler/tests/data/gate/stray.json");
    let lossy = include_bytes!("../../profiler/tests/data/gate/lossy.json");
    [("stray", &stray[..]), ("lossy", &lossy[..])].map(|(name, document)| {
        vec![Named {
            name: name.to_owned(),
            profile: serde_json::from_slice(document).expect("saved by modeswitch"),
        }]
    })
});

fuzz_target!(|text: &str| {
    let Ok(parsed) = parse(text) else { return };
    for runs in RUNS.iter() {
        let verdict = against_budget(&parsed, "budget.toml", runs);
        for format in DocumentKind::Check.formats() {
            let surface = Surface {
                look: Look { columns: Some(70) },
                by: By::default(),
                sources: None,
            };
            write(&verdict, format, &surface, &mut Vec::new()).expect("memory can be written");
        }
        if let Ok(anew) = update::updated(text, &parsed, runs) {
            assert!(parse(&anew).is_ok(), "{anew}");
        }
    }
});
