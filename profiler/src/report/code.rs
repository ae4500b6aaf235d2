//! The tables by code as text.

use std::io::{self, Write};

use anstyle::Style;

use super::{
    prose,
    style::{FAINT, Look, STRONG},
    table,
    units::count,
};
use crate::profile::{
    code::base_name,
    model::{CodeRow, Profile},
};

/// Rows shown.
const LONGEST: usize = 12;
/// Stacks shown.
const STACKS: usize = 5;
/// Columns that the rest of the table needs.
const BESIDE: usize = 62;
/// No narrower than this, whatever the terminal says.
const NARROWEST: usize = 24;

/// Writes the table of instructions.
///
/// # Errors
/// Whatever the output reports.
pub fn write(profile: &Profile, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let rows = &profile.ledger.by_code;
    if rows.is_empty() {
        return Ok(());
    }
    let most = look.rows(LONGEST);
    let shown = &rows[..rows.len().min(most)];
    let room = look
        .columns
        .map(|columns| columns.saturating_sub(BESIDE).max(NARROWEST));
    let columns = ["cause", "detail", "process", "code", "count"].map(str::to_owned);
    let cells = shown.iter().map(|row| {
        vec![
            row.cause.to_string(),
            row.detail.clone(),
            row.tgid.to_string(),
            place(row, room),
            count(row.count),
        ]
    });
    writeln!(out, "\n{STRONG}By code{STRONG:#}")?;
    write!(out, "{}", table::render(&columns, cells, 4, look))?;
    if rows.len() > most {
        let more = count((rows.len() - most) as u64);
        writeln!(
            out,
            "{FAINT}and {more} more instructions: `--format wide` has them all{FAINT:#}"
        )?;
    }
    reasons(shown, look, out)
}

/// An instruction in words, as many as there is room for.
pub(super) fn place(row: &CodeRow, room: Option<usize>) -> String {
    let module = row.module.as_deref().map(base_name);
    let Some(symbol) = &row.symbol else {
        return match (module, &row.module_address) {
            (Some(module), Some(address)) => format!("{module}+{address}"),
            (Some(module), None) => format!("{module} {}", row.user_ip),
            (None, _) => row.user_ip.clone(),
        };
    };
    let beside = |name: &str| match (&row.file, row.line) {
        (Some(file), Some(line)) => format!("{name} {file}:{line}"),
        _ => name.to_owned(),
    };
    let whole = match module {
        Some(module) => format!("{} ({module})", beside(symbol)),
        None => beside(symbol),
    };
    let Some(room) = room.filter(|&room| whole.chars().count() > room) else {
        return whole;
    };
    let tail = match (&row.file, row.line) {
        (Some(file), Some(line)) => format!(" {}:{line}", base_name(file)),
        _ => module.map_or_else(String::new, |module| format!(" ({module})")),
    };
    // The file and the line are worth more than the end of a long name.
    let left = room.saturating_sub(tail.chars().count()).max(NARROWEST / 3);
    if symbol.chars().count() <= left {
        return format!("{symbol}{tail}");
    }
    let begin: String = symbol.chars().take(left.saturating_sub(1)).collect();
    format!("{begin}…{tail}")
}

/// Why instructions have no name, each reason once.
fn reasons(rows: &[CodeRow], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut reasons: Vec<&str> = rows
        .iter()
        .filter(|row| row.symbol.is_none())
        .filter_map(|row| row.reason.as_deref())
        .collect();
    reasons.sort_unstable();
    reasons.dedup();
    for reason in reasons {
        prose::sentence(out, look, FAINT, &format!("no name: {reason}"))?;
    }
    Ok(())
}

/// Writes the most frequent user stacks.
///
/// # Errors
/// Whatever the output reports.
pub fn stacks(profile: &Profile, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let stacks = &profile.ledger.user_stacks;
    if stacks.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{STRONG}User stacks{STRONG:#}")?;
    for stack in stacks.iter().take(look.rows(STACKS)) {
        let times = count(stack.count);
        writeln!(out, "{times} × {} {}", stack.cause, stack.detail)?;
        for frame in &stack.frames {
            prose::indented(out, look, Style::new(), frame)?;
        }
        if let Some(reason) = &stack.truncated {
            prose::indented(out, look, FAINT, &format!("[{reason}]"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> CodeRow {
        CodeRow {
            user_ip: "0x5555".to_owned(),
            symbol: Some("a_function_with_a_long_name".to_owned()),
            file: Some("/home/somebody/project/source.c".to_owned()),
            line: Some(312),
            module: Some("/usr/lib/libx.so".to_owned()),
            module_address: Some("0x1234".to_owned()),
            ..CodeRow::default()
        }
    }

    /// With room everything is there; without, the function's beginning and the
    /// file's own name and line.
    #[test]
    fn narrow_places_keep_what_matters() {
        let whole = "a_function_with_a_long_name /home/somebody/project/source.c:312 (libx.so)";
        assert_eq!(place(&row(), None), whole);
        assert_eq!(
            place(&row(), Some(40)),
            "a_function_with_a_long_name source.c:312"
        );
        assert_eq!(place(&row(), Some(30)), "a_function_with_… source.c:312");
    }

    /// Without a name the place in the module stands, and without that the address.
    #[test]
    fn nameless_places() {
        let mut row = row();
        row.symbol = None;
        assert_eq!(place(&row, Some(24)), "libx.so+0x1234");
        row.module = None;
        assert_eq!(place(&row, None), "0x5555");
    }
}
