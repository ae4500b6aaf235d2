//! Rare diagnostics out of the programs, through aya-log, with `-v`.

use anyhow::{Context, Result};
use aya::Ebpf;
use aya_log::EbpfLogger;
use tokio::io::{Interest, unix::AsyncFd};

/// Passes the programs' messages to our logger until the runtime ends.
///
/// # Errors
/// If the message buffer cannot be opened or watched.
pub fn forward(ebpf: &mut Ebpf) -> Result<()> {
    let logger = EbpfLogger::init(ebpf).context("cannot open the programs' message buffer")?;
    // SAFETY: the logger keeps the ring buffer's descriptor until it is dropped.
    let mut logger = unsafe { AsyncFd::register_with_interest(logger, Interest::READABLE) }
        .context("cannot watch the programs' message buffer")?;
    tokio::task::spawn_local(async move {
        while let Ok(mut ready) = logger.readable_mut().await {
            ready.get_inner_mut().flush();
            ready.clear_ready();
        }
    });
    Ok(())
}
