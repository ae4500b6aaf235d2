//! The names of mappings are chosen by the measured program.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modeswitch::collect::mappings::proc_maps;

fuzz_target!(|text: &[u8]| {
    let text = String::from_utf8_lossy(text);
    let found = proc_maps::parse(&text);
    assert!(found.len() <= text.lines().count());
});
