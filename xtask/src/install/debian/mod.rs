//! Debian's archive, as far as one package out of another suite needs it.

mod apt_sources;
pub(super) mod archive;
mod index;
