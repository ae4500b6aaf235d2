//! A flame graph, drawn by inferno from the collapsed stacks.

use std::io::{self, Write};

use inferno::flamegraph::{self, Options, Palette, TextTruncateDirection, color::BasicPalette};

use super::{folded, profile_view, verdict};
use crate::profile::model::Profile;

/// Writes one SVG file that needs nothing from elsewhere. The same profile gives
/// the same bytes.
///
/// # Errors
/// Whatever the output reports.
pub fn write(profile: &Profile, out: &mut dyn Write) -> io::Result<()> {
    let lines = folded::lines(profile);
    if lines.is_empty() {
        return nothing(out);
    }
    let mut options = Options::default();
    options.colors = Palette::Basic(BasicPalette::Orange);
    options.deterministic = true;
    options.text_truncate_direction = TextTruncateDirection::Right;
    options.title = format!(
        "Kernel entries of {}",
        printable(&profile_view::title(profile))
    );
    options.subtitle = Some(subtitle(profile));
    "entries".clone_into(&mut options.count_name);
    "Frame:".clone_into(&mut options.name_type);
    // The narrowest frame is drawn, too: none is left out of the sum.
    options.min_width = 0.0;
    // In memory first: a pipe closed early is to be seen as such by the caller.
    let mut svg = Vec::new();
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), &mut svg)?;
    out.write_all(&svg)
}

fn subtitle(profile: &Profile) -> String {
    let line = printable(&verdict::line(profile));
    if profile_view::is_scaled(profile) {
        format!("{line}; code by sampled stacks, scaled to the exact counts")
    } else {
        line
    }
}

/// XML has no way to write control characters, and two more.
fn printable(text: &str) -> String {
    let is_out = |letter: char| letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}');
    text.replace(is_out, " ")
}

/// Without entries there is nothing to draw, which is good news.
fn nothing(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg version=\"1.1\" width=\"1200\" \
         height=\"60\" viewBox=\"0 0 1200 60\" xmlns=\"http://www.w3.org/2000/svg\">\n<text \
         x=\"600\" y=\"35\" text-anchor=\"middle\" font-family=\"monospace\">No entries into the \
         kernel</text>\n</svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{empty, nasty, random_names};

    fn drawn(profile: &Profile) -> String {
        let mut svg = Vec::new();
        write(profile, &mut svg).expect("written to memory");
        String::from_utf8(svg).expect("UTF-8")
    }

    /// The same profile is drawn the same, and asks nothing of a network.
    #[test]
    fn drawings_are_repeatable_and_self_contained() {
        let profile = nasty("f", true);
        let svg = drawn(&profile);
        assert_eq!(svg, drawn(&profile));
        for other in ["href=\"http", "src=", "@import", "url(http"] {
            assert!(!svg.contains(other), "{other}");
        }
        assert!(drawn(&empty()).contains("No entries"));
    }

    /// No name can end the text that it stands in.
    #[test]
    fn names_stay_text() {
        for name in random_names(50) {
            let svg = drawn(&nasty(&name, false));
            assert!(!svg.contains("<b>"), "{name:?}");
            let is_out =
                |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t' | '\r');
            assert!(!svg.contains(is_out), "{name:?}");
        }
    }
}
