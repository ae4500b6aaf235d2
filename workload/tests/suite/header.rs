//! The C header against the Rust layout.

use std::{
    ffi::OsStr,
    fs,
    mem::{align_of, offset_of},
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    process::Command,
};

use profiler_common::phase::{
    COUNT, FD_VARIABLE, FIRST_CUSTOM, NAME_BYTES, PAGE_BYTES, PhasePage, SETUP, STEADY, TEARDOWN,
    UNMARKED,
};

use crate::support::{inherited_file, inherited_page, wide, word};

const PROGRAM: &str = r#"
#include "modeswitch_phase.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define FIELD(name) printf("%lu ", (unsigned long)offsetof(modeswitch_phase_page, name))

static void layout(void)
{
    FIELD(current); FIELD(marks); FIELD(entered_ns); FIELD(elapsed_ns); FIELD(names);
    printf("%lu %u %u %u %u %u %u %u %u %s\n", (unsigned long)sizeof(modeswitch_phase_page),
           MODESWITCH_PHASE_UNMARKED, MODESWITCH_PHASE_SETUP, MODESWITCH_PHASE_STEADY,
           MODESWITCH_PHASE_TEARDOWN, MODESWITCH_PHASE_FIRST_CUSTOM, MODESWITCH_PHASE_COUNT,
           MODESWITCH_PHASE_NAME_BYTES, MODESWITCH_PHASE_PAGE_BYTES,
           MODESWITCH_PHASE_FD_VARIABLE);
}

int main(void)
{
    modeswitch_phase_page *page = modeswitch_phase_open();

    layout();
    modeswitch_phase_enter(page, MODESWITCH_PHASE_SETUP);
    modeswitch_phase_name(page, 4, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\xc3\xa9");
    modeswitch_phase_name(page, 5, "index");
    modeswitch_phase_name(page, MODESWITCH_PHASE_STEADY, "no");
    modeswitch_phase_enter(page, 5);
    modeswitch_phase_close(page);
    return page == NULL ? 1 : 0;
}
"#;

/// Threads that leave a barrier together and mark. Each takes its time between
/// reading when the stay began and adding its length.
const CROWD: &str = r#"
#include <unistd.h>
#define __atomic_fetch_add(at, more, order) (usleep(50000), __sync_fetch_and_add(at, more))
#include "modeswitch_phase.h"
#include <pthread.h>

static modeswitch_phase_page *page;
static pthread_barrier_t barrier;

static void *mark(void *unused)
{
    pthread_barrier_wait(&barrier);
    modeswitch_phase_enter(page, MODESWITCH_PHASE_STEADY);
    return unused;
}

int main(void)
{
    pthread_t threads[8];
    int i;

    page = modeswitch_phase_open();
    pthread_barrier_init(&barrier, NULL, 8);
    modeswitch_phase_enter(page, MODESWITCH_PHASE_SETUP);
    usleep(300000);
    for (i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, mark, NULL);
    for (i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    return page == NULL;
}
"#;

/// Compiles a program with the header, or says that this cannot be done.
fn compiled(compiler: &str, options: &[&str], source: &str, program: &str) -> Option<PathBuf> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let source = directory.join(source);
    fs::write(&source, program).unwrap();
    let program = source.with_extension(compiler);
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../include");
    let mut command = Command::new(compiler);
    command
        .args(options)
        .args([
            "-D_DEFAULT_SOURCE",
            "-Wall",
            "-Wextra",
            "-pedantic",
            "-Werror",
            "-I",
        ])
        .args([include.as_os_str(), source.as_os_str(), OsStr::new("-o")])
        .arg(&program);
    match command.output() {
        Ok(output) => {
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            Some(program)
        }
        Err(error) => {
            eprintln!("skipped: {compiler}: {error}");
            None
        }
    }
}

/// What the compiled program must print.
fn layout() -> String {
    let numbers = [
        offset_of!(PhasePage, current),
        offset_of!(PhasePage, marks),
        offset_of!(PhasePage, entered_ns),
        offset_of!(PhasePage, elapsed_ns),
        offset_of!(PhasePage, names),
        size_of::<PhasePage>(),
        UNMARKED as usize,
        SETUP as usize,
        STEADY as usize,
        TEARDOWN as usize,
        FIRST_CUSTOM as usize,
        COUNT,
        NAME_BYTES,
        PAGE_BYTES,
    ]
    .map(|number| number.to_string());
    format!("{} {FD_VARIABLE}\n", numbers.join(" "))
}

fn check(program: &Path) {
    let page = inherited_page();
    let output = Command::new(program)
        .env(FD_VARIABLE, page.as_raw_fd().to_string())
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), layout());
    assert_eq!(word(&page, offset_of!(PhasePage, current)), 5);
    assert_eq!(word(&page, offset_of!(PhasePage, marks)), 2);
    assert!(wide(&page, offset_of!(PhasePage, entered_ns)) > 0);

    let mut names = [[0_u8; NAME_BYTES]; 6];
    let start = offset_of!(PhasePage, names) as u64;
    std::os::unix::fs::FileExt::read_exact_at(&page, names.as_flattened_mut(), start).unwrap();
    assert_eq!(names[STEADY as usize], [0; NAME_BYTES]);
    let cut = std::str::from_utf8(&names[4]).unwrap();
    assert_eq!(
        cut.trim_end_matches('\0'),
        "x".repeat(31),
        "cut in a character"
    );
    assert_eq!(&names[5][..6], b"index\0");

    let other = inherited_file();
    other.set_len(PAGE_BYTES as u64).unwrap();
    let output = Command::new(program)
        .env(FD_VARIABLE, other.as_raw_fd().to_string())
        .output();
    assert_eq!(output.unwrap().status.code(), Some(1), "another file");
    assert_eq!(word(&other, 0), 0, "and nothing is written to it");

    let output = Command::new(program).env_remove(FD_VARIABLE).output();
    assert_eq!(
        output.unwrap().status.code(),
        Some(1),
        "no profiler, no page"
    );
}

#[test]
fn c_and_rust_agree_on_layout_and_marks() {
    assert_eq!(align_of::<PhasePage>(), 8);
    if let Some(program) = compiled("cc", &["-std=c99"], "phase.c", PROGRAM) {
        check(&program);
    }
}

#[test]
fn the_header_is_also_cpp() {
    let options = ["-std=c++98", "-Wno-long-long"];
    if let Some(program) = compiled("c++", &options, "phase.cpp", PROGRAM) {
        check(&program);
    }
}

/// Threads that mark at the same time count no moment twice.
#[test]
fn concurrent_marks_count_each_moment_once() {
    let Some(program) = compiled("cc", &["-std=gnu99", "-pthread"], "crowd.c", CROWD) else {
        return;
    };
    let page = inherited_page();
    let began = std::time::Instant::now();
    let mut command = Command::new(program);
    let command = command.env(FD_VARIABLE, page.as_raw_fd().to_string());
    assert!(command.status().unwrap().success());
    let most = u64::try_from(began.elapsed().as_nanos()).unwrap();
    let elapsed = offset_of!(PhasePage, elapsed_ns);
    let sum: u64 = (0..COUNT).map(|slot| wide(&page, elapsed + slot * 8)).sum();
    assert!(sum >= 300_000_000 && sum <= most, "{sum} in {most}");
    assert_eq!(word(&page, offset_of!(PhasePage, marks)), 9);
}
