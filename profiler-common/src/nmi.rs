//! Telling one non-maskable interrupt from the next by the handlers that run.

/// Handlers told apart on one CPU: the kernel registers about four.
pub const HANDLERS: usize = 8;

/// What has been seen of a CPU's interrupts.
///
/// Each interrupt runs through a list of handlers, each of them once. So one that has
/// run already belongs to the next interrupt, whichever handlers come and go: an
/// interrupt is only taken for the one before if it has no handler in common with it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct NmiHandlers {
    /// The interrupts begun.
    begun: u64,
    /// The handlers.
    handlers: [u64; HANDLERS],
    /// By handler: how many interrupts had begun when it last ran.
    last: [u64; HANDLERS],
}

impl NmiHandlers {
    /// Takes down that a handler has run. Whether it was the first one of its
    /// interrupt.
    #[inline(always)]
    pub fn begins(&mut self, handler: u64) -> bool {
        let mut index = 0;
        while index < HANDLERS {
            let known = self.handlers[index];
            if known == handler || known == 0 {
                let begins = self.begun == 0 || known == handler && self.last[index] == self.begun;
                self.begun += u64::from(begins);
                self.handlers[index] = handler;
                self.last[index] = self.begun;
                return begins;
            }
            index += 1;
        }
        // More than there is room for: the others tell.
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Handlers come and go between interrupts, the first in the list too: each
    /// interrupt is counted once.
    #[test]
    fn each_interrupt_is_counted_once() {
        let lists: [&[u64]; 7] = [
            &[1, 2, 3],
            // Only where nobody in the first list had an answer.
            &[1, 2, 3, 9],
            // The first is unregistered.
            &[2, 3],
            // Another one is put in front.
            &[7, 2, 3],
            // One is replaced, and the first goes as well.
            &[3, 8],
            &[3],
            &[1, 3, 2],
        ];
        let mut state = NmiHandlers::default();
        let mut random = 1_u64;
        let (mut interrupts, mut counted) = (0, 0);
        for _ in 0..500 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let list = lists[usize::try_from(random >> 33).expect("small") % lists.len()];
            for _ in 0..random >> 60 {
                interrupts += 1;
                counted += list
                    .iter()
                    .filter(|&&handler| state.begins(handler))
                    .count();
            }
        }
        assert!(interrupts > 1_000);
        assert_eq!(counted, interrupts);
    }
}
