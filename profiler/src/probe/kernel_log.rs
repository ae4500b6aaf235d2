//! Rare diagnostics out of the programs, through aya-log, with `-v`.

use anyhow::{Context, Result};
use aya::Ebpf;
use aya_log::EbpfLogger;

/// The programs' messages, passed on to our log whenever they are asked for:
/// by a clock and at the end, never by a wake-up from a measured CPU.
pub struct KernelLog {
    logger: Option<EbpfLogger<&'static dyn log::Log>>,
}

impl KernelLog {
    /// Opens the message buffer, if messages are wanted.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(ebpf: &mut Ebpf, wanted: bool) -> Result<Self> {
        let logger = wanted
            .then(|| EbpfLogger::init(ebpf).context("cannot open the programs' message buffer"))
            .transpose()?;
        Ok(Self { logger })
    }

    /// Passes on what has come in since the last time.
    pub fn pass_on(&mut self) {
        if let Some(logger) = &mut self.logger {
            logger.flush();
        }
    }
}
