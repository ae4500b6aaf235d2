//! From a copy of a thread's registers and stack to its call chain, by the tables
//! that compilers make for exceptions: most code, the C library above all, keeps
//! no frame pointers.

use std::{cell::RefCell, collections::HashMap};

use gimli::{
    CfaRule, Encoding, EvaluationResult, Expression, Format, Location, Register, RegisterRule,
    UnwindContext, Value, X86_64,
};
use profiler_common::allocation::UserRegs;

use super::image::{Bytes, Image, UnwindInfo};
use super::names::NO_CODE;
use crate::collect::row::before;

/// Frames at most.
const MOST_FRAMES: usize = 96;
/// Registers that callers may ask for, by their DWARF numbers, and the return
/// address as the last.
const REGISTERS: usize = 17;

/// A call chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Chain {
    /// Addresses to look up, innermost first: of the calls, not behind them.
    pub(super) addresses: Vec<u64>,
    /// Why it ends before the thread's beginning, if it does.
    pub(super) truncated: Option<String>,
}

/// What is known of the code at an address.
pub(super) trait Code {
    /// Whether a function can have been called from an address.
    fn is_code(&mut self, address: u64) -> bool;

    /// Calls `with` with the file at an address and the distance between addresses
    /// in the process and in the file.
    fn with_image<T>(
        &mut self,
        address: u64,
        with: impl FnOnce(&Image, u64) -> Option<T>,
    ) -> Option<T>;
}

/// Where a stack copy has a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// A register, by its DWARF number.
    Register(usize),
    /// An address on the stack.
    Stack(u64),
}

/// A copy of a thread's registers and stack.
#[derive(Clone, Copy)]
pub(super) struct StackCopy<'a> {
    pub(super) regs: &'a UserRegs,
    pub(super) words: &'a [u64],
}

impl StackCopy<'_> {
    fn read(&self, source: Source) -> Option<u64> {
        match source {
            Source::Register(number) => registers(self.regs).get(number).copied(),
            Source::Stack(address) => {
                let offset = address.checked_sub(self.regs.sp)?;
                if offset % 8 != 0 {
                    return None;
                }
                self.words.get(usize::try_from(offset / 8).ok()?).copied()
            }
        }
    }
}

/// What was read of a copy, in order: all that its chain depends on.
type Reads = Vec<(Source, Option<u64>)>;

/// Call chains found so far. Copies differ in words that no unwinder looks at, such
/// as a loop's counter: what was read of one tells which others have the same chain.
#[derive(Default)]
pub(super) struct Chains {
    /// By process and state of its code.
    roots: HashMap<(u32, usize), usize>,
    /// What to look at next, or the number of the chain.
    nodes: Vec<Option<Node>>,
    /// The node behind a node, by what was read there.
    steps: HashMap<(usize, Option<u64>), usize>,
}

#[derive(Clone, Copy)]
enum Node {
    Read(Source),
    Chain(usize),
}

/// A call chain, or the number of the copy that has the same one.
#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Unwound {
    New(Chain),
    As(usize),
}

impl Chains {
    /// Unwinds the copy with a number, unless one like it was. `place` are its process
    /// and the state of the code there: for the same, `code` must tell the same.
    pub(super) fn unwind(
        &mut self,
        number: usize,
        place: (u32, usize),
        copy: StackCopy<'_>,
        code: &mut impl Code,
    ) -> Unwound {
        let next = self.nodes.len();
        let root = *self.roots.entry(place).or_insert(next);
        if root == next {
            self.nodes.push(None);
        }
        if let Some(same) = self.find(root, copy) {
            return Unwound::As(same);
        }
        let (chain, reads) = chain(copy, code);
        self.insert(root, reads, number);
        Unwound::New(chain)
    }

    fn find(&self, root: usize, copy: StackCopy<'_>) -> Option<usize> {
        let mut at = root;
        loop {
            match (*self.nodes.get(at)?)? {
                Node::Chain(number) => return Some(number),
                Node::Read(source) => at = *self.steps.get(&(at, copy.read(source)))?,
            }
        }
    }

    fn insert(&mut self, root: usize, reads: Reads, number: usize) {
        let mut at = root;
        for (source, value) in reads {
            self.nodes[at] = Some(Node::Read(source));
            let next = self.nodes.len();
            at = *self.steps.entry((at, value)).or_insert(next);
            if at == next {
                self.nodes.push(None);
            }
        }
        self.nodes[at] = Some(Node::Chain(number));
    }
}

/// What a register holds in a frame: a word, or what a place of the copy has. Most
/// registers are never asked for.
#[derive(Clone, Copy)]
enum Content {
    Word(u64),
    At(Source),
}

/// A thread's state in one frame.
struct Frame<'a> {
    registers: [Option<Content>; REGISTERS],
    copy: StackCopy<'a>,
    reads: RefCell<Reads>,
}

/// What becomes of unwinding one frame.
enum Step {
    /// The caller's return address is in the registers. Whether this frame was
    /// interrupted by a signal, so that the caller's address is exact.
    Caller { exact: bool },
    /// This was the thread's first function.
    Beginning,
}

/// Unwinds a stack copy.
fn chain(copy: StackCopy<'_>, code: &mut impl Code) -> (Chain, Reads) {
    let mut frame = Frame {
        registers: std::array::from_fn(|number| Some(Content::At(Source::Register(number)))),
        copy,
        reads: RefCell::default(),
    };
    let chain = frame.chain(code);
    (chain, frame.reads.into_inner())
}

/// In the order of their DWARF numbers.
fn registers(regs: &UserRegs) -> [u64; REGISTERS] {
    let UserRegs {
        ax,
        dx,
        cx,
        bx,
        si,
        di,
        bp,
        sp,
        r8,
        r9,
        r10,
        r11,
        r12,
        r13,
        r14,
        r15,
        ip,
        ..
    } = *regs;
    [
        ax, dx, cx, bx, si, di, bp, sp, r8, r9, r10, r11, r12, r13, r14, r15, ip,
    ]
}

impl Frame<'_> {
    /// The call chain from here on.
    fn chain(&mut self, code: &mut impl Code) -> Chain {
        let mut chain = Chain::default();
        // The thread goes on behind its system call.
        let mut address = before(self.get(X86_64::RA).unwrap_or(0));
        loop {
            chain.addresses.push(address);
            if chain.addresses.len() >= MOST_FRAMES {
                chain.truncated = Some(format!("only {MOST_FRAMES} frames are followed"));
                return chain;
            }
            let by_file = code.with_image(address, |image, bias| {
                image
                    .unwind_info()
                    .and_then(|info| self.by_table(&info, bias, address))
                    .or_else(|| self.by_call(image, bias, address))
            });
            let step = match by_file {
                Some(step) => Some(step),
                None => self.by_pointer(),
            };
            let next = self.get(X86_64::RA);
            match (step, next) {
                (Some(Step::Beginning), _) | (Some(Step::Caller { .. }), Some(0)) => return chain,
                (Some(Step::Caller { exact }), Some(ip)) => {
                    address = if exact { ip } else { before(ip) };
                    if !code.is_code(address) {
                        chain.truncated = Some(NO_CODE.to_owned());
                        return chain;
                    }
                }
                _ => {
                    chain.truncated = Some(
                        "the copy of the stack ends here, or this code has neither unwind tables \
                     nor frame pointers"
                            .to_owned(),
                    );
                    return chain;
                }
            }
        }
    }

    fn get(&self, register: Register) -> Option<u64> {
        let content = self
            .registers
            .get(usize::from(register.0))
            .copied()
            .flatten();
        match content? {
            Content::Word(word) => Some(word),
            Content::At(source) => self.read(source),
        }
    }

    fn set(&mut self, register: Register, word: Option<u64>) {
        if let Some(content) = self.registers.get_mut(usize::from(register.0)) {
            *content = word.map(Content::Word);
        }
    }

    fn read(&self, source: Source) -> Option<u64> {
        let value = self.copy.read(source);
        self.reads.borrow_mut().push((source, value));
        value
    }

    /// A word of the stack copy.
    fn word(&self, address: u64) -> Option<u64> {
        self.read(Source::Stack(address))
    }

    /// One frame by frame pointer: the caller's, and the address to return to
    /// behind it.
    fn by_pointer(&mut self) -> Option<Step> {
        let bp = self.get(X86_64::RBP)?;
        // What starts a thread clears it, by the ABI.
        if bp == 0 {
            return Some(Step::Beginning);
        }
        // Stacks grow downwards: a caller's frame is further up.
        if bp < self.get(X86_64::RSP)? {
            return None;
        }
        let (caller, ip) = (self.word(bp)?, self.word(bp.checked_add(8)?)?);
        self.set(X86_64::RBP, Some(caller));
        self.set(X86_64::RSP, bp.checked_add(16));
        self.set(X86_64::RA, Some(ip));
        Some(Step::Caller { exact: false })
    }

    /// One frame by the call that led here. What the function has kept of the other
    /// registers is not known: they are taken to be as they were.
    fn by_call(&mut self, image: &Image, bias: u64, address: u64) -> Option<Step> {
        let sp = self.get(X86_64::RSP)?;
        let above = (sp..).step_by(8).map_while(|at| self.word(at));
        let (found, ip) = image.return_address(address.wrapping_sub(bias), bias, above)?;
        self.set(X86_64::RA, Some(ip));
        self.set(X86_64::RSP, sp.checked_add(8 * (found as u64 + 1)));
        Some(Step::Caller { exact: false })
    }

    /// One frame by the compiler's table. Nothing if it has none for this place.
    fn by_table(&mut self, info: &UnwindInfo<'_>, bias: u64, address: u64) -> Option<Step> {
        let address = address.wrapping_sub(bias);
        let entry = info.entry(address)?;
        let mut context = UnwindContext::new();
        let row = entry
            .unwind_info_for_address(&info.frames, &info.bases, &mut context, address)
            .ok()?;
        let encoding = entry.cie().encoding();
        let cfa = match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => {
                self.get(*register)?.wrapping_add_signed(*offset)
            }
            CfaRule::Expression(expression) => {
                self.evaluate(expression.get(&info.frames).ok()?, encoding, None)?
            }
        };
        let mut callers = self.registers;
        for number in 0u16.. {
            let Some(caller) = callers.get_mut(usize::from(number)) else {
                break;
            };
            let Some(rule) = row.register(Register(number)) else {
                continue;
            };
            *caller = match rule {
                RegisterRule::SameValue => continue,
                RegisterRule::Offset(offset) => {
                    Some(Content::At(Source::Stack(cfa.wrapping_add_signed(offset))))
                }
                RegisterRule::ValOffset(offset) => {
                    Some(Content::Word(cfa.wrapping_add_signed(offset)))
                }
                RegisterRule::Register(other) => {
                    self.registers.get(usize::from(other.0)).copied().flatten()
                }
                RegisterRule::Expression(expression) => expression
                    .get(&info.frames)
                    .ok()
                    .and_then(|expression| self.evaluate(expression, encoding, Some(cfa)))
                    .map(|at| Content::At(Source::Stack(at))),
                RegisterRule::ValExpression(expression) => expression
                    .get(&info.frames)
                    .ok()
                    .and_then(|expression| self.evaluate(expression, encoding, Some(cfa)))
                    .map(Content::Word),
                RegisterRule::Constant(value) => Some(Content::Word(value)),
                // Only the first function of a thread has nowhere to return to.
                RegisterRule::Undefined if Register(number) == X86_64::RA => {
                    return Some(Step::Beginning);
                }
                RegisterRule::Undefined | RegisterRule::Architectural => None,
            };
        }
        // A table without a rule for it says nothing.
        row.register(X86_64::RA)?;
        callers[usize::from(X86_64::RSP.0)] = Some(Content::Word(cfa));
        let exact = entry.is_signal_trampoline();
        // Without progress it would go round for ever.
        if !exact && cfa <= self.get(X86_64::RSP)? {
            return None;
        }
        self.registers = callers;
        Some(Step::Caller { exact })
    }

    /// The value of an expression.
    fn evaluate(
        &self,
        expression: Expression<Bytes<'_>>,
        encoding: Encoding,
        initial: Option<u64>,
    ) -> Option<u64> {
        let encoding = Encoding {
            format: Format::Dwarf32,
            ..encoding
        };
        let mut evaluation = expression.evaluation(encoding);
        evaluation.set_max_iterations(1_000);
        if let Some(initial) = initial {
            evaluation.set_initial_value(initial);
        }
        let mut result = evaluation.evaluate().ok()?;
        loop {
            result = if let EvaluationResult::RequiresRegister { register, .. } = result {
                let value = Value::Generic(self.get(register)?);
                evaluation.resume_with_register(value).ok()?
            } else if let EvaluationResult::RequiresMemory {
                address, size: 8, ..
            } = result
            {
                let value = Value::Generic(self.word(address)?);
                evaluation.resume_with_memory(value).ok()?
            } else {
                break;
            };
        }
        // Unwinding needs nothing else.
        if !matches!(result, EvaluationResult::Complete) {
            return None;
        }
        if let Location::Address { address } = evaluation.result().first()?.location {
            Some(address)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where nothing is mapped.
    const NO_CODE_AT: u64 = 0x69_746c;

    /// Code without tables.
    struct Nothing;

    impl Code for Nothing {
        fn is_code(&mut self, address: u64) -> bool {
            address != NO_CODE_AT
        }

        fn with_image<T>(
            &mut self,
            _address: u64,
            _with: impl FnOnce(&Image, u64) -> Option<T>,
        ) -> Option<T> {
            None
        }
    }

    fn chain(regs: &UserRegs, words: &[u64]) -> Chain {
        super::chain(StackCopy { regs, words }, &mut Nothing).0
    }

    /// Without tables, frame pointers are followed up to the thread's beginning.
    #[test]
    fn frame_pointers_are_followed() {
        let regs = UserRegs {
            ip: 0x101,
            sp: 0x8000,
            bp: 0x8008,
            ..UserRegs::default()
        };
        let stack = [9, 0x8018, 0x201, 0, 0x301];
        let chain = chain(&regs, &stack);
        assert_eq!(chain.addresses, [0x100, 0x200, 0x300]);
        assert_eq!(chain.truncated, None);
    }

    /// A chain that points downwards or out of the copy ends with a reason, and
    /// one that points to itself ends at all.
    #[test]
    fn broken_chains_end() {
        for bp in [0x7000, 0x8001, 0x9000, u64::MAX] {
            let regs = UserRegs {
                ip: 0x101,
                sp: 0x8000,
                bp,
                ..UserRegs::default()
            };
            let chain = chain(&regs, &[0x8000, 0x201]);
            assert_eq!(chain.addresses, [0x100], "{bp:#x}");
            assert!(chain.truncated.is_some());
        }
        let regs = UserRegs {
            ip: 0x101,
            sp: 0x8000,
            bp: 0x8000,
            ..UserRegs::default()
        };
        let looping = chain(&regs, &[0x8000, 0x201]);
        assert!(looping.addresses.len() <= MOST_FRAMES && looping.truncated.is_some());
    }

    /// Code without tables that counts who asks.
    struct Asked(usize);

    impl Code for Asked {
        fn is_code(&mut self, address: u64) -> bool {
            address != NO_CODE_AT
        }

        fn with_image<T>(
            &mut self,
            _address: u64,
            _with: impl FnOnce(&Image, u64) -> Option<T>,
        ) -> Option<T> {
            self.0 += 1;
            None
        }
    }

    /// Copies that differ in what no unwinder looks at are unwound once; where a word
    /// that matters differs, or the code of the process does, each is unwound.
    #[test]
    fn alike_copies_are_unwound_once() {
        let (mut chains, mut code) = (Chains::default(), Asked(0));
        let mut unwind = |number, epoch, junk, caller| {
            let regs = UserRegs {
                ip: 0x101,
                sp: 0x8000,
                bp: 0x8008,
                bx: junk,
                ..UserRegs::default()
            };
            let words = [junk, 0x8018, 0x201, 0, caller, junk];
            let copy = StackCopy {
                regs: &regs,
                words: &words,
            };
            let unwound = chains.unwind(number, (5, epoch), copy, &mut code);
            (unwound, code.0)
        };
        let (first, asked) = unwind(0, 0, 0, 0x301);
        assert!(matches!(first, Unwound::New(chain) if chain.addresses.len() == 3));
        for junk in 1..1_000 {
            assert_eq!(unwind(7, 0, junk, 0x301), (Unwound::As(0), asked));
        }
        assert!(matches!(unwind(1_000, 0, 1, 0x401), (Unwound::New(_), more) if more > asked));
        assert!(matches!(unwind(1_001, 1, 1, 0x401).0, Unwound::New(_)));
        assert_eq!(unwind(1_002, 0, 2, 0x401).0, Unwound::As(1_000));
        assert_eq!(unwind(1_003, 0, 3, 0x301).0, Unwound::As(0));
    }
}
