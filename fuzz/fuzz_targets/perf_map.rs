//! `/tmp/perf-PID.map` is written by the measured program, or by anybody else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modeswitch::symbolize::perf_map::PerfMap;

fuzz_target!(|input: (u64, &[u8])| {
    let (address, text) = input;
    let text = String::from_utf8_lossy(text);
    let map = PerfMap::parse(&text);
    for address in [address, 0, u64::MAX, address.wrapping_add(1)] {
        if let Some(name) = map.find(address) {
            assert!(!name.is_empty() && text.contains(name));
        }
    }
});
