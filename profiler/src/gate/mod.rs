//! Whether counts keep within what was agreed: a budget, or an earlier state.
//! Pure: works on profiles, needs no root and no kernel.

pub mod baseline;
pub mod budget;
mod culprit;
pub mod diagnostic;
pub mod evidence;
pub mod judge;
pub mod judged;
pub mod margin;
mod names;
pub mod parse;
pub mod update;
pub mod verdict;
pub mod write;

#[cfg(test)]
mod judge_tests;
#[cfg(test)]
pub(crate) mod samples;
