//! End-to-end tests of the `modeswitch` binary.
//!
//! Tests whose names begin with `root_` need to load eBPF programs. Without the
//! privileges they print why they are skipped; with `MODESWITCH_REQUIRE_ROOT=1`
//! that is a failure.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says why and fails, or that it is skipped"
)]

mod architecture;
mod bad_input;
mod command_line;
mod compare;
mod documentation;
mod format_readers;
mod formats;
mod formats_views;
mod gate_output;
mod help;
mod hostile;
mod html;
mod html_browser;
mod html_hostile;
mod merge;
mod replay;
mod root_advice;
mod root_causes;
mod root_classic;
mod root_code;
mod root_counts;
mod root_cpus;
mod root_endings;
mod root_experiment;
mod root_fallback;
mod root_faults;
mod root_fixes;
mod root_flatline;
mod root_gate;
mod root_injection;
mod root_interruption;
mod root_interrupts;
mod root_lives;
mod root_losses;
mod root_memory;
mod root_numa;
mod root_perf;
mod root_polled;
mod root_polling;
mod root_stacks;
mod root_timeline;
mod root_user_code;
mod root_variants;
mod schema;
mod support;
