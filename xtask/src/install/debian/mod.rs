//! Debian's archive, as far as one package out of another suite needs it.

mod apt_sources;
pub(crate) mod archive;
mod index;

pub(crate) use index::Package;
