//! What a failing test has seen is kept: counts that were wrong once have to be
//! explained from that one run.

use std::{
    cell::RefCell,
    env, fs,
    path::{Path, PathBuf},
    process::Output,
    thread,
};

thread_local! {
    /// Documents, messages and what witnesses said, in the order of the test.
    static SEEN: RefCell<Vec<(&'static str, Vec<u8>)>> = const { RefCell::new(Vec::new()) };
}

/// Writes what the test has seen to `failed/TEST`, if it fails: below
/// `MODESWITCH_LAB_RESULTS` in the lab, else where cargo keeps the tests' files.
pub(crate) struct Evidence {
    folder: PathBuf,
}

impl Evidence {
    pub(crate) fn of(test: &str) -> Self {
        SEEN.take();
        let root = env::var_os("MODESWITCH_LAB_RESULTS").map_or_else(
            || Path::new(env!("CARGO_TARGET_TMPDIR")).into(),
            PathBuf::from,
        );
        // The lab runs a test once for each backend.
        let backend = env::var("MODESWITCH_TEST_BACKEND").unwrap_or_default();
        Self {
            folder: root.join("failed").join(backend).join(test),
        }
    }
}

impl Drop for Evidence {
    fn drop(&mut self) {
        // An earlier run's would be taken for this one's.
        let _ = fs::remove_dir_all(&self.folder);
        if !thread::panicking() {
            return;
        }
        let written = fs::create_dir_all(&self.folder).and_then(|()| {
            for (number, (name, content)) in SEEN.take().iter().enumerate() {
                fs::write(self.folder.join(format!("{number}-{name}")), content)?;
            }
            Ok(())
        });
        let folder = self.folder.display();
        match written {
            Ok(()) => println!("EVIDENCE {folder}"),
            Err(error) => println!("what the test has seen could not be kept in {folder}: {error}"),
        }
    }
}

/// Notes a text that a witness gave or a program printed.
pub(crate) fn note(name: &'static str, content: impl Into<Vec<u8>>) {
    SEEN.with_borrow_mut(|seen| seen.push((name, content.into())));
}

/// Notes what modeswitch printed.
pub(crate) fn note_output(output: &Output) {
    note("stdout.json", output.stdout.as_slice());
    note("stderr.txt", output.stderr.as_slice());
}

#[test]
fn only_a_failing_tests_evidence_is_kept() {
    let run = |fails: bool| {
        let test = if fails {
            "evidence_of_failure"
        } else {
            "evidence_of_success"
        };
        let thread = thread::spawn(move || {
            let evidence = Evidence::of(test);
            note("witness.txt", "5 returns");
            let folder = evidence.folder.clone();
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(folder.join("old"), "").expect("a file");
            let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                let _evidence = evidence;
                assert!(!fails, "as it should");
            }));
            assert_eq!(failed.is_err(), fails);
            folder
        });
        thread.join().expect("no failure but that one")
    };
    assert!(!run(false).exists());
    let folder = run(true);
    let names: Vec<_> = fs::read_dir(&folder).expect("kept").collect();
    assert_eq!(names.len(), 1, "nothing of an earlier run: {names:?}");
    let kept = fs::read_to_string(folder.join("0-witness.txt"));
    assert_eq!(kept.expect("the witness's words"), "5 returns");
    fs::remove_dir_all(&folder).expect("a folder");
}
