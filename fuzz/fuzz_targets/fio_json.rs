//! What a program called `fio` writes of its own numbers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modeswitch::experiment::fio;

fuzz_target!(|text: &[u8]| {
    let text = String::from_utf8_lossy(text);
    if let Ok(found) = fio::understand(&text) {
        assert!(found.iops.is_finite(), "JSON has no other numbers");
    }
});
