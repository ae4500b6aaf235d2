//! What was mapped where in the target's processes, and when. A target may be
//! gone before anybody asks, so this is taken down while it runs.

pub mod data;
mod files;
mod jit;
pub mod proc_maps;
mod record;
mod ring;
pub mod timeline;
pub mod tracker;

pub use files::KeptFiles;
pub use jit::JitMaps;
