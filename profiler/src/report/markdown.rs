//! Any view as GitHub-flavoured Markdown, for issues, reviews and job summaries.

use std::io::{self, Write};

use super::{
    units::{count, share},
    view::{Block, Cell, Fact, Kind, List, Points, Stacks, Table, Tone, View, tree::Tree},
};

/// Rows of a list: a comment on GitHub holds 65,536 characters.
const ROWS: usize = 40;

/// Writes a view.
///
/// # Errors
/// Whatever the output reports.
pub fn write(view: &View, out: &mut dyn Write) -> io::Result<()> {
    let verdict = text(&view.verdict);
    if view.title.is_empty() {
        writeln!(out, "### {verdict}")?;
    } else {
        let title = if view.is_command {
            code(&view.title)
        } else {
            text(&view.title)
        };
        writeln!(out, "### {}: {title}\n\n**{verdict}**", view.subject)?;
    }
    for remark in &view.remarks {
        writeln!(out, "\n{}", text(remark))?;
    }
    for alarm in &view.alarms {
        writeln!(out, "\n**{}**", text(alarm))?;
    }
    for section in &view.sections {
        writeln!(out, "\n#### {}", text(&section.title))?;
        for block in &section.blocks {
            self::block(block, out)?;
        }
    }
    Ok(())
}

fn block(block: &Block, out: &mut dyn Write) -> io::Result<()> {
    let is_empty = matches!(block, Block::Facts(facts) if facts.is_empty());
    if is_empty || matches!(block, Block::Chart(_)) {
        return Ok(());
    }
    writeln!(out)?;
    match block {
        Block::Facts(facts) => facts.iter().try_for_each(|one| fact(one, "", out)),
        Block::Table(table) => self::table(table, out),
        Block::Prose(prose) if prose.tone == Tone::Alarm => {
            writeln!(out, "**{}**", text(&prose.text))
        }
        Block::Prose(prose) => writeln!(out, "{}", text(&prose.text)),
        Block::Points(points) => self::points(points, out),
        Block::Stacks(stacks) => self::stacks(stacks, out),
        Block::Command(command) => writeln!(out, "{}", code(command)),
        Block::Tree(tree) => self::tree(tree, out),
        Block::Chart(_) => Ok(()),
    }
}

fn fact(fact: &Fact, indent: &str, out: &mut dyn Write) -> io::Result<()> {
    if fact.name.is_empty() {
        return writeln!(out, "{indent}  - {}", text(&fact.text));
    }
    writeln!(out, "{indent}- {}: {}", text(&fact.name), text(&fact.text))
}

/// Says how much of a list is not shown.
fn more(list: List, length: usize, most: usize, out: &mut dyn Write) -> io::Result<()> {
    if length <= most {
        return Ok(());
    }
    let left = count((length - most) as u64);
    writeln!(
        out,
        "\nand {left} more {}: `--format json` has them all",
        list.what
    )
}

fn table(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let headings: Vec<String> = table.columns.iter().map(|one| text(&one.heading)).collect();
    writeln!(out, "| {} |", headings.join(" | "))?;
    let rules = table.columns.iter().map(|column| match column.kind {
        Kind::Number => "---:",
        Kind::Text | Kind::Name | Kind::Path | Kind::Id => "---",
    });
    writeln!(out, "| {} |", rules.collect::<Vec<_>>().join(" | "))?;
    for row in table.rows.iter().take(ROWS) {
        let cells = row.iter().zip(&table.columns);
        let cells = cells.map(|(Cell { text, .. }, column)| match column.kind {
            Kind::Name | Kind::Path => code(text),
            Kind::Text | Kind::Id | Kind::Number => self::text(text),
        });
        writeln!(out, "| {} |", cells.collect::<Vec<_>>().join(" | "))?;
    }
    more(table.list, table.rows.len(), ROWS, out)
}

fn points(points: &Points, out: &mut dyn Write) -> io::Result<()> {
    for (number, (finding, facts)) in (1..).zip(points.points.iter().take(ROWS)) {
        writeln!(out, "{number}. **{}**", text(finding))?;
        facts.iter().try_for_each(|one| fact(one, "   ", out))?;
    }
    more(points.list, points.points.len(), ROWS, out)
}

fn stacks(stacks: &Stacks, out: &mut dyn Write) -> io::Result<()> {
    let most = stacks.list.usual;
    for stack in stacks.stacks.iter().take(most) {
        writeln!(out, "- {}", text(&stack.title))?;
        for frame in &stack.frames {
            writeln!(out, "  - {}", code(frame))?;
        }
        if let Some(remark) = &stack.remark {
            writeln!(out, "  - {}", text(remark))?;
        }
    }
    more(stacks.list, stacks.stacks.len(), most, out)
}

fn tree(tree: &Tree, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}\n", text(&tree.text))?;
    for (level, entries, name) in tree.lines() {
        let (indent, share) = ("  ".repeat(level), share(entries, tree.root.entries));
        writeln!(
            out,
            "{indent}- {} ({}) {}",
            count(entries),
            text(&share),
            code(name)
        )?;
    }
    Ok(())
}

/// Text in which nothing has a meaning, whoever wrote it.
fn text(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut escaped = String::with_capacity(text.len());
    for (place, &letter) in letters.iter().enumerate() {
        let is_word = |at: Option<usize>| {
            at.and_then(|at| letters.get(at))
                .is_some_and(|letter| letter.is_alphanumeric())
        };
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '|' => escaped.push_str("&#124;"),
            // GitHub looks for names of users after escapes are gone.
            '@' => escaped.push_str("@<!-- -->"),
            // Within a word it is itself, and names are full of it.
            '_' if is_word(place.checked_sub(1)) && is_word(Some(place + 1)) => escaped.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '#' | '$' | '!' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            letter if is_break(letter) => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Text as code, fenced by more backticks than it has in a row.
fn code(text: &str) -> String {
    let text = text.replace(is_break, " ");
    if text.trim().is_empty() {
        return String::new();
    }
    let longest = text.split(|letter| letter != '`').map(str::len).max();
    let fence = "`".repeat(longest.unwrap_or(0) + 1);
    // Code keeps a backslash; in front of a bar it belongs to the table.
    let text = text.replace('|', "\\|");
    if text.contains('`') || text.starts_with(' ') || text.ends_with(' ') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// What ends a line, and what does not show.
fn is_break(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        profile::merge::programs::By,
        report::{
            profile_view,
            testing::{nasty, random_names},
        },
    };

    /// What has a meaning is escaped, and an underscore only where it has one.
    #[test]
    fn meaning_is_taken_away() {
        assert_eq!(text("first_touch"), "first_touch");
        assert_eq!(text("_x_"), "\\_x\\_");
        assert_eq!(text("a|b<c>\n`*`"), "a&#124;b&lt;c&gt; \\`\\*\\`");
        assert_eq!(text("[x](y) @everybody"), "\\[x\\](y) @<!-- -->everybody");
    }

    /// A name with backticks is fenced by more of them.
    #[test]
    fn code_is_fenced() {
        assert_eq!(code("f"), "`f`");
        assert_eq!(code("a``b"), "``` a``b ```");
        assert_eq!(code("f|g"), "`f\\|g`");
        assert_eq!(code(" \n"), "");
    }

    /// Whatever the names: a table's rows have as many cells as its heading, no
    /// HTML gets through outside code, and no name begins a line.
    #[test]
    fn names_stay_in_their_cells() {
        for name in random_names(200) {
            let mut text = Vec::new();
            let view = profile_view::view(&nasty(&name, true), By::default());
            write(&view, &mut text).expect("written to memory");
            let text = String::from_utf8(text).expect("UTF-8");
            let mut width = None;
            for line in text.split('\n') {
                assert!(!line.contains('\r'), "{line:?}");
                let first = line.chars().next();
                // Our own sentences begin with these.
                let expected = "#*|-1 NCPT`";
                assert!(first.is_none_or(|c| expected.contains(c)), "{line:?}");
                if first != Some('|') {
                    width = None;
                    continue;
                }
                let bars = line.matches('|').count() - line.matches("\\|").count();
                assert_eq!(*width.get_or_insert(bars), bars, "{line:?} of {name:?}");
            }
        }
    }
}
