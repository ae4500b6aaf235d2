//! Any view on a terminal, or in a pipe.

use std::io::{self, Write};

use tabled::{
    builder::Builder,
    settings::{Alignment, Modify, Style, object::Columns},
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{
    prose,
    style::{ALARM, FAINT, Look, STRONG},
    units::{count, share},
    view::{
        Block, Cell, Column, Fact, Kind, List, Points, Prose, Scope, Stacks, Table, Tone, View,
        tree::Tree,
    },
};

/// Writes a view.
///
/// # Errors
/// Whatever the output reports.
pub fn write(view: &View, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let style = if view.is_bad { ALARM } else { STRONG };
    prose::sentence(out, look, style, &view.verdict)?;
    for remark in &view.remarks {
        prose::sentence(out, look, STRONG, remark)?;
    }
    for alarm in &view.alarms {
        prose::sentence(out, look, ALARM, alarm)?;
    }
    for section in view
        .sections
        .iter()
        .filter(|found| is_shown(found.scope, look))
    {
        writeln!(out, "\n{STRONG}{}{STRONG:#}", section.title)?;
        let mut is_first = true;
        for block in &section.blocks {
            is_first &= !self::block(block, is_first, look, out)?;
        }
    }
    Ok(())
}

fn is_shown(scope: Scope, look: Look) -> bool {
    scope == Scope::Always || look.is_wide()
}

/// Writes a block; whether there was anything to write.
fn block(block: &Block, is_first: bool, look: Look, out: &mut dyn Write) -> io::Result<bool> {
    match block {
        Block::Facts(facts) => {
            let shown = || facts.iter().filter(|fact| is_shown(fact.scope, look));
            for Fact { name, text, .. } in shown() {
                prose::labelled(out, look, name, text)?;
            }
            return Ok(shown().next().is_some());
        }
        Block::Table(table) if is_shown(table.scope, look) => {
            if !is_first {
                writeln!(out)?;
            }
            self::table(table, look, out)?;
        }
        Block::Prose(Prose { tone, text, scope }) if is_shown(*scope, look) => {
            let style = match tone {
                Tone::Plain | Tone::Good => anstyle::Style::new(),
                Tone::Alarm => ALARM,
                Tone::Faint => FAINT,
            };
            prose::sentence(out, look, style, text)?;
        }
        Block::Points(points) => self::points(points, look, out)?,
        Block::Stacks(stacks) => self::stacks(stacks, look, out)?,
        Block::Command(command) => writeln!(out, "  {command}")?,
        Block::Tree(tree) if look.is_wide() => self::tree(tree, out)?,
        Block::Table(_) | Block::Prose(_) | Block::Chart(_) | Block::Tree(_) => return Ok(false),
    }
    Ok(true)
}

/// Says how much of a list is not shown.
fn more(list: List, length: usize, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let shown = look.rows(list.usual);
    if length <= shown {
        return Ok(());
    }
    let more = count((length - shown) as u64);
    let text = format!(
        "and {more} more {}: `--format wide` has them all",
        list.what
    );
    prose::sentence(out, look, FAINT, &text)
}

fn points(points: &Points, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let shown = points.points.iter().take(look.rows(points.list.usual));
    for (number, (finding, facts)) in (1..).zip(shown) {
        prose::sentence(out, look, STRONG, &format!("{number}. {finding}"))?;
        for fact in facts {
            if fact.name.is_empty() {
                prose::indented(out, look, anstyle::Style::new(), &fact.text)?;
            } else {
                prose::labelled(out, look, &format!("   {}", fact.name), &fact.text)?;
            }
        }
    }
    more(points.list, points.points.len(), look, out)
}

fn stacks(stacks: &Stacks, look: Look, out: &mut dyn Write) -> io::Result<()> {
    for stack in stacks.stacks.iter().take(look.rows(stacks.list.usual)) {
        writeln!(out, "{}", stack.title)?;
        for frame in &stack.frames {
            prose::indented(out, look, anstyle::Style::new(), frame)?;
        }
        if let Some(remark) = &stack.remark {
            prose::indented(out, look, FAINT, &format!("[{remark}]"))?;
        }
    }
    Ok(())
}

fn tree(tree: &Tree, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", tree.text)?;
    for (level, entries, name) in tree.lines() {
        let (count, share) = (count(entries), share(entries, tree.root.entries));
        writeln!(
            out,
            "{:indent$}{count} ({share}) {name}",
            "",
            indent = 2 * level
        )?;
    }
    writeln!(out, "{FAINT}parts below 1 % are left out{FAINT:#}")
}

/// Columns between two columns' texts: a space on either side of a rule.
const BETWEEN: usize = 3;
/// No column of text is made narrower than this.
const NARROWEST: usize = 8;

fn table(table: &Table, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let rows = &table.rows[..table.rows.len().min(look.rows(table.list.usual))];
    let shown: Vec<usize> = (0..table.columns.len())
        .filter(|&at| is_shown(table.columns[at].scope, look))
        .collect();
    let columns: Vec<&Column> = shown.iter().map(|&at| &table.columns[at]).collect();
    let rows: Vec<Vec<&Cell>> = rows
        .iter()
        .map(|row| shown.iter().filter_map(|&at| row.get(at)).collect())
        .collect();
    let room = look.columns.filter(|_| !look.is_wide());
    let widths = widths(&columns, &rows, room);
    let mut builder = Builder::default();
    let headings = columns.iter().zip(&widths);
    builder.push_record(headings.map(|(column, &width)| cut(&column.heading, width, Kind::Text)));
    for row in &rows {
        let cells = row.iter().zip(&columns).zip(&widths);
        builder.push_record(cells.map(|((cell, column), &width)| fit(cell, width, column.kind)));
    }
    let mut drawn = builder.build();
    drawn.with(Style::psql());
    for (at, column) in columns.iter().take(widths.len()).enumerate() {
        if column.kind == Kind::Number {
            drawn.with(Modify::new(Columns::one(at)).with(Alignment::right()));
        }
    }
    for line in drawn.to_string().lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    let left_out = columns.len() - widths.len();
    if left_out != 0 {
        let columns = if left_out == 1 { "column" } else { "columns" };
        let text = format!("no room for {left_out} {columns}: `--format wide` has them all");
        prose::sentence(out, look, FAINT, &text)?;
    }
    more(table.list, table.rows.len(), look, out)
}

/// How wide each column is made. Of a table that is too wide, the widest columns of
/// text are narrowed; if that is not enough, its last columns are left out.
fn widths(columns: &[&Column], rows: &[Vec<&Cell>], room: Option<usize>) -> Vec<usize> {
    let mut widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            let cells = cells.map(|cell| cell.text.width());
            cells.chain([column.heading.width()]).max().unwrap_or(0)
        })
        .collect();
    let Some(room) = room else { return widths };
    let taken = |widths: &[usize]| widths.iter().sum::<usize>() + BETWEEN * widths.len();
    while taken(&widths) > room + 1 {
        let widest = (0..widths.len())
            .filter(|&at| columns[at].kind != Kind::Number && widths[at] > NARROWEST)
            .max_by_key(|&at| widths[at]);
        match widest {
            Some(at) => widths[at] -= 1,
            None if widths.len() > 1 => {
                widths.pop();
            }
            None => break,
        }
    }
    widths
}

/// A cell in so many columns.
fn fit(cell: &Cell, width: usize, kind: Kind) -> String {
    match &cell.narrow {
        Some((begin, end)) if cell.text.width() > width => {
            let left = width.saturating_sub(end.width());
            if left < NARROWEST {
                return cut(end.trim_start(), width, Kind::Path);
            }
            format!("{}{end}", cut(begin, left, Kind::Text))
        }
        _ => cut(&cell.text, width, kind),
    }
}

/// A text in so many columns, without the part that tells least.
fn cut(text: &str, width: usize, kind: Kind) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut keep = |letter: &char| {
        let width = letter.width().unwrap_or(0);
        let fits = width <= left;
        left = if fits { left - width } else { 0 };
        fits
    };
    if kind == Kind::Path {
        let mut end: Vec<char> = text.chars().rev().take_while(&mut keep).collect();
        end.push('…');
        end.iter().rev().collect()
    } else {
        let begin: String = text.chars().take_while(keep).collect();
        begin + "…"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::view::column;

    /// The beginning of a path goes, and the end of other texts; letters count as
    /// wide as they are shown.
    #[test]
    fn the_telling_part_is_kept() {
        assert_eq!(cut("/usr/lib/libc.so.6", 10, Kind::Path), "…libc.so.6");
        assert_eq!(cut("copy_on_write", 8, Kind::Name), "copy_on…");
        assert_eq!(cut("漢字漢字", 6, Kind::Name), "漢字…");
        let place = Cell {
            text: "a_function_with_a_long_name /home/me/source.c:312 (x.so)".to_owned(),
            narrow: Some((
                "a_function_with_a_long_name".to_owned(),
                " source.c:312".to_owned(),
            )),
        };
        assert_eq!(
            fit(&place, 30, Kind::Name),
            "a_function_with_… source.c:312"
        );
        assert_eq!(fit(&place, 14, Kind::Name), "source.c:312");
        assert_eq!(fit(&place, 99, Kind::Name), place.text);
    }

    /// Text gives way to numbers, which are whole or not there.
    #[test]
    fn numbers_are_not_cut() {
        let columns = [
            column("mapping", Kind::Path),
            column("faults", Kind::Number),
            column("pages", Kind::Number),
        ];
        let columns: Vec<&Column> = columns.iter().collect();
        let row = ["/usr/lib/x86_64-linux-gnu/libc.so.6", "1,000,000", "7"].map(Cell::from);
        let rows = [row.iter().collect()];
        assert_eq!(widths(&columns, &rows, None), [35, 9, 5]);
        assert_eq!(widths(&columns, &rows, Some(40)), [18, 9, 5]);
        assert_eq!(widths(&columns, &rows, Some(26)), [8, 9]);
    }
}
