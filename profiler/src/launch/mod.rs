//! Starting the command, holding it until the probes are armed, and waiting.

mod c_string;
pub mod command;
pub mod conditions;
pub mod gate;
pub mod inject;
pub mod signals;
pub mod supervise;
pub mod user;
