//! Entries by the code responsible.

use maud::{Markup, html};

use crate::{
    profile::model::Profile,
    report::{
        code::place,
        html::{
            page::Section,
            table::{Kind, more, table},
            text::{sentence, short},
        },
        units::{count, share},
    },
};

/// Rows of the table.
const ROWS: usize = 100;
/// Stacks shown, and frames of each.
const STACKS: usize = 12;
const FRAMES: usize = 64;

/// The section.
#[must_use]
pub fn section(profile: &Profile) -> Section {
    let rows = &profile.ledger.by_code;
    let columns = [
        ("code", Kind::Code),
        ("cause", Kind::Text),
        ("detail", Kind::Code),
        ("process", Kind::Number),
        ("count", Kind::Number),
        ("share", Kind::Number),
    ];
    let cells = rows.iter().take(ROWS).map(|row| {
        vec![
            place(row, None),
            row.cause.to_string(),
            row.detail.clone(),
            row.tgid.to_string(),
            count(row.count),
            share(row.count, profile.ledger.total),
        ]
    });
    let body = html! {
        @if rows.is_empty() {
            p { "No instruction was recorded." }
        } @else {
            (table("Page faults and system calls by instruction", &columns, 1, cells))
            (more(rows.len(), ROWS, "instructions", "ledger.by_code"))
            (reasons(profile))
        }
        (kernel_stacks(profile))
    };
    Section::new("code", "By code", body)
}

/// Why instructions have no name, each reason once.
fn reasons(profile: &Profile) -> Markup {
    let shown = profile.ledger.by_code.iter().take(ROWS);
    let mut reasons: Vec<&str> = shown
        .filter(|row| row.symbol.is_none())
        .filter_map(|row| row.reason.as_deref())
        .collect();
    reasons.sort_unstable();
    reasons.dedup();
    html! {
        @if !reasons.is_empty() {
            p { "Why some have no name:" }
            ul { @for reason in reasons { li { (sentence(reason)) } } }
        }
    }
}

fn kernel_stacks(profile: &Profile) -> Markup {
    let stacks = &profile.ledger.kernel_stacks;
    html! {
        @if !stacks.is_empty() {
            h3 { "Kernel stacks" }
            @for stack in stacks.iter().take(STACKS) {
                details {
                    summary { (count(stack.count)) " × " (stack.cause) " " (stack.detail) }
                    ol.frames {
                        @for frame in stack.frames.iter().take(FRAMES) { li { code { (short(frame)) } } }
                    }
                }
            }
            (more(stacks.len(), STACKS, "kernel stacks", "ledger.kernel_stacks"))
        }
    }
}
