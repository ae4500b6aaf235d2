//! Rows of the entry backend: the probe already knew the cause.

use profiler_common::{
    cause::CauseKind,
    vector::{DEVICE_IRQ_BASE, Trap, Vector},
};

use super::{
    cause::{Cause, InterruptSource},
    fault, returned, syscall,
};
use crate::{
    collect::{kernel_symbols::KernelSymbols, row::Row},
    kernel::interrupts::Interrupts,
};

/// The cause of a row of a machine with these interrupts and kernel functions.
pub(super) fn cause(row: &Row, interrupts: &Interrupts, symbols: &KernelSymbols) -> Cause {
    let Some(kind) = CauseKind::from_code(row.kind) else {
        return Cause::Unclassified(format!("unknown_code_{}", row.kind));
    };
    match kind {
        CauseKind::Syscall => Cause::Syscall(syscall::name(row.detail, row.flags)),
        CauseKind::PageFault => Cause::PageFault(fault::kind(row.detail)),
        CauseKind::Interrupt => Cause::Interrupt(interrupt(row.detail, interrupts)),
        CauseKind::Nmi => Cause::Nmi,
        CauseKind::NewTask => Cause::NewTask,
        CauseKind::Return => returned::cause(row, symbols),
        CauseKind::Exception => Cause::Exception(Trap::from_code(row.detail).map_or_else(
            || format!("trap_{}", row.detail),
            |trap| trap.name().to_owned(),
        )),
        CauseKind::Unclassified => Cause::Unclassified(format!("code_{}", row.detail)),
    }
}

/// The source of an interrupt, by the number in the row.
fn interrupt(detail: u32, table: &Interrupts) -> InterruptSource {
    if let Some(irq) = detail.checked_sub(DEVICE_IRQ_BASE) {
        let name = table
            .device(irq)
            .map_or_else(|| format!("irq{irq}"), str::to_owned);
        return InterruptSource::Device(name);
    }
    Vector::from_code(detail).map_or_else(
        || InterruptSource::Other(format!("vector_{detail}")),
        InterruptSource::Vector,
    )
}
