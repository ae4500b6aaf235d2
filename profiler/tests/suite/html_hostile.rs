//! Nothing that a profile says becomes markup, whatever it says.

use serde_json::Value;

use crate::{
    html::{data, of_experiment, of_profile},
    support::dom::Page,
};

/// What could end a text, an attribute or an element, or hide in it.
const HOSTILE: [&str; 10] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'></style></title><svg/onload=a()>",
    "]]><!-- <b>",
    "--></p></main></body></html>",
    "&lt;b&gt;&amp;&#60;i&#62;&#x3c;",
    "javascript:alert(1)\" onclick=\"a()",
    "a\u{202e}b\u{2066}c\u{200f}d\u{feff}e",
    "x\0y\u{1b}[2Jz\u{7f}\u{9b}31m\r\n\t",
    "\u{fdd0}\u{ffff}\u{10ffff}<textarea>",
];
/// Fields that are chosen from a list: anything else is not a document.
const FIXED: [&str; 4] = ["verdict", "metric", "kind", "git"];

/// Adds something to every text of a document, also to names of fields that are
/// free.
fn spoil(value: &Value, field: &str, ending: &str) -> Value {
    let is_free = [
        "phases",
        "losses",
        "by_kind",
        "faults_by_kind",
        "device_irqs",
        "poll_queues",
        "accesses",
    ];
    match value {
        Value::String(text) if !FIXED.contains(&field) => format!("{text}{ending}").into(),
        Value::Array(list) => list.iter().map(|item| spoil(item, field, ending)).collect(),
        Value::Object(fields) => {
            let is_spoilt = is_free.contains(&field) && !fields.values().any(Value::is_string);
            let ending_of_names = if is_spoilt { ending } else { "" };
            let spoilt = fields.iter().map(|(name, item)| {
                (
                    format!("{name}{ending_of_names}"),
                    spoil(item, name, ending),
                )
            });
            spoilt.collect::<serde_json::Map<_, _>>().into()
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// A page's elements with the names of their attributes.
fn shape(page: &Page) -> Vec<String> {
    let names = |one: &crate::support::dom::Element| -> String {
        let names: Vec<&str> = one
            .attributes
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        format!("{} {} {}", one.around.join("/"), one.tag, names.join(" "))
    };
    page.elements.iter().map(names).collect()
}

fn page_of(document: Value) -> String {
    if document.get("variants").is_some() {
        of_experiment(&serde_json::from_value(document).expect("an experiment"))
    } else {
        of_profile(&serde_json::from_value(document).expect("a profile"))
    }
}

/// The page of a document full of hostile text has the very elements and
/// attributes of the same page with harmless text, and no character of it is
/// invisible or turns text around.
#[test]
fn no_text_becomes_markup() {
    for name in ["html-profile.json", "html-experiment.json"] {
        let document = data(name);
        for hostile in HOSTILE.chunks(4).map(<[&str]>::concat) {
            let harmless = "z".repeat(hostile.chars().count());
            let expect = Page::parse(&page_of(spoil(&document, "", &harmless)));
            let text = page_of(spoil(&document, "", &hostile));
            let found = Page::parse(&text);
            assert!(
                found.errors.is_empty(),
                "{name}, {hostile:?}: {:?}",
                found.errors
            );
            assert_eq!(shape(&found), shape(&expect), "{name}, {hostile:?}");
            let is_bad = |letter: &char| {
                letter.is_control() && *letter != '\n'
                    || "\u{202e}\u{2066}\u{200f}\u{feff}".contains(*letter)
            };
            assert_eq!(text.chars().find(is_bad), None, "{name}, {hostile:?}");
        }
    }
}

/// Hostile text is shown and not swallowed.
#[test]
fn hostile_text_is_shown_as_it_is() {
    for hostile in HOSTILE
        .into_iter()
        .filter(|text| text.is_ascii() && !text.contains('\0'))
    {
        let page = Page::parse(&page_of(spoil(&data("html-profile.json"), "", hostile)));
        let threads = page.table("Entries by thread");
        assert_eq!(threads[0][2], format!("modeswitch{hostile}"));
    }
}
