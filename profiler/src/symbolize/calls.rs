//! Callers in code that has neither unwind tables nor frame pointers, as musl's C
//! library: found by the calls themselves, in the program's own instructions.

use std::ops::Range;

use object::{Object, ObjectSymbol, SymbolKind, read::elf::ElfFile64};

/// `call` to an address relative to the next instruction: one byte, then four.
const CALL: u8 = 0xe8;
/// `jmp`, likewise.
const JUMP: u8 = 0xe9;
/// Both with their four bytes.
const LENGTH: usize = 5;
/// `push %rbp; mov %rsp,%rbp`
const FRAME: [u8; 4] = [0x55, 0x48, 0x89, 0xe5];
/// `endbr64`, which may stand before it.
const MARK: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];
/// A function that does nothing but jump to another is no longer than this.
const SHORT: u64 = 64;

/// The functions of a program, by address.
#[derive(Debug, Default)]
pub(super) struct Functions(Vec<Range<u64>>);

impl Functions {
    /// Reads them from the symbols of a file. None if it has none.
    pub(super) fn of(file: &[u8]) -> Self {
        let Ok(elf) = ElfFile64::<object::Endianness>::parse(file) else {
            return Self::default();
        };
        let symbols = elf.symbols().chain(elf.dynamic_symbols());
        let mut functions: Vec<Range<u64>> = symbols
            .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() != 0)
            .map(|symbol| {
                let start = symbol.address();
                start..start.saturating_add(symbol.size())
            })
            .collect();
        functions.sort_by_key(|function| (function.start, function.end));
        functions.dedup();
        Self(functions)
    }

    /// The function at an address.
    pub(super) fn at(&self, address: u64) -> Option<Range<u64>> {
        let next = self.0.partition_point(|function| function.start <= address);
        let found = self.0.get(next.checked_sub(1)?)?;
        found.contains(&address).then(|| found.clone())
    }
}

/// Where an instruction with a relative address leads, if `bytes` hold one of this
/// kind that ends at `end`.
fn target(bytes: &[u8], kind: u8, end: u64) -> Option<u64> {
    let (&first, relative) = bytes.split_first()?;
    let relative = i32::from_le_bytes(relative.get(..LENGTH - 1)?.try_into().ok()?);
    (first == kind).then(|| end.wrapping_add_signed(i64::from(relative)))
}

/// The functions that a file exports, by name.
pub(super) fn exported(file: &[u8]) -> Vec<(String, Range<u64>)> {
    let Ok(elf) = ElfFile64::<object::Endianness>::parse(file) else {
        return Vec::new();
    };
    let symbols = elf.dynamic_symbols();
    let functions = symbols.filter(|symbol| symbol.kind() == SymbolKind::Text);
    functions
        .filter_map(|symbol| {
            let (name, start) = (symbol.name().ok()?, symbol.address());
            Some((name.to_owned(), start..start.saturating_add(symbol.size())))
        })
        .collect()
}

/// Where the calls of a function lead that are relative to it, and what looks like one.
pub(super) fn called<'a>(from: &Range<u64>, bytes: impl Fn(u64) -> Option<&'a [u8]>) -> Vec<u64> {
    let code = bytes(from.start).unwrap_or_default();
    let calls = code.windows(LENGTH).zip(from.clone());
    calls
        .filter_map(|(word, at)| target(word, CALL, at.wrapping_add(LENGTH as u64)))
        .collect()
}

/// Whether a function has the address of a place, relative to an instruction. What
/// looks like it by chance is one word in four billion.
pub(super) fn refers<'a>(
    from: &Range<u64>,
    to: u64,
    bytes: impl Fn(u64) -> Option<&'a [u8]>,
) -> bool {
    let Some(code) = bytes(from.start) else {
        return false;
    };
    let length = usize::try_from(from.end - from.start).unwrap_or(usize::MAX);
    let words = code
        .get(..length)
        .unwrap_or(code)
        .windows(4)
        .zip(from.start..);
    let mut targets = words.filter_map(|(word, at)| {
        let relative = i32::from_le_bytes(word.try_into().ok()?);
        Some(at.wrapping_add(4).wrapping_add_signed(relative.into()))
    });
    targets.any(|target| target == to)
}

/// Whether code ends with a call of what a register or memory holds: `0xff` with 2 in
/// the middle of the next byte, and up to five more.
pub(super) fn ends_with_indirect_call(code: &[u8]) -> bool {
    let end = code.get(code.len().saturating_sub(7)..).unwrap_or_default();
    end.windows(2)
        .any(|two| two[0] == 0xff && two[1] >> 3 & 7 == 2)
}

/// Whether a function begins by keeping a frame pointer.
pub(super) fn keeps_frame_pointer(code: &[u8]) -> bool {
    let code = code.strip_prefix(&MARK).unwrap_or(code);
    code.starts_with(&FRAME)
}

/// Whether an address lies behind a call of `callee`, or of a short function that
/// jumps there. `bytes` gives the program's code from an address on.
pub(super) fn returns_from<'a>(
    address: u64,
    callee: &Range<u64>,
    functions: &Functions,
    bytes: impl Fn(u64) -> Option<&'a [u8]>,
) -> bool {
    let called = || {
        let call = address.checked_sub(LENGTH as u64)?;
        functions.at(call)?;
        target(bytes(call)?, CALL, address)
    };
    let Some(called) = called() else {
        return false;
    };
    called == callee.start
        || functions
            .at(called)
            .filter(|through| through.start == called && through.end - called <= SHORT)
            .is_some_and(|through| jumps_to(&through, callee.start, bytes))
}

/// Whether a function has a jump to an address.
fn jumps_to<'a>(through: &Range<u64>, to: u64, bytes: impl Fn(u64) -> Option<&'a [u8]>) -> bool {
    let mut places = through.clone();
    places.any(|place| {
        let end = place.wrapping_add(LENGTH as u64);
        bytes(place).and_then(|code| target(code, JUMP, end)) == Some(to)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0x00: call 0x20; 0x10: jmp 0x20 (a function of its own); 0x30: call 0x10.
    fn program() -> (Vec<u8>, Functions) {
        let mut code = vec![0x90; 0x40];
        for (at, kind, to) in [(0x00, CALL, 0x20), (0x10, JUMP, 0x20), (0x30, CALL, 0x10)] {
            code[at] = kind;
            let relative = to - i32::try_from(at + 5).expect("small");
            code[at + 1..at + 5].copy_from_slice(&relative.to_le_bytes());
        }
        let functions = Functions(vec![0..0x10, 0x10..0x18, 0x20..0x30, 0x30..0x40]);
        (code, functions)
    }

    /// A word on the stack is a return address only if the call before it leads
    /// to where the thread is: at once, or through a jump.
    #[test]
    fn only_calls_of_the_function_count() {
        let (code, functions) = program();
        let bytes = |address: u64| code.get(usize::try_from(address).ok()?..);
        let callee = functions.at(0x25).expect("a function");
        let found: Vec<u64> = (0..0x50)
            .filter(|&address| returns_from(address, &callee, &functions, bytes))
            .collect();
        assert_eq!(found, [0x05, 0x35]);
        let other = functions.at(0x08).expect("a function");
        assert!((0..0x50).all(|address| !returns_from(address, &other, &functions, bytes)));
        assert_eq!(functions.at(0x19), None);
    }

    /// 0x00: lea 0x20(%rip); 0x07: call 0x30; 0x0c: call *8(%rax), 0x0f: call *%rax.
    #[test]
    fn references_are_found() {
        let mut code = vec![
            0x48, 0x8d, 0x05, 0x19, 0, 0, 0, CALL, 0x24, 0, 0, 0, 0xff, 0x50, 0x08, 0xff, 0xd0,
        ];
        code.resize(0x40, 0x90);
        let bytes = |address: u64| code.get(usize::try_from(address).ok()?..);
        let function = 0..0x20;
        let referred: Vec<u64> = (0x11..0x40)
            .filter(|&to| refers(&function, to, bytes))
            .collect();
        assert_eq!(referred, [0x20, 0x30]);
        assert_eq!(called(&function, bytes), [0x30]);
        let indirect = (0..0x11).filter(|&end| ends_with_indirect_call(&code[..=end]));
        assert_eq!(indirect.collect::<Vec<_>>(), [0x0d, 0x0e, 0x0f, 0x10]);
    }

    /// With the mark for indirect calls before it, or without.
    #[test]
    fn frame_pointers_are_known_by_the_first_instructions() {
        assert!(keeps_frame_pointer(&[0x55, 0x48, 0x89, 0xe5, 0x90]));
        assert!(keeps_frame_pointer(&[MARK, FRAME].concat()));
        assert!(!keeps_frame_pointer(&[0x55, 0x53]));
    }
}
