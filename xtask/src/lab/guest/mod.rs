//! One guest, from power-on to its end.

mod accelerator;
mod boot;
mod console;
mod ending;
mod follow;
mod machine;
mod script;
mod share;
mod signals;

pub(super) use boot::{EVIDENCE, Lab, Limits};
pub(super) use ending::Ending;
pub(super) use machine::Machine;
pub(super) use script::Script;
pub(super) use share::IN_GUEST;
pub(super) use signals::Signals;
