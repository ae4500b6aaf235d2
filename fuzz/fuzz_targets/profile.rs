//! A saved profile from anywhere: whatever it says, it is refused, or reported
//! and compared without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modeswitch::{
    compare::{build, side::Group},
    profile::{merge::programs::By, model::Profile},
    report::{
        export::{self, Surface},
        format::DocumentKind,
        style::Look,
    },
};

fuzz_target!(|document: &[u8]| {
    let Ok(profile) = serde_json::from_slice::<Profile>(document) else {
        return;
    };
    let mut out = Vec::new();
    let look = Look { columns: Some(70) };
    let surface = Surface {
        look,
        by: By::default(),
        sources: None,
    };
    for format in DocumentKind::Profile.formats() {
        export::write(&profile, format, &surface, &mut out).expect("memory can be written");
    }
    let saved = serde_json::to_vec(&profile).expect("what was read can be written");
    let again: Profile = serde_json::from_slice(&saved).expect("and read again");
    let mut other = again;
    other.window.duration_ns /= 3;
    other.ledger.by_cause.pop();
    other.ledger.by_code.pop();
    let side = |label: &str, profiles: Vec<Profile>| Group {
        label: label.to_owned(),
        files: Vec::new(),
        profiles,
    };
    let tool = profile.tool.clone();
    let groups = [side("a", vec![profile]), side("b", vec![other])];
    let found = build::compare(&groups, tool);
    for format in DocumentKind::Comparison.formats() {
        export::write(&found, format, &surface, &mut out).expect("memory can be written");
    }
    serde_json::to_vec(&found).expect("a comparison can be written");
});
