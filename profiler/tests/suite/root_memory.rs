//! Page faults of the less usual memory, beside what the kernel has counted of the
//! same thread meanwhile.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    needs_root,
    support::{
        known::assert_known_of,
        profile::{Json, faults_witnessed},
        setting::Settings,
        skip::skip_here,
    },
};

/// What the target exits with where this machine cannot do what it is asked for.
const CANNOT: i64 = 77;

/// A run in which the kernel's counts of the faults in steady state agree with ours.
struct Run {
    profile: Json,
    /// Faults for which the thread had to wait, by `getrusage`.
    major: u64,
    /// How many faults there should be, if only the program can know.
    expected: Option<u64>,
}

impl Run {
    fn steady(&self, kind: &str) -> u64 {
        self.profile.count_in("page_fault", kind, "steady")
    }

    /// Asserts that in steady state there were these faults, and no others.
    #[track_caller]
    fn assert_only(&self, name: &str, kind: &str, expected: u64) {
        assert_known_of(
            "page_fault",
            &self.profile,
            name,
            expected,
            self.steady(kind),
        );
        assert_eq!(self.profile.of_cause_in("page_fault", "steady"), expected);
    }

    /// Of the mapping that had most faults in steady state: what it is, faults, pages.
    fn busiest(&self) -> (String, u64, u64) {
        let rows = self.profile.0["memory"]["by_mapping"].as_array();
        let rows = rows.expect("a list").iter();
        let row = rows.max_by_key(|row| row["phases"]["steady"].as_u64().unwrap_or(0));
        let row = row.expect("some mapping had faults");
        let number = |name: &str| row[name].as_u64().expect("a number");
        let kind = row["kind"].as_str().expect("a name").to_owned();
        (kind, number("faults"), number("distinct_pages"))
    }
}

/// Measures a mode of the target. None where this machine cannot do it.
///
/// Accesses that are forbidden are no faults to `getrusage`; all others are, and a
/// fault that the kernel takes itself would be. The target makes none.
#[track_caller]
fn measured(test: &str, arguments: &[&str]) -> Option<Run> {
    let witness = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.witness"));
    // A file of the last run must not speak for this one.
    let _ = fs::remove_file(&witness);
    let profile = faults_witnessed(&[], arguments, &witness);
    if profile.0["exit"]["code"] == CANNOT {
        skip_here(test, "this machine cannot do it");
        return None;
    }
    assert_eq!(profile.0["exit"]["code"], 0, "{}", profile.0["exit"]);
    profile.assert_accounted();
    let text = fs::read_to_string(&witness).expect("the target has testified");
    let numbers: Vec<i64> = text
        .split_whitespace()
        .map(|word| word.parse().expect("a number"))
        .collect();
    let number = |index: usize| u64::try_from(numbers[index]).ok();
    let (minor, major) = (number(0).expect("a count"), number(1).expect("a count"));
    let ours = profile.of_cause_in("page_fault", "steady");
    let forbidden = profile.count_in("page_fault", "protection", "steady");
    assert_eq!(
        ours - forbidden,
        minor + major,
        "faults, and by getrusage: {minor} minor and {major} major; {}",
        profile.0["memory"]["faults_by_kind"]
    );
    Some(Run {
        expected: number(2),
        major,
        profile,
    })
}

/// Events of the whole machine so far.
fn machine(counter: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/vmstat").ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(counter))?;
    rest.trim().parse().ok()
}

/// A folder on a disk, also in a guest of the lab.
fn on_disk() -> PathBuf {
    PathBuf::from("/var/tmp")
}

/// The type of the file system that holds a folder.
fn file_system(folder: &Path) -> String {
    let mut stat = Command::new("stat");
    let output = stat.args(["-f", "-c", "%T"]).arg(folder).output();
    String::from_utf8_lossy(&output.expect("stat starts").stdout)
        .trim()
        .to_owned()
}

/// A swap file, taken out of use in the end.
struct SwapFile(PathBuf);

impl SwapFile {
    fn start() -> Result<Self, String> {
        let path = on_disk().join(format!("modeswitch-swap-{}", std::process::id()));
        let run = |program: &str, arguments: &[&str]| {
            let mut command = Command::new(program);
            let output = command.args(arguments).arg(&path).output();
            let output = output.map_err(|error| format!("{program}: {error}"))?;
            if output.status.success() {
                return Ok(());
            }
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            Err(format!("{program}: {}", said.trim()))
        };
        let zeros = vec![0; 32 << 20];
        fs::write(&path, zeros).map_err(|error| error.to_string())?;
        let file = Self(path.clone());
        run("chmod", &["600"])?;
        run("mkswap", &[])?;
        run("swapon", &[])?;
        Ok(file)
    }
}

impl Drop for SwapFile {
    fn drop(&mut self) {
        // It may not have been in use.
        let _ = Command::new("swapoff").arg(&self.0).output();
        let _ = fs::remove_file(&self.0);
    }
}

/// Pages that were swapped out come back one fault each, and those that had to be
/// read are major ones, as many as the kernel says.
#[test]
fn root_fault_swap_in() {
    needs_root!("root_fault_swap_in");
    let test = "root_fault_swap_in";
    let swap = match SwapFile::start() {
        Ok(swap) => swap,
        Err(reason) => return skip_here(test, &format!("no swap space: {reason}")),
    };
    let run = measured(test, &["swap", "400"]);
    drop(swap);
    let Some(run) = run else {
        return;
    };
    let expected = run.expected.expect("the target has looked");
    run.assert_only("swapped in", "swap_in", expected);
    let (kind, faults, pages) = run.busiest();
    assert_eq!(kind, "anonymous");
    // Each page also had a first touch, when nothing was measured yet.
    assert_eq!((faults, pages), (400 + expected, 400));
    let rows = run.profile.0["ledger"]["by_cause"].as_array();
    let major: u64 = rows
        .expect("a list")
        .iter()
        .filter(|row| row["cause"] == "page_fault" && row["detail"] == "swap_in")
        .filter_map(|row| row["major"].as_u64())
        .sum();
    // None, where writing them out had not ended: then they were still in memory.
    assert_known_of(
        "page_fault",
        &run.profile,
        "swapped in, major",
        run.major,
        major,
    );
}

/// Huge pages set aside beforehand: one fault for each.
#[test]
fn root_fault_hugetlb() {
    needs_root!("root_fault_hugetlb");
    let test = "root_fault_hugetlb";
    let setting = "/proc/sys/vm/nr_hugepages";
    let mut settings = Settings::default();
    if settings.set(setting, "8").is_err() {
        return skip_here(test, "this kernel has no huge pages");
    }
    let got = fs::read_to_string(setting).unwrap_or_default();
    let run = (got.trim() == "8").then(|| measured(test, &["hugetlb", "6"]));
    drop(settings);
    let Some(run) = run else {
        return skip_here(test, "the memory for huge pages is not there in one piece");
    };
    let Some(run) = run else {
        return;
    };
    run.assert_only("huge pages", "first_touch", 6);
    assert_eq!(run.busiest(), ("hugetlb".to_owned(), 6, 6));
}

/// Transparent huge pages take one fault where small ones take 512.
#[test]
fn root_fault_transparent_huge_pages() {
    needs_root!("root_fault_transparent_huge_pages");
    let test = "root_fault_transparent_huge_pages";
    let before = machine("thp_fault_alloc ");
    let Some(run) = measured(test, &["thp", "4"]) else {
        return;
    };
    let (Some(before), Some(after)) = (before, machine("thp_fault_alloc ")) else {
        return skip_here(test, "this kernel has no transparent huge pages");
    };
    let setting = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled");
    if setting.is_ok_and(|text| text.contains("[never]")) {
        assert_eq!(run.steady("first_touch"), 4 * 512, "small pages only");
        return skip_here(test, "transparent huge pages are switched off");
    }
    let faults = run.steady("first_touch");
    run.assert_only("transparent huge pages", "first_touch", faults);
    // Where memory was in pieces, the rest is of small pages; other programs of the
    // machine may have got huge ones, too.
    let huge = (4 * 512 - faults) / 511;
    assert_eq!(faults, huge + (4 - huge) * 512);
    assert!(huge <= after - before, "{huge} of {}", after - before);
    assert!(
        huge > 0,
        "none of 4 huge pages was to be had: {faults} faults"
    );
    assert_eq!(run.busiest(), ("anonymous".to_owned(), faults, faults));
}

/// A file system that keeps track of written pages is told of each first write since
/// they were last clean; memory that is a file has nobody to tell.
#[test]
fn root_fault_write_notify() {
    needs_root!("root_fault_write_notify");
    let test = "root_fault_write_notify";
    let cases = [(on_disk(), 300), (PathBuf::from("/dev/shm"), 0)];
    for (folder, expected) in cases {
        let found = file_system(&folder);
        let is_right = match expected {
            0 => found == "tmpfs",
            _ => ["ext2/ext3", "xfs", "btrfs"].contains(&found.as_str()),
        };
        if !is_right {
            skip_here(test, &format!("{} is {found}", folder.display()));
            continue;
        }
        let file = folder.join(format!("modeswitch-notify-{}", std::process::id()));
        let run = measured(test, &["notify", "300", &file.to_string_lossy()]);
        // It may not have been made.
        let _ = fs::remove_file(&file);
        let Some(run) = run else {
            continue;
        };
        run.assert_only(&format!("write notify, {found}"), "write_notify", expected);
    }
}

/// An access that a handler then allows is one violation, and what the kernel does
/// when it is tried again is told apart from it.
#[test]
fn root_fault_allowed_by_a_handler() {
    needs_root!("root_fault_allowed_by_a_handler");
    let Some(run) = measured("root_fault_allowed_by_a_handler", &["guard", "100"]) else {
        return;
    };
    let steady = run.steady("protection");
    assert_known_of(
        "page_fault",
        &run.profile,
        "allowed by a handler",
        100,
        steady,
    );
    // Some kernels make the page writable at once, others when it is written to.
    let others = run.profile.of_cause_in("page_fault", "steady") - steady;
    assert_eq!(run.steady("copy_on_write"), others);
    assert!(others == 0 || others == 100, "{others}");
    assert_eq!(
        run.profile.count_in("syscall", "rt_sigreturn", "steady"),
        100
    );
}

/// A file that has to be read is one major fault each time, by the kernel's own
/// count too, and none when it is there.
#[test]
fn root_fault_major_faults_of_files() {
    needs_root!("root_fault_major_faults_of_files");
    let test = "root_fault_major_faults_of_files";
    let file = on_disk().join(format!("modeswitch-cold-{}", std::process::id()));
    fs::write(&file, vec![1; 60 << 16]).expect("room on the disk");
    // Only clean pages can be dropped.
    assert!(Command::new("sync").arg(&file).status().is_ok());
    let run = measured(test, &["cold", "60", &file.to_string_lossy()]);
    let _ = fs::remove_file(&file);
    let Some(run) = run else {
        return;
    };
    run.assert_only("read from a file", "file_major", 60);
    assert_eq!(run.major, 60);
}
