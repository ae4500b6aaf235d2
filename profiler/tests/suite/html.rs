//! HTML pages: what is in them, and whether everybody can read it.

use std::{collections::BTreeSet, path::Path};

use modeswitch::{
    experiment::model::Experiment,
    profile::{merge::programs::By, model::Profile},
    report::{
        export::{self, Surface},
        format::Format,
        html::page,
        style::Look,
        units::count,
    },
};
use sha2::{Digest, Sha256};

use crate::support::dom::Page;

/// A saved document.
pub(crate) fn data(name: &str) -> serde_json::Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name);
    let text = std::fs::read(path).expect("a saved document");
    serde_json::from_slice(&text).expect("JSON")
}

pub(crate) fn saved_profile() -> Profile {
    serde_json::from_value(data("html-profile.json")).expect("a profile")
}

pub(crate) fn saved_experiment() -> Experiment {
    serde_json::from_value(data("html-experiment.json")).expect("an experiment")
}

/// An experiment with a third variant.
fn three_variants() -> Experiment {
    let mut experiment = saved_experiment();
    let mut third = experiment.variants[1].clone();
    "third".clone_into(&mut third.name);
    let mut further = experiment.comparison.clone();
    further.after.clone_from(&third.name);
    experiment.variants.push(third);
    experiment.further.push(further);
    experiment
}

/// A run in which nothing was seen.
fn empty() -> Profile {
    let mut profile = saved_profile();
    profile.ledger = modeswitch::profile::model::Ledger::default();
    profile.memory = modeswitch::profile::model::Memory::default();
    profile.accounting = modeswitch::profile::model::Accounting::default();
    (profile.io, profile.polling, profile.senders) = (None, None, None);
    profile.advice.clear();
    profile.target = modeswitch::profile::model::Target::default();
    profile
}

/// A profile as a page.
pub(crate) fn of_profile(profile: &Profile) -> String {
    let look = Look { columns: None };
    let surface = Surface {
        look,
        by: By::default(),
        sources: None,
    };
    let mut page = Vec::new();
    export::write(profile, Format::Html, &surface, &mut page).expect("memory");
    String::from_utf8(page).expect("UTF-8")
}

/// An experiment as a page.
pub(crate) fn of_experiment(experiment: &Experiment) -> String {
    let look = Look { columns: None };
    let surface = Surface {
        look,
        by: By::default(),
        sources: None,
    };
    let mut page = Vec::new();
    export::write(experiment, Format::Html, &surface, &mut page).expect("memory");
    String::from_utf8(page).expect("UTF-8")
}

/// All the pages that the tests look at.
pub(crate) fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("profile", of_profile(&saved_profile())),
        ("empty", of_profile(&empty())),
        ("experiment", of_experiment(&saved_experiment())),
        ("three variants", of_experiment(&three_variants())),
    ]
}

/// A page has nothing to fetch and nothing to run, and says so to the browser;
/// its only style is the one whose hash it allows.
#[test]
fn pages_are_self_contained() {
    for (name, text) in pages() {
        let page = Page::parse(&text);
        assert!(page.errors.is_empty(), "{name}: {:?}", page.errors);
        for element in &page.elements {
            let tag = &element.tag;
            let is_active = [
                "script", "link", "img", "iframe", "object", "embed", "base", "form", "use",
                "image",
            ];
            assert!(!is_active.contains(&tag.as_str()), "{name}: <{tag}>");
            for (attribute, value) in &element.attributes {
                assert!(!attribute.starts_with("on"), "{name}: {attribute}");
                assert!(
                    !["style", "src", "srcset"].contains(&attribute.as_str()),
                    "{name}: {attribute}"
                );
                let is_link = attribute == "href" || attribute.ends_with(":href");
                assert!(!is_link || value.starts_with('#'), "{name}: {value}");
            }
        }
        let style = page.all("style").next().expect("a style sheet");
        assert!(!style.text.contains("url(") && !style.text.contains("@import"));
        let hash = base64(&Sha256::digest(&style.text));
        assert_eq!(
            hash,
            page::STYLE_HASH,
            "STYLE_HASH in page.rs, since style.css has changed"
        );
        let policy = page
            .all("meta")
            .find(|meta| meta.attribute("http-equiv") == Some("Content-Security-Policy"));
        let policy = policy
            .and_then(|meta| meta.attribute("content"))
            .expect("a policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
        assert!(policy.contains(&hash), "{policy}");
    }
}

/// Landmarks, headings in order, anchors that exist, tables and pictures with
/// names: what somebody needs who does not see the page or has no pointer.
#[test]
fn pages_are_accessible() {
    for (name, text) in pages() {
        let page = Page::parse(&text);
        for landmark in ["header", "nav", "main", "footer", "h1", "title"] {
            let found = page
                .all(landmark)
                .filter(|one| !one.around.contains(&"svg".to_owned()));
            assert_eq!(found.count(), 1, "{name}: <{landmark}>");
        }
        assert_eq!(
            page.all("html")
                .next()
                .and_then(|html| html.attribute("lang")),
            Some("en")
        );
        let skip = page
            .all("a")
            .next()
            .and_then(|first| first.attribute("href"));
        assert_eq!(
            skip,
            Some("#main"),
            "{name}: the first link skips to the report"
        );
        let levels = page.elements.iter().filter_map(|one| {
            one.tag
                .strip_prefix('h')
                .and_then(|level| level.parse::<u32>().ok())
        });
        let mut last = 0;
        for level in levels {
            assert!(level <= last + 1, "{name}: h{level} behind h{last}");
            last = level;
        }
        let ids: Vec<&str> = page
            .elements
            .iter()
            .filter_map(|one| one.attribute("id"))
            .collect();
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), distinct.len(), "{name}: an id occurs twice");
        for element in &page.elements {
            let anchor = element
                .attribute("href")
                .and_then(|to| to.strip_prefix('#'));
            let labels = element.attribute("aria-labelledby").unwrap_or_default();
            for id in labels.split_whitespace().chain(anchor) {
                assert!(distinct.contains(id), "{name}: nothing has the id {id}");
            }
        }
        for table in page.all("table") {
            assert_eq!(page.inside(table, "caption").len(), 1, "{name}: a caption");
            let heads = page.inside(table, "th");
            assert!(
                heads.iter().all(|head| head.attribute("scope").is_some()),
                "{name}"
            );
            let rows = page.inside(table, "tr").len() - 1;
            let named = heads
                .iter()
                .filter(|head| head.attribute("scope") == Some("row"));
            assert!(named.count() >= rows, "{name}: each row has a name");
        }
        for svg in page.all("svg") {
            let is_named = page
                .inside(svg, "title")
                .len()
                .min(page.inside(svg, "desc").len())
                >= 1;
            let is_inner = svg.around.contains(&"svg".to_owned());
            let is_silent = svg.attribute("aria-hidden") == Some("true");
            assert!(
                is_named || is_inner || is_silent,
                "{name}: a picture without a name"
            );
        }
    }
}

/// The numbers in the page are those of the profile, to the digit.
#[test]
fn a_page_has_the_numbers_of_its_profile() {
    let profile = saved_profile();
    let page = Page::parse(&of_profile(&profile));
    let total = count(profile.ledger.total);
    let tile = page.all("dd").next().map(|tile| tile.text.as_str());
    assert_eq!(tile, Some(total.as_str()));
    let rows = page.table("Entries by cause");
    assert_eq!(rows.len(), profile.ledger.by_cause.len());
    for (cells, row) in rows.iter().zip(&profile.ledger.by_cause) {
        assert_eq!(
            cells[..3],
            [row.cause.to_string(), row.detail.clone(), count(row.count)]
        );
        for (phase, cell) in profile.window.phases.iter().zip(&cells[5..]) {
            let entries = row.phases.get(&phase.name).copied().unwrap_or(0);
            assert_eq!(*cell, count(entries), "{} in {}", row.detail, phase.name);
        }
    }
    let code = page.table("Page faults and system calls by instruction");
    let counts: Vec<&str> = code.iter().map(|cells| cells[4].as_str()).collect();
    let expect: Vec<String> = profile
        .ledger
        .by_code
        .iter()
        .map(|row| count(row.count))
        .collect();
    assert_eq!(counts, expect);
    let mappings = page.table("Page faults by mapping");
    let first = &profile.memory.by_mapping[0];
    assert_eq!(
        mappings[0][4..6],
        [count(first.faults), count(first.distinct_pages)]
    );
    let facts = |name| page.all("dt").filter(|one| one.text == name).count();
    let accounting = &profile.accounting;
    assert_eq!(facts("cross-check"), accounting.cross_checks.len());
    assert_eq!(facts("unavailable"), accounting.unavailable.len());
    let flame = page
        .elements
        .iter()
        .find(|one| one.attribute("id") == Some("f0"));
    let flame = flame.expect("the root of the flame graph as text");
    assert!(flame.text.starts_with(&total), "{}", flame.text);
}

/// The page of an experiment has its conclusion, each cause with its medians,
/// ratio and verdict, and every run's latencies.
#[test]
fn a_page_has_the_numbers_of_its_experiment() {
    let experiment = saved_experiment();
    let page = Page::parse(&of_experiment(&experiment));
    let verdict = page
        .all("p")
        .find(|one| one.attribute("class") == Some("verdict"));
    let conclusion = experiment.conclusion.replace('`', "");
    assert_eq!(verdict.expect("a verdict").text, conclusion);
    let rows = page.table("Entries per run by cause");
    let comparison = &experiment.comparison;
    let expect = comparison.totals.iter().chain(&comparison.steady);
    for (cells, row) in rows.iter().zip(expect) {
        assert_eq!(cells[..2], [row.cause.to_string(), row.detail.clone()]);
        let shown: f64 = cells[4].replace(',', "").parse().expect("a number");
        assert!((shown - row.after.median).abs() < 0.5, "{cells:?}");
        let judgement = row.judgement.as_ref().expect("judged or not, it is said");
        let is_said = match (judgement.adjusted_p, judgement.differs) {
            (None, _) => cells[8] == "not judged",
            (Some(_), true) => cells[8].starts_with("differs"),
            (Some(_), false) => cells[8].starts_with("no difference found"),
        };
        assert!(is_said, "{cells:?}");
    }
    let runs: usize = experiment
        .variants
        .iter()
        .map(|variant| variant.profiles.len())
        .sum();
    assert_eq!(page.table("Latency of each run").len(), runs);
    let thin = page.all("path").filter(|path| {
        path.attribute("class")
            .is_some_and(|class| class.split(' ').any(|one| one == "thin"))
    });
    assert_eq!(thin.count(), runs, "a thin curve for each run");
    assert_eq!(page.table("What stands behind each run").len(), runs);
}

/// What limits a result is said at its top: a lower bound, a bad end.
#[test]
fn limits_stand_at_the_top() {
    let mut profile = saved_profile();
    profile
        .accounting
        .inexact
        .push("41 events were passed over".to_owned());
    profile.exit.code = Some(3);
    let page = Page::parse(&of_profile(&profile));
    let head = &page.all("header").next().expect("a header").text;
    for words in [
        "at least",
        "NOT EXACT: 41 events were passed over",
        "ended with status 3",
    ] {
        assert!(head.contains(words), "{words}: {head}");
    }
    let mut experiment = saved_experiment();
    experiment.variants[1].profiles[2]
        .accounting
        .inexact
        .push("2 lost".to_owned());
    let page = Page::parse(&of_experiment(&experiment));
    let head = &page.all("header").next().expect("a header").text;
    assert!(head.contains("NOT EXACT: 2 lost"), "{head}");
}

/// A profile of ten thousand threads and a hundred thousand instructions makes
/// a page that a browser can show, and it says what it leaves out.
#[test]
fn huge_profiles_make_bounded_pages() {
    let mut profile = saved_profile();
    let ledger = &mut profile.ledger;
    ledger.by_thread = (0..10_000)
        .map(|n| {
            let mut thread = ledger.by_thread[0].clone();
            (thread.tid, thread.tgid) = (n, n / 4);
            thread
        })
        .collect();
    ledger.by_code = (0..100_000_u32)
        .map(|n| {
            let mut row = ledger.by_code[0].clone();
            row.tgid = n % 2_500;
            // Some names are enormous.
            let times = if n % 1_000 == 0 { 10_000 } else { 1 };
            row.symbol = Some(format!("{}{n}", "long::".repeat(times)));
            row
        })
        .collect();
    ledger.user_stacks.clear();
    let text = of_profile(&profile);
    assert!(text.len() < 2_000_000, "{} bytes", text.len());
    for left_out in ["99,900", "9,900"] {
        assert!(
            text.contains(left_out),
            "{left_out} rows are said to be left out"
        );
    }
    assert!(Page::parse(&text).errors.is_empty());
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let all = three
            .iter()
            .fold(0_u32, |all, &byte| all << 8 | u32::from(byte));
        let all = all << (8 * (3 - three.len()));
        for place in 0..4 {
            let digit = (all >> (18 - 6 * place)) & 63;
            let is_there = place <= three.len();
            text.push(if is_there {
                char::from(DIGITS[digit as usize])
            } else {
                '='
            });
        }
    }
    text
}
