//! The load generator from outside: its command line, its results, and what it
//! shares with programs in other languages.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "all of this is tests: a panic fails them, and a skip says why"
)]

mod command_line;
mod header;
mod load;
mod support;
mod verify;
