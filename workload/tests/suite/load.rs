//! Small runs, judged by their own summaries.

use std::{fs, io::Read, mem::offset_of, os::fd::AsRawFd, process::Stdio};

use profiler_common::phase::{PAGE_BYTES, PhasePage};
use workload::{
    phase::{SETUP, STEADY, TEARDOWN},
    summary::{IoSummary, ServedBy},
};

use crate::support::{
    finished, inherited_file, inherited_memory, inherited_page, wide, word, workload,
};

/// A run's summary from its stdout.
fn summary(options: &str) -> Option<IoSummary> {
    let output = finished(&mut workload(&format!("{options} --format json")))?;
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn a_run_without_a_device_does_exactly_what_it_was_told() {
    let Some(summary) = summary("--nop --ios 10k --depth 32") else {
        return;
    };
    assert_eq!(
        (summary.ios, summary.errors, summary.depth),
        (10_000, 0, 32)
    );
    assert_eq!(summary.polling.sqes_by.sq_thread, Some(10_000));
    assert!(summary.flags.contains(&"SQPOLL".to_owned()));
    assert!(summary.polling.sq_thread.is_some());
    assert!(summary.latency_ns.p9999.is_some());
    assert_eq!(summary.latency_ns.p99999, None);
}

/// No device serves the file of holes that is read where no other is named, and none
/// is blamed.
#[test]
fn a_sparse_file_is_served_by_no_device() {
    let Some(found) = summary("--size 64M --ios 1k") else {
        return;
    };
    assert_eq!(found.served_by, Some(ServedBy::Holes));
    assert_eq!(found.polling.device_irqs, None);
    assert!(
        !found.notes.iter().any(|note| note.contains("poll queues")),
        "{:?}",
        found.notes
    );
    let Some(output) = finished(&mut workload("--size 64M --ios 1k")) else {
        return;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let first: Vec<&str> = text.lines().take(2).collect();
    assert!(first[1].contains("no device is involved"), "{first:?}");
}

#[test]
fn a_sparse_file_of_our_own_is_read_without_errors_in_every_mode() {
    for mode in ["auto", "sqpoll", "interrupt"] {
        let Some(summary) = summary(&format!("--size 64M --ios 20k --mode {mode}")) else {
            return;
        };
        assert_eq!((summary.ios, summary.errors), (20_000, 0), "{mode}");
        let by_thread = if mode == "interrupt" { 0 } else { 20_000 };
        assert_eq!(summary.polling.sqes_by.sq_thread, Some(by_thread), "{mode}");
    }
}

#[test]
fn a_given_file_is_read_and_not_written_to() {
    let file = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let contents: Vec<u8> = (0..=u8::MAX).cycle().take(1 << 20).collect();
    fs::write(file.path(), &contents).unwrap();
    // 2048 blocks, three times over.
    let options = format!("--file {} --ios 6144", file.path().display());
    let Some(summary) = summary(&options) else {
        return;
    };
    assert_eq!((summary.ios, summary.errors, summary.passes), (6_144, 0, 2));
    assert_eq!(fs::read(file.path()).unwrap(), contents);
}

#[test]
fn the_summary_is_handed_to_the_profiler_and_replaces_what_was_there() {
    let metrics = inherited_memory(workload::metrics::FILE_NAME);
    std::os::unix::fs::FileExt::write_all_at(&metrics, &vec![b'x'; 100_000], 0).unwrap();
    let mut command = workload("--nop --ios 1000 --format json");
    command.env(
        workload::metrics::FD_VARIABLE,
        metrics.as_raw_fd().to_string(),
    );
    let Some(output) = finished(&mut command) else {
        return;
    };
    let mut text = vec![0; usize::try_from(metrics.metadata().unwrap().len()).unwrap()];
    std::os::unix::fs::FileExt::read_exact_at(&metrics, &mut text, 0).unwrap();
    let handed: IoSummary = serde_json::from_slice(&text).unwrap();
    let printed: IoSummary = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(handed, printed);
}

/// A program may have inherited the variables and other files under their numbers.
#[test]
fn what_is_no_file_of_the_profiler_is_left_alone() {
    let files = [inherited_file(), inherited_memory(c"modeswitch-metric")];
    for file in files {
        let contents = vec![b'x'; PAGE_BYTES];
        std::os::unix::fs::FileExt::write_all_at(&file, &contents, 0).unwrap();
        let mut command = workload("--nop --ios 1000 --format json");
        for variable in [workload::metrics::FD_VARIABLE, workload::phase::FD_VARIABLE] {
            command.env(variable, file.as_raw_fd().to_string());
        }
        let Some(output) = finished(&mut command) else {
            return;
        };
        let mut found = vec![0; PAGE_BYTES + 1];
        let length = std::os::unix::fs::FileExt::read_at(&file, &mut found, 0).unwrap();
        assert_eq!(found[..length], contents);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("something else by now"), "{said}");
    }
}

#[test]
fn phases_are_marked_in_order_and_steady_lasts_as_long_as_the_summary_says() {
    let page = inherited_page();
    let mut command = workload("--nop --duration 50ms --format json");
    command.env(workload::phase::FD_VARIABLE, page.as_raw_fd().to_string());
    let Some(output) = finished(&mut command) else {
        return;
    };
    let summary: IoSummary = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(word(&page, offset_of!(PhasePage, current)), TEARDOWN);
    assert_eq!(word(&page, offset_of!(PhasePage, marks)), 3);
    let elapsed = |phase: u32| {
        let start = offset_of!(PhasePage, elapsed_ns);
        wide(&page, start + phase as usize * size_of::<u64>())
    };
    // The marks enclose what the summary times, by clocks that differ a little.
    let slack = summary.duration_ns / 1000;
    assert!(elapsed(STEADY) + slack >= summary.duration_ns);
    assert!(summary.duration_ns + slack >= 50_000_000);
    assert!(elapsed(SETUP) > 0);
}

#[test]
fn a_signal_ends_a_run_in_order_and_the_summary_is_still_printed() {
    let page = inherited_page();
    let mut command = workload("--nop --duration 600m --format json");
    command.env(workload::phase::FD_VARIABLE, page.as_raw_fd().to_string());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while word(&page, 0) != STEADY {
        if let Some(status) = child.try_wait().unwrap() {
            assert_eq!(status.code(), Some(3), "ended before steady state");
            eprintln!("skipped: io_uring cannot be used here");
            return;
        }
        std::thread::yield_now();
    }
    // SAFETY: the child is ours and not yet waited for, so the id is its own.
    let sent = unsafe { libc::kill(child.id().cast_signed(), libc::SIGTERM) };
    assert_eq!(sent, 0);
    let mut text = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert!(child.wait().unwrap().success());
    let summary: IoSummary = serde_json::from_str(&text).unwrap();
    assert_eq!(summary.errors, 0);
    assert_eq!(word(&page, 0), TEARDOWN);
}

#[test]
fn text_and_json_go_to_stdout_and_notes_to_stderr_too() {
    let Some(output) = finished(&mut workload("--nop --ios 1000")) else {
        return;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    for label in ["target", "ring", "result", "latency", "bitmap", "polling"] {
        assert!(text.lines().any(|line| line.starts_with(label)), "{text}");
    }
    let errors = String::from_utf8(output.stderr).unwrap();
    let notes = text.lines().filter(|line| line.starts_with("note")).count();
    assert_eq!(errors.lines().count(), notes, "{errors}");
}
