//! Running the binary and reading what it says.

pub(crate) mod background;
pub(crate) mod bpftrace;
pub(crate) mod builds;
pub(crate) mod command;
pub(crate) mod control_group;
pub(crate) mod dom;
pub(crate) mod evidence;
pub(crate) mod json_schema;
pub(crate) mod known;
pub(crate) mod profile;
pub(crate) mod setting;
pub(crate) mod skip;
pub(crate) mod snapshot;
pub(crate) mod targets;
