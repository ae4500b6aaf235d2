//! Colours by meaning. The colours themselves are in the style sheet.

/// Classes for colours, in the order in which they are used. They differ in
/// lightness too, so that no pair depends on telling red from green.
const SERIES: [&str; 7] = ["s0", "s1", "s2", "s3", "s4", "s5", "s6"];

/// How many series have a colour of their own.
pub const COLOURS: usize = SERIES.len();

/// The class of the n-th series. Beyond the last, grey.
#[must_use]
pub fn series(n: usize) -> &'static str {
    SERIES.get(n).copied().unwrap_or("s6")
}

/// The class of a cause: the same everywhere.
#[must_use]
pub fn cause(name: &str) -> &'static str {
    match name {
        "syscall" => series(0),
        "page_fault" => series(1),
        "interrupt" => series(2),
        "nmi" => series(3),
        "exception" => series(4),
        "new_task" => series(5),
        _ => series(6),
    }
}
