//! What the exit status of `modeswitch` means.

/// The command did what it was asked to do.
pub const SUCCESS: u8 = 0;
/// A budget was breached.
pub const BUDGET_BREACHED: u8 = 1;
/// The command line or an input file is wrong.
pub const USAGE: u8 = 2;
/// This machine, kernel or user cannot do it; the message says what could.
pub const ENVIRONMENT: u8 = 3;
/// The measurement is not good enough to judge by.
pub const INCONCLUSIVE: u8 = 4;
/// The command to be measured could not be started.
pub const TARGET_NOT_STARTED: u8 = 5;
/// A result could not be written.
pub const OUTPUT: u8 = 6;
/// Internal error.
pub const INTERNAL: u8 = 70;
/// `run` ends with this plus the signal's number where a signal ended the command.
pub const SIGNAL_BASE: u8 = 128;
