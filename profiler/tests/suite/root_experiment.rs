//! The experiment: lazy against prefaulted.

use serde_json::Value;

use crate::{
    needs_root,
    support::{
        command::{measuring, run},
        profile::{Json, from_file, from_output},
    },
};

fn profiles<'a>(experiment: &'a Value, variant: &str) -> Vec<&'a Value> {
    let variants = experiment["variants"].as_array().expect("a list");
    let found = variants
        .iter()
        .find(|found| found["name"] == variant)
        .expect("the variant");
    found["profiles"]
        .as_array()
        .expect("a list")
        .iter()
        .collect()
}

/// In steady state a lazy bitmap costs one page fault for each of its pages,
/// and a prefaulted one none, and no system call either.
#[test]
fn root_lazy_against_prefault() {
    needs_root!("root_lazy_against_prefault");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("experiment.json");
    let path = file.to_str().expect("a plain path");
    let mut output = measuring("experiment");
    output.args([
        "--runs",
        "1",
        "--duration",
        "1s",
        "--format",
        "json",
        "--save",
        path,
        "--",
        "--size",
        "1G",
    ]);
    let output = output.output().expect("the binary starts");
    let experiment = from_output(&output).0;
    assert_eq!(
        experiment,
        from_file(&file).0,
        "what is printed is what is saved"
    );
    for profile in profiles(&experiment, "lazy") {
        let pages = profile["io"]["bitmap"]["pages_touched"]
            .as_u64()
            .expect("a count");
        assert!(pages >= 64, "a GiB of blocks has a map of 64 pages");
        let profile = Json::from(profile.clone());
        assert_eq!(
            profile.count_in("page_fault", "first_touch", "steady"),
            pages
        );
        assert_eq!(profile.of_cause_in("page_fault", "steady"), pages);
        assert_eq!(profile.of_cause_in("syscall", "steady"), 0);
    }
    for profile in profiles(&experiment, "prefault") {
        let profile = Json::from(profile.clone());
        assert_eq!(profile.of_cause_in("page_fault", "steady"), 0);
        assert_eq!(profile.of_cause_in("syscall", "steady"), 0);
        assert!(profile.0["io"]["iops"].as_f64() > Some(0.0));
        let ios = profile.0["io"]["ios"].as_u64();
        // An emulated machine may not do enough for the rarest.
        let rarest = (ios >= Some(20_000)).then_some("p9999");
        for percentile in ["p50", "p99", "p999"].into_iter().chain(rarest) {
            assert!(
                profile.0["io"]["latency_ns"][percentile].as_u64() > Some(0),
                "{percentile}"
            );
        }
    }
    let shown = run(["report", path]);
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    for word in ["lazy", "prefault", "ratio", "IOPS", "p99", "page_fault"] {
        assert!(text.contains(word), "`{word}` is not in:\n{text}");
    }
}
