//! Rows of the exit backend: the entry stub's name tells the cause, or with FRED
//! the event.

use std::collections::BTreeMap;

use profiler_common::{
    fault::FaultKind,
    key::key_flags,
    stub::event,
    vector::{Trap, Vector, WITHOUT_TRACEPOINT},
};

use super::{
    cause::{Cause, InterruptSource},
    syscall,
};
use crate::collect::row::Row;

/// The cause of a return, by the event, or by the function that the stub's return
/// address lies in.
#[must_use]
pub(super) fn cause(row: &Row, symbols: &BTreeMap<u64, (String, u64)>) -> Cause {
    if let Some((kind, vector)) = event::parts(row.stub_return) {
        return of_event(kind, vector, row);
    }
    match symbols.get(&row.stub_return) {
        Some((stub, _)) => of_stub(stub, row),
        None => Cause::Unclassified(format!("unknown_stub_{:#x}", row.stub_return)),
    }
}

/// The cause that an entry stub stands for. Names are those of
/// `arch/x86/include/asm/idtentry.h` and `arch/x86/entry/`.
fn of_stub(stub: &str, row: &Row) -> Cause {
    if stub.starts_with("entry_SYSCALL_64") {
        return Cause::Syscall(syscall::name(row.detail, row.flags));
    }
    let is_compat = stub.contains("int80") || stub.contains("INT80") || stub.contains("_compat");
    if is_compat {
        return Cause::Syscall(syscall::name(row.detail, row.flags | key_flags::COMPAT));
    }
    match stub {
        "ret_from_fork_asm" | "ret_from_fork" => return Cause::NewTask,
        "asm_exc_page_fault" => return Cause::PageFault(FaultKind::Unknown),
        "asm_common_interrupt" => return Cause::Interrupt(InterruptSource::SomeDevice),
        _ => {}
    }
    if let Some(vector) = Vector::ALL
        .iter()
        .find(|vector| vector.stub_symbol() == stub)
    {
        return Cause::Interrupt(InterruptSource::Vector(*vector));
    }
    if let Some(name) = stub.strip_prefix("asm_sysvec_") {
        return Cause::Interrupt(InterruptSource::Other(name.to_owned()));
    }
    if let Some(name) = stub.strip_prefix("asm_exc_") {
        let trap = Trap::ALL.iter().find(|trap| trap.stub_symbol() == stub);
        return Cause::Exception(trap.map_or(name, |trap| trap.name()).to_owned());
    }
    Cause::Unclassified(format!("stub_{stub}"))
}

/// The cause that an event of FRED stands for, as `arch/x86/entry/entry_fred.c`
/// hands it out: with the names that the stubs have elsewhere.
fn of_event(kind: u8, vector: u8, row: &Row) -> Cause {
    match row.stub_return {
        event::SYSCALL => return Cause::Syscall(syscall::name(row.detail, row.flags)),
        event::INT80 | event::SYSENTER => {
            return Cause::Syscall(syscall::name(row.detail, row.flags | key_flags::COMPAT));
        }
        event::PAGE_FAULT => return Cause::PageFault(FaultKind::Unknown),
        event::DEVICE => return Cause::Interrupt(InterruptSource::SomeDevice),
        event::NMI_CODE => return Cause::Nmi,
        _ => {}
    }
    if let Some(trap) = event::trap(kind, vector) {
        return Cause::Exception(trap.name().to_owned());
    }
    if kind == event::EXTERNAL {
        let mut vectors = Vector::ALL.iter();
        if let Some(found) = vectors.find(|known| known.number() == vector) {
            return Cause::Interrupt(InterruptSource::Vector(*found));
        }
        let mut others = WITHOUT_TRACEPOINT.iter();
        if let Some((_, name)) = others.find(|(number, _)| *number == vector) {
            return Cause::Interrupt(InterruptSource::Other((*name).to_owned()));
        }
    }
    Cause::Unclassified(format!("fred_event_{kind}_{vector:#04x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classify(stub: &str, detail: u32) -> (String, String) {
        let stub_return = 0xffff_ffff_8200_0105;
        let row = Row {
            detail,
            stub_return,
            ..Row::default()
        };
        let symbols = BTreeMap::from([(stub_return, (stub.to_owned(), 5))]);
        let cause = cause(&row, &symbols);
        (cause.kind().name().to_owned(), cause.detail())
    }

    /// Each way into the kernel is told by its stub.
    #[test]
    fn stubs_tell_causes() {
        let expect = [
            ("entry_SYSCALL_64_after_hwframe", 110, "syscall", "getppid"),
            ("asm_int80_emulation", 64, "syscall", "ia32:getppid"),
            ("entry_INT80_compat", 64, "syscall", "ia32:getppid"),
            ("asm_exc_page_fault", u32::MAX, "page_fault", "unknown"),
            (
                "asm_sysvec_apic_timer_interrupt",
                u32::MAX,
                "interrupt",
                "local_timer",
            ),
            (
                "asm_sysvec_kvm_asyncpf_interrupt",
                u32::MAX,
                "interrupt",
                "kvm_asyncpf_interrupt",
            ),
            ("asm_common_interrupt", u32::MAX, "interrupt", "device"),
            (
                "asm_exc_invalid_op",
                u32::MAX,
                "exception",
                "invalid_opcode",
            ),
            ("ret_from_fork_asm", 56, "new_task", "first_return"),
            ("something_else", 0, "unclassified", "stub_something_else"),
        ];
        for (stub, detail, kind, name) in expect {
            assert_eq!(
                classify(stub, detail),
                (kind.to_owned(), name.to_owned()),
                "{stub}"
            );
        }
    }

    /// With FRED the event tells the same causes by the same names.
    #[test]
    fn events_tell_causes() {
        use event::code;
        let expect = [
            (event::SYSCALL, 110, "syscall", "getppid"),
            (event::INT80, 64, "syscall", "ia32:getppid"),
            (event::SYSENTER, 64, "syscall", "ia32:getppid"),
            (event::PAGE_FAULT, u32::MAX, "page_fault", "unknown"),
            (event::DEVICE, u32::MAX, "interrupt", "device"),
            (code(0, 0xec), u32::MAX, "interrupt", "local_timer"),
            (code(0, 0xf2), u32::MAX, "interrupt", "kvm_posted_intr_ipi"),
            (code(0, 0xef), u32::MAX, "unclassified", "fred_event_0_0xef"),
            (code(3, 0), u32::MAX, "exception", "divide_error"),
            (code(3, 1), u32::MAX, "exception", "debug"),
            (code(5, 1), u32::MAX, "exception", "debug"),
            (code(6, 3), u32::MAX, "exception", "breakpoint"),
            (code(3, 6), u32::MAX, "exception", "invalid_opcode"),
            (code(3, 13), u32::MAX, "exception", "general_protection"),
            (code(4, 0x42), u32::MAX, "exception", "general_protection"),
            (code(4, 3), u32::MAX, "exception", "breakpoint"),
            // `syscall` in 32-bit code.
            (code(7, 1), u32::MAX, "exception", "invalid_opcode"),
            (code(3, 200), u32::MAX, "unclassified", "fred_event_3_0xc8"),
        ];
        for (stub_return, detail, kind, name) in expect {
            let row = Row {
                detail,
                stub_return,
                ..Row::default()
            };
            let cause = cause(&row, &BTreeMap::new());
            assert_eq!((cause.kind().name(), &*cause.detail()), (kind, name));
        }
    }

    /// An address that no symbol covers is counted, and said to be unknown.
    #[test]
    fn unknown_stubs_are_kept() {
        let row = Row {
            stub_return: 0x42,
            ..Row::default()
        };
        let cause = cause(&row, &BTreeMap::new());
        assert_eq!(cause.detail(), "unknown_stub_0x42");
    }
}
