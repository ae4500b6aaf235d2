//! What can be changed about a program from outside, and changed back.

pub mod apply;
pub mod guard;
pub mod machine;
pub mod model;
