//! A document as people read it, whatever shows it: the same sections, tables and
//! numbers on a terminal, in Markdown and on a page. Pure data.

pub mod chart;
pub mod tree;

use chart::Chart;
use tree::Tree;

/// A document.
#[derive(Debug, Default)]
pub struct View {
    /// What kind of document it is: `profile`.
    pub kind: &'static str,
    /// The heading in front of the title.
    pub subject: &'static str,
    /// What it is about: a command, or a question; nothing where the verdict says it.
    pub title: String,
    /// Whether the title is a command.
    pub is_command: bool,
    /// The result in one sentence.
    pub verdict: String,
    /// Whether the verdict is bad news.
    pub is_bad: bool,
    /// What belongs to the verdict and is no alarm.
    pub remarks: Vec<String>,
    /// What limits the result.
    pub alarms: Vec<String>,
    /// The numbers of the verdict by name, for pages.
    pub tiles: Vec<(&'static str, String)>,
    /// Its parts, in order.
    pub sections: Vec<Section>,
    /// The version of the document's schema.
    pub schema_version: u32,
}

/// Where something is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Wherever the document is shown.
    #[default]
    Always,
    /// Where there is room: not in a terminal's usual tables.
    Full,
}

/// A part of a document under a heading.
#[derive(Debug)]
pub struct Section {
    /// Its anchor.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// Where it is shown.
    pub scope: Scope,
    /// What is in it, in order.
    pub blocks: Vec<Block>,
}

impl Section {
    /// A part that is always shown.
    #[must_use]
    pub fn new(id: impl Into<String>, title: impl Into<String>, blocks: Vec<Block>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            scope: Scope::Always,
            blocks,
        }
    }

    /// A part that takes room.
    #[must_use]
    pub fn full(id: impl Into<String>, title: impl Into<String>, blocks: Vec<Block>) -> Self {
        Self {
            scope: Scope::Full,
            ..Self::new(id, title, blocks)
        }
    }
}

/// One thing in a section.
#[derive(Debug)]
pub enum Block {
    /// Names beside what is to be said of them.
    Facts(Vec<Fact>),
    /// A table.
    Table(Table),
    /// A sentence.
    Prose(Prose),
    /// Numbered findings.
    Points(Points),
    /// Call stacks.
    Stacks(Stacks),
    /// A command to be typed.
    Command(String),
    /// A picture. Those that cannot show it have its numbers in a table.
    Chart(Chart),
    /// Entries and what they consist of.
    Tree(Tree),
}

impl Block {
    /// A sentence that is always shown.
    #[must_use]
    pub fn prose(tone: Tone, text: impl Into<String>) -> Self {
        Self::Prose(Prose {
            tone,
            text: text.into(),
            scope: Scope::Always,
        })
    }

    /// A sentence that is shown where there is room.
    #[must_use]
    pub fn full_prose(tone: Tone, text: impl Into<String>) -> Self {
        Self::Prose(Prose {
            tone,
            text: text.into(),
            scope: Scope::Full,
        })
    }
}

/// A name and what is to be said of it.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Its name; empty where it goes on with the one before it.
    pub name: String,
    /// The rest.
    pub text: String,
    /// Where it is shown.
    pub scope: Scope,
}

impl Fact {
    /// A fact that is always shown.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
            scope: Scope::Always,
        }
    }

    /// A fact that is shown where there is room.
    #[must_use]
    pub fn full(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            scope: Scope::Full,
            ..Self::new(name, text)
        }
    }
}

/// How a sentence is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// Good news.
    Good,
    /// What must not be missed.
    Alarm,
    /// Beside the matter.
    Faint,
}

/// A sentence.
#[derive(Clone, Debug)]
pub struct Prose {
    /// How it is meant.
    pub tone: Tone,
    /// Its words. Names in it may stand between backticks.
    pub text: String,
    /// Where it is shown.
    pub scope: Scope,
}

/// Findings, the most important first.
#[derive(Clone, Debug)]
pub struct Points {
    /// What there is to read.
    pub list: List,
    /// The findings, and what is to be said of each.
    pub points: Vec<(String, Vec<Fact>)>,
}

/// Stacks, the most frequent first.
#[derive(Clone, Debug)]
pub struct Stacks {
    /// What there is to read.
    pub list: List,
    /// The stacks.
    pub stacks: Vec<Stack>,
}

/// One stack.
#[derive(Clone, Debug)]
pub struct Stack {
    /// How often it was seen, and at what.
    pub title: String,
    /// Its frames, the innermost first.
    pub frames: Vec<String>,
    /// Why its end is missing, if it is.
    pub remark: Option<String>,
}

/// How much of a list is usually read, and where all of it is.
#[derive(Clone, Copy, Debug)]
pub struct List {
    /// What it is a list of: `threads`.
    pub what: &'static str,
    /// The field of the document that has all of it.
    pub field: &'static str,
    /// As many as are usually enough.
    pub usual: usize,
}

/// What a column holds, which decides how it is set and where it is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words, to the left.
    Text,
    /// Names from programs: set like code.
    Name,
    /// Names whose beginning tells least, such as paths.
    Path,
    /// Numbers that name something, such as a thread.
    Id,
    /// Amounts, to the right. They are never cut.
    Number,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its heading.
    pub heading: String,
    /// What it holds.
    pub kind: Kind,
    /// Where it is shown.
    pub scope: Scope,
}

/// A column that is always shown.
#[must_use]
pub fn column(heading: impl Into<String>, kind: Kind) -> Column {
    Column {
        heading: heading.into(),
        kind,
        scope: Scope::Always,
    }
}

/// A column that is shown where there is room.
#[must_use]
pub fn full_column(heading: impl Into<String>, kind: Kind) -> Column {
    Column {
        scope: Scope::Full,
        ..column(heading, kind)
    }
}

/// What stands at one place of a table.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// All of it.
    pub text: String,
    /// Where there is no room for it: a beginning that may be cut, and an end that
    /// is worth more.
    pub narrow: Option<(String, String)>,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, narrow: None }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// How much of it is usually read.
    pub list: List,
    /// Its columns.
    pub columns: Vec<Column>,
    /// So many columns at the left name the row.
    pub heads: usize,
    /// All of its rows, with a cell for each column.
    pub rows: Vec<Vec<Cell>>,
    /// Where it is shown.
    pub scope: Scope,
}
