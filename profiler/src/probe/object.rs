//! The embedded eBPF object. The build script vouches that it is not stale.

/// The object's bytes, aligned as the ELF parser wants them.
pub(crate) static OBJECT: &[u8] = aya::include_bytes_aligned!(env!("MODESWITCH_BPF_OBJECT"));
