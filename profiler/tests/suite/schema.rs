//! The JSON Schema of the documents: up to date, true of what is written, and
//! of what older versions wrote.

use modeswitch::{
    cli::schema::schema as schema_of, profile::model::Profile,
    report::format::DocumentKind as Document,
};
use serde_json::Value;

use crate::support::{
    command::{assert_fails, run, stderr},
    json_schema,
};

/// A profile as modeswitch wrote it before `compare` was there.
const SAVED: &str = include_str!("../documents/profile.json");

/// A profile of the in-tree workload from before code and mappings had names
/// and page faults had kinds. Its longest lists were cut.
const OLDER: &str = include_str!("../documents/profile-without-code.json");

const ALL: [(&str, Document); 4] = [
    ("profile", Document::Profile),
    ("experiment", Document::Experiment),
    ("comparison", Document::Comparison),
    ("check", Document::Check),
];

fn schema(document: Document) -> Value {
    schema_of(document).to_value()
}

fn saved() -> Value {
    serde_json::from_str(SAVED).expect("JSON")
}

/// The files under `schema/` are what the types give.
#[test]
fn the_schema_files_are_up_to_date() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema");
    for (name, document) in ALL {
        let path = folder.join(format!("{name}-1.json"));
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let checked_in: Value = serde_json::from_str(&text).unwrap_or_default();
        let is_current = checked_in == schema(document);
        assert!(
            is_current,
            "{0} is out of date: `cargo run -- schema {name} > schema/{name}-1.json`",
            path.display()
        );
    }
}

/// What was saved is what the schema says, and what is damaged is not.
#[test]
fn saved_documents_are_valid() {
    let schema = schema(Document::Profile);
    let document = saved();
    assert_eq!(
        json_schema::errors(&schema, &document),
        Vec::<String>::new()
    );
    let mut damaged = document.clone();
    damaged["ledger"]["total"] = Value::from("many");
    assert_eq!(json_schema::errors(&schema, &damaged).len(), 1);
    let mut damaged = document.clone();
    damaged["schema_version"] = Value::from(2);
    assert_eq!(json_schema::errors(&schema, &damaged).len(), 1);
    let mut damaged = document;
    damaged["ledger"]["by_cause"][0]["count"] = Value::from(-1);
    assert_eq!(json_schema::errors(&schema, &damaged).len(), 1);
}

/// A comparison made now is what its schema says.
#[test]
fn a_fresh_comparison_is_valid() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.json");
    std::fs::write(&path, SAVED).expect("a file");
    let (path, again) = (path.as_os_str(), path.as_os_str());
    let arguments = ["compare", "--format", "json"].map(std::ffi::OsStr::new);
    let output = run(arguments.into_iter().chain([path, again]));
    assert!(output.status.success(), "{}", stderr(&output));
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let errors = json_schema::errors(&schema(Document::Comparison), &found);
    assert_eq!(errors, Vec::<String>::new());
}

/// A check made now is what its schema says.
#[test]
fn a_fresh_check_is_valid() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/gate");
    for name in ["stray.json", "lossy.json"] {
        let words = ["check", "--format", "json", "--budget"].map(std::ffi::OsString::from);
        let files = ["budget.toml", name].map(|name| folder.join(name).into_os_string());
        let output = run(words.into_iter().chain(files));
        let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let errors = json_schema::errors(&schema(Document::Check), &found);
        assert_eq!(errors, Vec::<String>::new());
    }
}

/// What is measured now, with everything that can be asked for, is valid.
#[test]
fn root_fresh_documents_are_valid() {
    crate::needs_root!("root_fresh_documents_are_valid");
    let everything = [
        "run",
        "--format",
        "json",
        "--stacks",
        "all",
        "--senders",
        "--disturbance",
        "--io-uring",
        "--",
        "sh",
        "-c",
        "ls / | wc -l",
    ];
    let output = run(everything);
    assert!(output.status.success(), "{}", stderr(&output));
    // The command's own output comes first.
    let text = String::from_utf8_lossy(&output.stdout);
    let begin = text.find('{').expect("a document");
    let found: Value = serde_json::from_str(&text[begin..]).expect("JSON");
    let errors = json_schema::errors(&schema(Document::Profile), &found);
    assert_eq!(errors, Vec::<String>::new());
    let output = run([
        "experiment",
        "--format",
        "json",
        "--runs",
        "2",
        "--fix",
        "none",
        "--",
        "true",
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let errors = json_schema::errors(&schema(Document::Experiment), &found);
    assert_eq!(errors, Vec::<String>::new());
}

/// Fields that the first documents of schema 1 did not have, by where they are
/// now: whoever adds one adds it here.
const ADDED: [(&str, &[&str]); 10] = [
    (
        "",
        &["polling", "senders", "disturbance", "prefault", "runs"],
    ),
    ("/window/phases/*", &["untimed"]),
    ("/ledger", &["user_stacks"]),
    ("/ledger/by_cause/*", &["purposes", "accesses", "major"]),
    ("/ledger/by_thread/*/by_cause/*", &["purposes"]),
    (
        "/ledger/by_code/*",
        &["module", "module_address", "inlined_into", "reason"],
    ),
    ("/memory", &["allocations", "process"]),
    (
        "/memory/by_mapping/*",
        &[
            "allocation_stack",
            "pages_are_lower_bound",
            "faults_per_page",
            "start",
            "tgid",
            "by_kind",
            "phases",
        ],
    ),
    ("/accounting", &["inexact"]),
    ("/accounting/cross_checks/*", &["source"]),
];

/// Removes a field from every object at a place.
fn remove(value: &mut Value, place: &str, field: &str) {
    let Some(rest) = place.strip_prefix('/') else {
        if let Some(object) = value.as_object_mut() {
            object.remove(field);
        }
        return;
    };
    let (step, rest) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    match value {
        Value::Array(items) if step == "*" => {
            for item in items {
                remove(item, rest, field);
            }
        }
        Value::Object(fields) => {
            if let Some(value) = fields.get_mut(step) {
                remove(value, rest, field);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
    }
}

/// Documents of every older form are read and valid: without each of the fields
/// that were added since, and without all of them.
#[test]
fn older_documents_are_read() {
    let schema = schema(Document::Profile);
    let check = |document: Value, without: &str| {
        let errors = json_schema::errors(&schema, &document);
        assert_eq!(errors, Vec::<String>::new(), "without {without}");
        let read = serde_json::from_value::<Profile>(document);
        assert!(read.is_ok(), "without {without}: {:?}", read.err());
    };
    let mut oldest = saved();
    for (place, fields) in ADDED {
        for field in fields {
            let mut older = saved();
            remove(&mut older, place, field);
            check(older, &format!("{place}/{field}"));
            remove(&mut oldest, place, field);
        }
    }
    assert_ne!(oldest, saved());
    check(oldest.clone(), "all of them");
    let older: Value = serde_json::from_str(OLDER).expect("JSON");
    check(older.clone(), "what a real older one lacks");
    let folder = tempfile::tempdir().expect("a folder");
    let paths = [("oldest.json", oldest), ("older.json", older)].map(|(name, document)| {
        let path = folder.path().join(name);
        std::fs::write(&path, document.to_string()).expect("a file");
        path
    });
    for path in &paths {
        let output = run(["report".as_ref(), path.as_os_str()]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(String::from_utf8_lossy(&output.stdout).contains("entries in"));
    }
    let [oldest, older] = paths.each_ref().map(|path| path.as_os_str());
    let output = run(["compare".as_ref(), oldest, older]);
    assert!(output.status.success(), "{}", stderr(&output));
}

/// A document of a later schema is refused as such, by every reader.
#[test]
fn later_documents_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("later.json");
    let mut later = saved();
    later["schema_version"] = Value::from(2);
    std::fs::write(&path, later.to_string()).expect("a file");
    let path = path.as_os_str();
    assert_fails(&run(["report".as_ref(), path]), 2, &["schema 2", "newer"]);
    assert_fails(
        &run(["compare".as_ref(), path, path]),
        2,
        &["schema 2", "newer"],
    );
}
