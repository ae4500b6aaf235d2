//! A saved experiment from anywhere is refused, or reported without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modeswitch::{
    experiment::model::Experiment,
    profile::merge::programs::By,
    report::{
        export::{self, Surface},
        format::DocumentKind,
        style::Look,
    },
};

fuzz_target!(|document: &[u8]| {
    let Ok(experiment) = serde_json::from_slice::<Experiment>(document) else {
        return;
    };
    let mut out = Vec::new();
    let look = Look { columns: Some(70) };
    let surface = Surface {
        look,
        by: By::default(),
        sources: None,
    };
    for format in DocumentKind::Experiment.formats() {
        export::write(&experiment, format, &surface, &mut out).expect("memory can be written");
    }
    serde_json::to_vec(&experiment).expect("what was read can be written");
});
