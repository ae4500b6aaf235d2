//! Width and emphasis, decided once for each output.

use anstyle::Style;
use terminal_size::{Width, terminal_size};

/// How much room there is, and whether emphasis will be seen.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Columns, or none where the output is not a terminal: then nothing is cut.
    pub columns: Option<usize>,
}

/// As many columns as this: room for every row, too.
const ENDLESS: usize = usize::MAX;

impl Look {
    /// All there is, whatever the terminal.
    pub const WIDE: Self = Self {
        columns: Some(ENDLESS),
    };

    /// Whether there is room for everything.
    #[must_use]
    pub fn is_wide(self) -> bool {
        self.columns == Some(ENDLESS)
    }

    /// Rows to show of a table of which this many are usually enough.
    #[must_use]
    pub fn rows(self, most: usize) -> usize {
        if self.is_wide() { usize::MAX } else { most }
    }

    /// For the terminal or pipe that standard output is.
    #[must_use]
    pub fn of_stdout() -> Self {
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
        let columns = is_terminal
            .then(terminal_size)
            .flatten()
            .map(|(Width(columns), _)| usize::from(columns));
        Self { columns }
    }
}

/// Headings and the verdict. The output stream drops it where it is not wanted.
pub const STRONG: Style = Style::new().bold();
/// What is wrong.
pub const ALARM: Style = anstyle::AnsiColor::Red.on_default().bold();
/// What is secondary.
pub const FAINT: Style = Style::new().dimmed();
