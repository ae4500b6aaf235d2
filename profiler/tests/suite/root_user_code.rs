//! More of where faults and memory come from: C++, a C library without unwind tables,
//! names that strangers left, and processes that were running already.

use std::{
    fs,
    io::Write,
    os::unix::fs::{chown, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    needs_root,
    support::{
        background::Background,
        builds::{build, code, folder, line},
        command,
        profile::{Json, from_output},
        skip,
    },
};

/// Pages that each buffer has, but for the one touched by the allocator.
const PAGES: u64 = 299;

#[track_caller]
fn measured(words: &[&Path]) -> Json {
    let mut command = command::measuring("run");
    command.args(["--format", "json", "--"]).args(words);
    let profile = from_output(&command.output().expect("the binary starts"));
    assert_eq!(profile.0["exit"]["code"], 0, "{}", profile.0["exit"]);
    profile
}

fn list<'a>(profile: &'a Json, table: &str, name: &str) -> &'a [Value] {
    profile.0[table][name].as_array().expect("a list")
}

/// The row of the page faults at a line, by its mark.
#[track_caller]
fn faults_at(profile: &Json, source: &str, mark: &str) -> Value {
    let line = line(source, mark);
    let rows = list(profile, "ledger", "by_code").iter();
    let mut found = rows.filter(|row| {
        let file = row["file"].as_str().unwrap_or_default();
        row["cause"] == "page_fault" && file.ends_with(source) && row["line"] == line
    });
    let row = found.next();
    row.expect("the line has page faults").clone()
}

fn sites(profile: &Json) -> Vec<String> {
    let rows = list(profile, "memory", "allocations").iter();
    let sites = rows.filter_map(|row| row["allocated_at"].as_str());
    sites.map(str::to_owned).collect()
}

/// Templates, inlined and virtual functions, and one that is left by an exception:
/// each by its own name, with its arguments, and memory where the program made it.
#[test]
fn root_code_in_cpp() {
    needs_root!("root_code_in_cpp");
    if !skip::has_tool("root_code_in_cpp", "g++", "g++") {
        return;
    }
    let folder = folder("root_code_in_cpp");
    let source = "shapes.cpp";
    for (name, options) in [
        ("plain", &["-O2", "-fomit-frame-pointer"][..]),
        ("pointers", &["-O2", "-fno-omit-frame-pointer"]),
        ("slow", &["-O0"]),
    ] {
        println!("{name}");
        let profile = measured(&[&build("g++", options, source, &folder.join(name))]);
        for (mark, function) in [
            ("template", "touch_template<char, "),
            ("inlined", "shapes::touch_inlined(char*)"),
            ("throwing", "shapes::touch_and_throw(char*)"),
        ] {
            let row = faults_at(&profile, source, mark);
            assert!(row["count"].as_u64() >= Some(PAGES), "{row}");
            let symbol = row["symbol"].as_str().unwrap_or_default();
            assert!(symbol.contains(function), "{row}");
        }
        let into = &faults_at(&profile, source, "inlined")["inlined_into"];
        let virtual_one = into[0].as_str().unwrap_or_default();
        assert!(
            name == "slow" || virtual_one.starts_with("shapes::Circle::draw"),
            "{into}"
        );
        let sites = sites(&profile);
        let expected = format!("shapes.cpp:{}", line(source, "vector"));
        let is_right =
            |site: &String| site.contains("shapes::make_vector()") && site.contains(&expected);
        assert!(sites.iter().any(is_right), "{sites:?}");
    }
}

/// With musl's C library, of which nobody knows the frames: memory is made where the
/// program makes it, with unwind tables of its own, frame pointers or neither.
#[test]
fn root_code_with_musl_allocations() {
    needs_root!("root_code_with_musl_allocations");
    let test = "root_code_with_musl_allocations";
    if !skip::has_tool(test, "musl-gcc", "musl-tools") {
        return;
    }
    let folder = folder(test);
    for (name, options) in [
        ("tables", &["-fomit-frame-pointer"][..]),
        ("pointers", &["-fno-omit-frame-pointer"]),
        (
            "neither",
            &["-fomit-frame-pointer", "-fno-asynchronous-unwind-tables"],
        ),
    ] {
        println!("{name}");
        let all = [&["-O1", "-static", "-DNO_DLOPEN"], options].concat();
        let profile = measured(&[&build("musl-gcc", &all, "code.c", &folder.join(name))]);
        let sites = sites(&profile);
        for (mark, via) in [("malloc", "malloc"), ("mmap", "mmap")] {
            let line = line("code.c", mark);
            let expected = format!("make_by_{mark} at code.c:{line} (via {via})");
            assert!(sites.contains(&expected), "no {expected}: {sites:?}");
        }
    }
}

/// Runs a program that makes code, whose map is made by `leave` beforehand: its
/// number has to be known for that.
#[track_caller]
fn with_map(test: &str, leave: impl Fn(&Path)) -> (Value, String) {
    let folder = folder(test);
    let program = code(&[], &folder.join("program"));
    // The shell waits for its map, and becomes the program.
    let script = format!(
        "echo $$ > {0}/pid; until [ -e {0}/go ]; do sleep 0.01; done; exec {0}/program made",
        folder.display()
    );
    let saved = folder.join("profile.json");
    let mut command = command::measuring("run");
    command
        .arg("--save")
        .arg(&saved)
        .args(["--", "sh", "-c", &script]);
    let running = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let running = running.expect("the binary starts");
    let pid = loop {
        let text = fs::read_to_string(folder.join("pid")).unwrap_or_default();
        if text.ends_with('\n') {
            break text.trim().to_owned();
        }
        std::thread::yield_now();
    };
    let map = PathBuf::from(format!("/tmp/perf-{pid}.map"));
    leave(&map);
    fs::write(folder.join("go"), "").expect("room");
    let output = running.wait_with_output().expect("it ends");
    // It may have been left out on purpose.
    let _ = fs::remove_file(&map);
    let _ = fs::remove_file(second_name(&map));
    assert!(output.status.success(), "{}", command::stderr(&output));
    let profile = crate::support::profile::from_file(&saved);
    let rows = list(&profile, "ledger", "by_code").iter();
    let mut made = rows.filter(|row| row["count"].as_u64() >= Some(PAGES));
    let row = made.find(|row| row["file"].is_null());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(program.exists());
    (row.expect("the made code is listed").clone(), text)
}

/// Beside a map, where a test may give it another name.
fn second_name(map: &Path) -> PathBuf {
    map.with_extension("second-name")
}

/// Lines of a perf map that name every address that a program can have.
fn all_addresses(name: &str) -> String {
    format!("0 7fffffffffff {name}\n")
}

/// Names that a program's own map gives are shown, whatever else is in it: nonsense,
/// bytes that are no text, lines without end, functions on top of one another, and
/// what a terminal would obey.
#[test]
fn root_hostile_perf_maps() {
    needs_root!("root_hostile_perf_maps");
    let test = "root_hostile_perf_maps";
    let (row, text) = with_map(test, |map| {
        let file = fs::File::create(map).expect("room");
        let mut file = std::io::BufWriter::new(file);
        file.write_all(b"\xff\xfe\x00 nonsense\nzz zz zz\n1 2\n")
            .expect("room");
        for at in 0..100_000 {
            writeln!(file, "{at:x} 10 f{at}").expect("room");
        }
        let long = format!("\u{1b}[2J{}", "x".repeat(1 << 20));
        file.write_all(all_addresses("too early").as_bytes())
            .expect("room");
        file.write_all(format!("200000 7fffffdfffff {long}\n").as_bytes())
            .expect("room");
        file.write_all(&vec![b'a'; 1 << 20]).expect("room");
    });
    let symbol = row["symbol"].as_str().unwrap_or_default();
    assert!(symbol.contains("[2Jxxx"), "{}", row["reason"]);
    assert!(symbol.chars().count() < 2_000 && !symbol.contains('\u{1b}'));
    assert!(!text.contains('\u{1b}'), "a terminal would obey that");
}

/// A map that is a link, or that belongs to somebody else, is not read, and that is
/// said: neither may a stranger name a program's code, nor show us other files.
#[test]
fn root_perf_maps_of_strangers() {
    needs_root!("root_perf_maps_of_strangers");
    let test = "root_perf_maps_of_strangers";
    let target = folder("root_perf_maps_of_strangers-target").join("secret");
    fs::write(&target, all_addresses("a secret")).expect("room");
    let nobody = 65_534;
    let link = |map: &Path| symlink(&target, map).expect("allowed");
    let foreign = |map: &Path| {
        fs::write(map, all_addresses("a lie")).expect("room");
        chown(map, Some(nobody), None).expect("root may");
    };
    let second = |map: &Path| {
        fs::copy(&target, map).expect("room");
        fs::hard_link(map, second_name(map)).expect("allowed");
    };
    assert_ignored(test, link, "symbolic link");
    assert_ignored(test, foreign, "belongs to user 65534");
    assert_ignored(test, second, "other names");
}

#[track_caller]
fn assert_ignored(test: &str, leave: impl Fn(&Path), reason: &str) {
    let (row, _) = with_map(test, leave);
    assert_eq!(row["symbol"], Value::Null, "{row}");
    let said = row["reason"].as_str().unwrap_or_default();
    assert!(said.contains(reason), "{said}");
}

/// A program that goes on touching its memory, as it did before we came.
fn patient(folder: &Path) -> (Background, u32) {
    let program = code(&[], &folder.join("program"));
    let mut command = Command::new(program);
    let program = Background::start(command.arg("patient")).expect("it starts");
    let pid = program.pid();
    (program, pid)
}

/// Asserts that the faults of the patient program are named: by the line, by the
/// mapping that it had before, and by the place where it makes new ones.
#[track_caller]
fn assert_named(profile: &Json, pid: u32) {
    let row = faults_at(profile, "code.c", "touch");
    assert_eq!(row["symbol"], "touch_pages", "{row}");
    assert_eq!(row["tgid"].as_u64(), Some(u64::from(pid)), "{row}");
    let mappings = list(profile, "memory", "by_mapping").iter();
    let of_program = |row: &&Value| row["tgid"] == pid && row["kind"] == "anonymous";
    let mut mappings: Vec<&Value> = mappings.filter(of_program).collect();
    mappings.sort_by_key(|row| std::cmp::Reverse(row["faults"].as_u64()));
    let old = mappings
        .iter()
        .find(|row| row["faults_per_page"].as_f64() > Some(1.5));
    let old = old.expect("the old mapping's pages are touched again and again");
    assert!(old["distinct_pages"].as_u64() >= Some(300), "{old}");
    assert!(old["by_kind"]["first_touch"].as_u64() > Some(300), "{old}");
    let expected = format!(
        "make_by_mmap at code.c:{} (via mmap)",
        line("code.c", "mmap")
    );
    let sites = sites(profile);
    assert!(sites.contains(&expected), "{sites:?}");
}

/// A process that was running already: its code, its old mappings and its new ones.
#[test]
fn root_attached_process_is_named() {
    needs_root!("root_attached_process_is_named");
    let (program, pid) = patient(&folder("root_attached_process_is_named"));
    let mut command = command::measuring("attach");
    command.args(["--format", "json", "--duration", "500ms"]);
    let output = command.arg(pid.to_string()).output();
    drop(program);
    assert_named(&from_output(&output.expect("the binary starts")), pid);
}

/// The same, seen from the CPU that it runs on.
#[test]
fn root_process_on_a_measured_cpu_is_named() {
    needs_root!("root_process_on_a_measured_cpu_is_named");
    let (program, pid) = patient(&folder("root_process_on_a_measured_cpu_is_named"));
    let cpu = modeswitch::measure::affinity::allowed()[0].to_string();
    let mut taskset = Command::new("taskset");
    let moved = taskset
        .args(["-a", "-p", "-c", &cpu, &pid.to_string()])
        .output();
    assert!(moved.expect("taskset starts").status.success());
    let mut command = command::measuring("cpu");
    command.args(["--format", "json", "--duration", "500ms", &cpu]);
    let output = command.output();
    drop(program);
    assert_named(&from_output(&output.expect("the binary starts")), pid);
}

/// A program that maps memory again and again, with a loop's counter on its stack: one
/// site has made it all, and to find that out takes less time than the program did.
#[test]
fn root_allocations_by_the_thousand() {
    needs_root!("root_allocations_by_the_thousand");
    let folder = folder("root_allocations_by_the_thousand");
    let program = code(&["-fomit-frame-pointer"], &folder.join("program"));
    let words = ["again", "60000"].map(Path::new);
    let profile = measured(&[&program, words[0], words[1]]);
    let expected = format!("again at code.c:{} (via mmap)", line("code.c", "again"));
    let rows = list(&profile, "memory", "allocations").iter();
    let (ours, others): (Vec<&Value>, Vec<&Value>) =
        rows.partition(|row| row["allocated_at"] == expected.as_str());
    let [ours] = &ours[..] else {
        panic!("{} rows of {expected}: {others:?}", ours.len());
    };
    let count = |of: &Value| of.as_u64().expect("a count");
    let accounting = &profile.0["accounting"];
    let not_recorded = count(&accounting["losses"]["allocation_lost"])
        + count(&accounting["losses"]["allocations_not_kept"]);
    assert!(
        count(&ours["calls"]) + not_recorded >= 60_000,
        "{ours}, and {not_recorded}"
    );
    assert!(
        others.iter().all(|row| count(&row["calls"]) < 10),
        "{others:?}"
    );
    // Each of them once more was unwound, and looked for among all others.
    let used = |name: &str| count(&accounting["usage"][name]);
    let all = count(&accounting["self"]["all_cpu_ns"]);
    assert!(
        all < 20 * (used("user_ns") + used("system_ns")),
        "{all} ns of CPU time: {}",
        accounting["usage"]
    );
}

/// A register that holds where text is does not point to a frame: the chain ends where
/// it would go on to what is no code, and says so.
#[test]
fn root_text_is_no_caller() {
    needs_root!("root_text_is_no_caller");
    let options = ["-O2", "-fomit-frame-pointer"];
    let program = code(&options, &folder("root_text_is_no_caller").join("program"));
    let mut command = command::measuring("run");
    command.args(["--stacks", "user", "--format", "json", "--"]);
    let output = command.arg(program).arg("text").output();
    let profile = from_output(&output.expect("the binary starts"));
    // Interrupts may hit the function, too.
    let of_text = |row: &&Value| {
        let first = row["frames"][0].as_str();
        row["cause"] == "syscall" && first.is_some_and(|frame| frame.starts_with("text_calls "))
    };
    let stacks = list(&profile, "ledger", "user_stacks").iter();
    let stacks: Vec<&Value> = stacks.filter(of_text).collect();
    let [stack] = stacks[..] else {
        panic!("{stacks:?}");
    };
    assert_eq!(stack["count"], 500);
    assert_eq!(stack["frames"].as_array().map(Vec::len), Some(1), "{stack}");
    let truncated = stack["truncated"].as_str().unwrap_or_default();
    assert!(truncated.contains("executable"), "{stack}");
}
