//! Entries by the code responsible.

use crate::{
    profile::{
        code::base_name,
        merge::programs::{self, By, Owned},
        model::{CodeRow, Profile},
    },
    report::{
        units::{count, share},
        view::{
            Block, Cell, Kind, List, Scope, Section, Stack, Stacks, Table, Tone, column,
            full_column,
        },
    },
};

/// Entries by instruction.
pub(super) fn by_code(profile: &Profile, by: By) -> Option<Section> {
    let rows = programs::code(profile, by);
    rows.first()?;
    let cells = rows.iter().map(|Owned { owner, row }| {
        vec![
            row.cause.to_string().into(),
            row.detail.clone().into(),
            owner.clone().into(),
            place(row),
            count(row.count).into(),
            share(row.count, profile.ledger.total).into(),
        ]
    });
    let table = Table {
        caption: "Page faults and system calls by instruction".to_owned(),
        list: List {
            what: "instructions",
            field: "ledger.by_code",
            usual: 12,
        },
        columns: vec![
            column("cause", Kind::Text),
            column("detail", Kind::Name),
            column("process", Kind::Id),
            column("code", Kind::Name),
            column("count", Kind::Number),
            full_column("share", Kind::Number),
        ],
        heads: 4,
        rows: cells.collect(),
        scope: Scope::Always,
    };
    let mut blocks = vec![Block::Table(table)];
    blocks.extend(reasons(&rows));
    Some(Section::new("code", "By code", blocks))
}

/// An instruction in words.
fn place(row: &CodeRow) -> Cell {
    let module = row.module.as_deref().map(base_name);
    let Some(symbol) = &row.symbol else {
        let text = match (module, &row.module_address) {
            (Some(module), Some(address)) => format!("{module}+{address}"),
            (Some(module), None) => format!("{module} {}", row.user_ip),
            (None, _) => row.user_ip.clone(),
        };
        return text.into();
    };
    let line = row.file.as_ref().zip(row.line);
    let mut text = symbol.clone();
    if let Some((file, line)) = line {
        text = format!("{text} {file}:{line}");
    }
    if let Some(module) = module {
        text = format!("{text} ({module})");
    }
    // The file and the line are worth more than the end of a long name.
    let end = match (line, module) {
        (Some((file, line)), _) => format!(" {}:{line}", base_name(file)),
        (None, Some(module)) => format!(" ({module})"),
        (None, None) => String::new(),
    };
    Cell {
        text,
        narrow: Some((symbol.clone(), end)),
    }
}

/// Why the first instructions have no name, each reason once.
fn reasons(rows: &[Owned<CodeRow>]) -> impl Iterator<Item = Block> {
    let mut reasons: Vec<&str> = rows
        .iter()
        .take(100)
        .map(|owned| &owned.row)
        .filter(|row| row.symbol.is_none())
        .filter_map(|row| row.reason.as_deref())
        .collect();
    reasons.sort_unstable();
    reasons.dedup();
    let reasons = reasons.into_iter();
    reasons.map(|reason| Block::prose(Tone::Faint, format!("no name: {reason}")))
}

/// Call chains of the program.
pub(super) fn user_stacks(profile: &Profile) -> Option<Section> {
    let stacks = profile.ledger.user_stacks.iter().map(|stack| Stack {
        title: format!("{} × {} {}", count(stack.count), stack.cause, stack.detail),
        frames: stack.frames.clone(),
        remark: stack.truncated.as_ref().map(ToString::to_string),
    });
    let list = List {
        what: "stacks",
        field: "ledger.user_stacks",
        usual: 5,
    };
    section("user-stacks", "User stacks", list, stacks.collect())
}

/// Call chains in the kernel.
pub(super) fn kernel_stacks(profile: &Profile) -> Option<Section> {
    let stacks = profile.ledger.kernel_stacks.iter().map(|stack| Stack {
        title: format!("{} × {} {}", count(stack.count), stack.cause, stack.detail),
        frames: stack.frames.clone(),
        remark: None,
    });
    let list = List {
        what: "stacks",
        field: "ledger.kernel_stacks",
        usual: 5,
    };
    section("kernel-stacks", "Kernel stacks", list, stacks.collect())
}

fn section(id: &'static str, title: &str, list: List, stacks: Vec<Stack>) -> Option<Section> {
    stacks.first()?;
    let stacks = Block::Stacks(Stacks { list, stacks });
    Some(Section::new(id, title, vec![stacks]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function goes with its file, its line and its module; where there is little
    /// room, with the file's own name. Without a name the place in the module stands,
    /// and without that the address.
    #[test]
    fn instructions_have_names() {
        let mut row = CodeRow {
            user_ip: "0x5555".to_owned(),
            symbol: Some("f".to_owned()),
            file: Some("/home/me/source.c".to_owned()),
            line: Some(312),
            module: Some("/usr/lib/libx.so".to_owned()),
            module_address: Some("0x1234".to_owned()),
            ..CodeRow::default()
        };
        let cell = place(&row);
        assert_eq!(cell.text, "f /home/me/source.c:312 (libx.so)");
        let narrow = ("f".to_owned(), " source.c:312".to_owned());
        assert_eq!(cell.narrow, Some(narrow));
        row.symbol = None;
        assert_eq!(place(&row).text, "libx.so+0x1234");
        row.module = None;
        assert_eq!(place(&row).text, "0x5555");
    }
}
