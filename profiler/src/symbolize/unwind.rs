//! From a copy of a thread's registers and stack to its call chain, by the tables
//! that compilers make for exceptions: most code, the C library above all, keeps
//! no frame pointers.

use gimli::{
    CfaRule, Encoding, EvaluationResult, Expression, Format, Location, Register, RegisterRule,
    UnwindContext, Value, X86_64,
};
use profiler_common::allocation::UserRegs;

use super::image::{Bytes, Image, UnwindInfo};
use crate::collect::user_code::before;

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
    /// Calls `with` with the file at an address and the distance between addresses
    /// in the process and in the file.
    fn with_image<T>(
        &mut self,
        address: u64,
        with: impl FnOnce(&Image, u64) -> Option<T>,
    ) -> Option<T>;
}

/// A thread's state in one frame.
struct Frame<'a> {
    registers: [Option<u64>; REGISTERS],
    stack_at: u64,
    stack: &'a [u64],
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
pub(super) fn chain(regs: &UserRegs, stack: &[u64], code: &mut impl Code) -> Chain {
    let mut frame = Frame {
        registers: registers(regs),
        stack_at: regs.sp,
        stack,
    };
    let mut chain = Chain::default();
    // The thread goes on behind its system call.
    let mut address = before(regs.ip);
    loop {
        chain.addresses.push(address);
        if chain.addresses.len() >= MOST_FRAMES {
            chain.truncated = Some(format!("only {MOST_FRAMES} frames are followed"));
            return chain;
        }
        let by_file = code.with_image(address, |image, bias| {
            image
                .unwind_info()
                .and_then(|info| frame.by_table(&info, bias, address))
                .or_else(|| frame.by_call(image, bias, address))
        });
        let step = match by_file {
            Some(step) => Some(step),
            None => frame.by_pointer(),
        };
        let next = frame.get(X86_64::RA);
        match (step, next) {
            (Some(Step::Beginning), _) | (Some(Step::Caller { .. }), Some(0)) => return chain,
            (Some(Step::Caller { exact }), Some(ip)) => {
                address = if exact { ip } else { before(ip) };
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

/// In the order of their DWARF numbers.
fn registers(regs: &UserRegs) -> [Option<u64>; REGISTERS] {
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
    .map(Some)
}

impl Frame<'_> {
    fn get(&self, register: Register) -> Option<u64> {
        self.registers
            .get(usize::from(register.0))
            .copied()
            .flatten()
    }

    /// A word of the stack copy.
    fn word(&self, address: u64) -> Option<u64> {
        let offset = address.checked_sub(self.stack_at)?;
        if offset % 8 != 0 {
            return None;
        }
        self.stack.get(usize::try_from(offset / 8).ok()?).copied()
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
        self.registers[usize::from(X86_64::RBP.0)] = Some(caller);
        self.registers[usize::from(X86_64::RSP.0)] = bp.checked_add(16);
        self.registers[usize::from(X86_64::RA.0)] = Some(ip);
        Some(Step::Caller { exact: false })
    }

    /// One frame by the call that led here. What the function has kept of the other
    /// registers is not known: they are taken to be as they were.
    fn by_call(&mut self, image: &Image, bias: u64, address: u64) -> Option<Step> {
        let sp = self.get(X86_64::RSP)?;
        let skipped = usize::try_from(sp.checked_sub(self.stack_at)? / 8).ok()?;
        let above = self.stack.get(skipped..)?;
        let found = image.return_address(address.wrapping_sub(bias), bias, above)?;
        self.registers[usize::from(X86_64::RA.0)] = above.get(found).copied();
        self.registers[usize::from(X86_64::RSP.0)] = sp.checked_add(8 * (found as u64 + 1));
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
                RegisterRule::Offset(offset) => self.word(cfa.wrapping_add_signed(offset)),
                RegisterRule::ValOffset(offset) => Some(cfa.wrapping_add_signed(offset)),
                RegisterRule::Register(other) => self.get(other),
                RegisterRule::Expression(expression) => expression
                    .get(&info.frames)
                    .ok()
                    .and_then(|expression| self.evaluate(expression, encoding, Some(cfa)))
                    .and_then(|at| self.word(at)),
                RegisterRule::ValExpression(expression) => expression
                    .get(&info.frames)
                    .ok()
                    .and_then(|expression| self.evaluate(expression, encoding, Some(cfa))),
                RegisterRule::Constant(value) => Some(value),
                // Only the first function of a thread has nowhere to return to.
                RegisterRule::Undefined if Register(number) == X86_64::RA => {
                    return Some(Step::Beginning);
                }
                RegisterRule::Undefined | RegisterRule::Architectural => None,
            };
        }
        // A table without a rule for it says nothing.
        row.register(X86_64::RA)?;
        callers[usize::from(X86_64::RSP.0)] = Some(cfa);
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

    /// Code without tables.
    struct Nothing;

    impl Code for Nothing {
        fn with_image<T>(
            &mut self,
            _address: u64,
            _with: impl FnOnce(&Image, u64) -> Option<T>,
        ) -> Option<T> {
            None
        }
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
        let chain = chain(&regs, &stack, &mut Nothing);
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
            let chain = chain(&regs, &[0x8000, 0x201], &mut Nothing);
            assert_eq!(chain.addresses, [0x100], "{bp:#x}");
            assert!(chain.truncated.is_some());
        }
        let regs = UserRegs {
            ip: 0x101,
            sp: 0x8000,
            bp: 0x8000,
            ..UserRegs::default()
        };
        let looping = chain(&regs, &[0x8000, 0x201], &mut Nothing);
        assert!(looping.addresses.len() <= MOST_FRAMES && looping.truncated.is_some());
    }
}
