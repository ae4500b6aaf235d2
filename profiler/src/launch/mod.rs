//! Starting the command, holding it until the probes are armed, and waiting.

pub mod command;
pub mod gate;
pub mod signals;
pub mod supervise;
pub mod user;
