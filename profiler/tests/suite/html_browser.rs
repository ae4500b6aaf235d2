//! HTML pages in a real browser, where there is one. CI does not install it: it
//! is 80 MB, and 300 MB with what it needs.

use std::process::Command;

use crate::support::{dom::Page, skip::has_optional_tool};

/// The browser's program.
const BROWSER: &str = "chromium";
/// Widths looked at, in pixels: the first is a small telephone.
const WIDTHS: [u32; 3] = [360, 768, 1_280];

/// The page does not scroll sideways, whatever the width, its style sheet is
/// let in by its own policy, and the browser has nothing to complain about.
#[test]
fn pages_fit_every_width() {
    if !has_optional_tool("pages_fit_every_width", BROWSER, BROWSER) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let mut frames = String::new();
    for (number, (name, text)) in crate::html::pages().into_iter().enumerate() {
        std::fs::write(at(&format!("{number}.html")), text).expect("a page");
        for width in WIDTHS {
            let frame = format!(
                "<iframe title='{name} at {width}' width={width} height=800 style='border:0' \
                 src={number}.html></iframe>"
            );
            frames.push_str(&frame);
        }
    }
    // What sticks out, and a length that only the page's own style sheet says.
    let measure = "<script>onload=()=>{for(const f of document.querySelectorAll('iframe')){\
                   const d=f.contentDocument,e=d.documentElement,p=document.createElement('p');\
                   p.append([f.title,e.scrollWidth-e.clientWidth,\
                   getComputedStyle(d.body).maxWidth].join());document.body.append(p)}}</script>";
    let whole = format!("<!doctype html><body>{frames}{measure}");
    std::fs::write(at("all.html"), whole).expect("a page");
    let output = Command::new("timeout")
        .args([
            "300",
            BROWSER,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
        ])
        .args([
            "--allow-file-access-from-files",
            "--enable-logging=stderr",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", at("browser").display()))
        .arg(format!("file://{}", at("all.html").display()))
        .output()
        .expect("the browser starts");
    let log = String::from_utf8_lossy(&output.stderr);
    let complaint = log.lines().find(|line| line.contains("CONSOLE"));
    assert_eq!(complaint, None);
    let dom = Page::parse(&String::from_utf8_lossy(&output.stdout));
    let found: Vec<&str> = dom.all("p").map(|one| one.text.as_str()).collect();
    let names = crate::html::pages().into_iter().map(|(name, _)| name);
    let expect: Vec<String> = names
        .flat_map(|name| WIDTHS.map(|width| format!("{name} at {width},0,1152px")))
        .collect();
    assert_eq!(found, expect, "{log}");
}
