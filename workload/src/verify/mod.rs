//! The classic SQPOLL example, claim by claim.

mod claim;
mod exchange;
mod steps;
mod trace;
mod trace_line;
mod tracefs;

pub(crate) use steps::run;
#[cfg(test)]
pub(crate) use tracefs::Tracefs;
