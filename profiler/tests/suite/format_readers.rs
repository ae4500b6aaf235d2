//! What others' programs make of the formats.

use std::process::{Command, Stdio};

use crate::{
    formats::{PROFILES, data, printed},
    support::{
        profile::from_file,
        skip::{PYTHON, has_python_module},
    },
};

/// Lets Python read a format of each profile. The script prints one number,
/// which is to be the ledger's total.
#[track_caller]
fn read_by_python(format: &str, script: &str) {
    for profile in PROFILES {
        let mut child = Command::new(PYTHON)
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let mut input = child.stdin.take().expect("a pipe");
        std::io::Write::write_all(&mut input, &printed(profile, format)).expect("it reads");
        drop(input);
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{profile}");
        let total = from_file(&data(profile, "json")).0["ledger"]["total"].to_string();
        let read = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        assert_eq!(read, total, "{profile}");
    }
}

/// Prometheus' own parsers, for both generations of the format, find each entry
/// once.
#[test]
fn prometheus_reads_the_metrics() {
    let name = "prometheus_reads_the_metrics";
    let module = "prometheus_client.openmetrics.parser";
    if !has_python_module(name, module, "python3-prometheus-client") {
        return;
    }
    let script = "
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as new
from prometheus_client.parser import text_string_to_metric_families as old
text = sys.stdin.read()
sums = []
for parse in new, old:
    families = list(parse(text))
    samples = [s for f in families for s in f.samples]
    assert len({(s.name, tuple(sorted(s.labels.items()))) for s in samples}) == len(samples)
    sums.append(sum(int(s.value) for s in samples if s.name == 'modeswitch_entries_total'))
assert sums[0] == sums[1]
print(sums[0])
";
    read_by_python("openmetrics", script);
}

/// Python's reader of CSV finds the columns, and each entry once.
#[test]
fn python_reads_the_csv() {
    if !has_python_module("python_reads_the_csv", "csv", "python3") {
        return;
    }
    let script = "
import csv, sys
rows = list(csv.DictReader(sys.stdin, strict=True))
assert all(None not in row and None not in row.values() for row in rows)
print(sum(int(row['entries']) for row in rows if row['record'] == 'entries'))
";
    read_by_python("csv", script);
}

/// A parser of XML finds the flame graph well-formed, with all entries at its root.
#[test]
fn xml_parsers_read_the_flame_graph() {
    if !has_python_module("xml_parsers_read_the_flame_graph", "xml.etree", "python3") {
        return;
    }
    let script = "
import re, sys
import xml.etree.ElementTree as tree
titles = [e.text for e in tree.fromstring(sys.stdin.buffer.read()).iter() if e.tag.endswith('}title')]
root, = [t for t in titles if t.startswith('all (')]
print(re.fullmatch(r'all \\(([\\d,]+) entries, 100%\\)', root).group(1).replace(',', ''))
";
    read_by_python("flamegraph", script);
}
