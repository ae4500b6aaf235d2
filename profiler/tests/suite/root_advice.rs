//! Advice on real runs: what is provoked is found, with its number and the place, and
//! nothing is advised that would not help.

use std::fs;

use serde_json::Value;

use crate::{
    needs_root,
    root_polled::is_lab,
    support::{
        known::assert_known,
        profile::{Json, causes, counts, faults},
        setting::Settings,
        skip::{skip, skip_here},
    },
};

/// The piece whose finding has these words.
#[track_caller]
fn found<'a>(profile: &'a Json, words: &str) -> &'a Value {
    let list = profile.0["advice"].as_array().expect("a list");
    let mut pieces = list.iter();
    let piece = pieces.find(|piece| text(piece, "finding").contains(words));
    assert!(piece.is_some(), "no `{words}`: {list:?}");
    piece.unwrap_or(&Value::Null)
}

fn text<'a>(piece: &'a Value, field: &str) -> &'a str {
    piece[field].as_str().unwrap_or_default()
}

/// Asserts that a piece says what it rests on, what to do, and what that saves.
#[track_caller]
fn assert_piece(piece: &Value, evidence: &[&str], fix: &str, saves: u64) {
    for words in evidence {
        assert!(text(piece, "evidence").contains(words), "{words}: {piece}");
    }
    assert!(text(piece, "fix").contains(fix), "{piece}");
    assert_eq!(piece["saves"].as_u64(), Some(saves), "{piece}");
    let saving = text(piece, "expected_saving");
    assert!(
        saving.starts_with("up to ") && saving.ends_with("steady state"),
        "{piece}"
    );
}

/// Memory touched for the first time: populate it, by the name of its maker.
#[test]
fn root_advice_to_populate() {
    needs_root!("root_advice_to_populate");
    let profile = faults(&[], &["touch", "3000"]);
    let piece = found(&profile, "first time");
    let evidence = [
        "3,000 first-touch",
        "anonymous of 12,000 KiB, made by alone",
    ];
    assert_piece(piece, &evidence, "MAP_POPULATE", 3000);
}

/// Pages shared with children: fork elsewhere, by the number of forks; and pages that
/// were only read so far, where nobody forked.
#[test]
fn root_advice_on_copies() {
    needs_root!("root_advice_on_copies");
    let profile = faults(&[], &["cow", "50"]);
    let copies = profile.count_in("page_fault", "copy_on_write", "steady");
    let piece = found(&profile, "copied");
    assert_piece(piece, &["50 calls of fork"], "MADV_DONTFORK", copies);
    let profile = faults(&[], &["zero", "500"]);
    let evidence = ["500 copy-on-write", "no fork", "anonymous of 2,000 KiB"];
    assert_piece(
        found(&profile, "copied"),
        &evidence,
        "only read so far",
        500,
    );
}

/// What another thread's `mprotect` interrupts is traced to it: by its calls, and by
/// its number where senders are looked at.
#[test]
fn root_advice_on_shootdowns() {
    needs_root!("root_advice_on_shootdowns");
    if modeswitch::measure::affinity::allowed().len() < 2 {
        return skip("root_advice_on_shootdowns", "needs two CPUs");
    }
    for options in [&[][..], &["--senders"]] {
        let profile = causes(options, &["shoot", "1000"]);
        let piece = found(&profile, "TLB shootdowns");
        let rows = profile.0["ledger"]["by_cause"].as_array().expect("a list");
        let hits: u64 = rows
            .iter()
            .flat_map(|row| row["purposes"].as_array().map_or(&[][..], Vec::as_slice))
            .filter(|purpose| purpose["purpose"] == "tlb_shootdown")
            .filter_map(|purpose| purpose["phases"]["steady"].as_u64())
            .sum();
        assert!(hits > 0, "{piece}");
        assert_piece(piece, &["mprotect"], "keep that thread from", hits);
        let names_thread = text(piece, "evidence").contains("(causes) asked for");
        assert_eq!(names_thread, !profile.0["senders"].is_null(), "{piece}");
    }
}

/// Ticks on a CPU that does one thing: the kernel's setting, and why it does not help
/// where it is set.
#[test]
fn root_advice_on_ticks() {
    needs_root!("root_advice_on_ticks");
    let profile = counts(&[], &["spin", "500"]);
    let ticks = profile.count_in("interrupt", "local_timer", "steady");
    if ticks == 0 {
        return skip_here("root_advice_on_ticks", "no tick in half a second");
    }
    let piece = found(&profile, "tick");
    assert_piece(piece, &["nohz_full"], "", ticks);
}

const CLOCK: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
const CLOCKS: &str = "/sys/devices/system/clocksource/clocksource0/available_clocksource";

/// Reading the time is a call if the kernel's clock cannot be read in user mode, and
/// then only is there something to say.
#[test]
fn root_advice_on_clocks() {
    needs_root!("root_advice_on_clocks");
    let quiet = counts(&[], &["clock", "1000"]);
    let calls = quiet.count_in("syscall", "clock_gettime", "steady");
    let source = quiet.0["host"]["clocksource"].as_str().unwrap_or_default();
    if ["tsc", "kvm-clock"].contains(&source) {
        assert_known(&quiet, "reading the time", 0, calls);
        let list = quiet.0["advice"].as_array().expect("a list");
        let is_clock = |piece: &Value| text(piece, "finding").contains("time enters");
        assert!(!list.iter().any(is_clock), "{list:?}");
    }
    let available = fs::read_to_string(CLOCKS).unwrap_or_default();
    let slow = ["acpi_pm", "hpet"]
        .into_iter()
        .find(|name| available.contains(name));
    let (true, Some(slow)) = (is_lab(), slow) else {
        return skip_here(
            "root_advice_on_clocks",
            "needs a lab guest with a slow clock",
        );
    };
    let mut settings = Settings::default();
    settings.set(CLOCK, slow).expect("root may");
    let profile = counts(&[], &["clock", "1000"]);
    drop(settings);
    let calls = profile.count_in("syscall", "clock_gettime", "steady");
    // And once more to say when the phase ended.
    assert_known(&profile, "reading the time, slow clock", 1001, calls);
    let piece = found(&profile, "time enters");
    assert_piece(piece, &["1,001 calls", slow], "clocksource=tsc", 1001);
}
