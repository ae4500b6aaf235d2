//! The formats that a report can have, and which of them a document has.

use clap::ValueEnum;

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables for people, fitted to the terminal.
    #[default]
    Table,
    /// The same with every row, and nothing cut whatever the terminal's width.
    Wide,
    /// One JSON document: everything that is known.
    Json,
    /// GitHub-flavoured Markdown, for issues and job summaries.
    Markdown,
    /// One row for each cause, phase and thread, and for each instruction.
    Csv,
    /// Collapsed stacks, for flame graph tools.
    Folded,
    /// A flame graph as one SVG file.
    Flamegraph,
    /// A trace for Perfetto or `chrome://tracing`.
    Trace,
    /// Metrics for Prometheus, such as the node exporter's textfile collector reads.
    Openmetrics,
    /// One HTML page, for a browser: it needs no network and runs no script.
    Html,
}

impl Format {
    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether escape sequences for emphasis have a place in it.
    #[must_use]
    pub const fn is_for_terminals(self) -> bool {
        matches!(self, Self::Table | Self::Wide)
    }
}

/// Names of formats, as a sentence lists them.
#[must_use]
pub fn list(formats: &[Format]) -> String {
    let names: Vec<String> = formats.iter().map(|format| format.name()).collect();
    names.join(", ")
}
