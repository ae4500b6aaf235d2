//! Tables, by tabled.

use tabled::{
    builder::Builder,
    settings::{Alignment, Modify, Style, Width, object::Columns, peaker::PriorityMax},
};

use super::style::Look;

/// Makes a table: a heading row, and rows of which the first `text_columns`
/// columns are text and the others numbers.
#[must_use]
pub fn render(
    heading: &[String],
    rows: impl IntoIterator<Item = Vec<String>>,
    text_columns: usize,
    look: Look,
) -> String {
    let mut builder = Builder::default();
    builder.push_record(heading);
    for row in rows {
        builder.push_record(row);
    }
    let mut table = builder.build();
    table
        .with(Style::psql())
        .with(Modify::new(Columns::new(text_columns..)).with(Alignment::right()));
    if let Some(columns) = look.columns {
        table.with(
            Width::truncate(columns)
                .suffix("…")
                .priority(PriorityMax::right()),
        );
    }
    let text = table.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}
