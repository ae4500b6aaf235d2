//! Kernel symbols, from `/proc/kallsyms`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use profiler_common::{
    stub::{EntryText, TextRange},
    vector::{self, Trap, Vector},
};

use crate::error::Error;

/// Where the kernel publishes its symbols.
const KALLSYMS: &str = "/proc/kallsyms";

/// What names begin with that the programs have to recognise.
const ENTRY_PREFIXES: [&str; 4] = ["asm_", "entry_", "ret_from_fork", "__entry_text_"];

/// The function of KVM in which a guest is entered; KVM may be a module.
const GUEST_ENTRY: &str = "kvm_arch_vcpu_ioctl_run";

/// The kernel's text symbols by address.
#[derive(Debug, Default)]
pub struct Symbols {
    /// Sorted. Of several names for one address the first one stands.
    by_address: Vec<Symbol>,
    /// All names, one behind the other: there are over a hundred thousand.
    names: String,
    /// Address by name, for entry code only.
    by_name: BTreeMap<String, u64>,
}

/// One symbol; its name is a part of all names.
#[derive(Clone, Copy, Debug)]
struct Symbol {
    address: u64,
    name_start: u32,
    name_bytes: u32,
}

/// No function of a kernel is as long as this, in bytes.
const LARGEST_FUNCTION: u64 = 1 << 20;

impl Symbols {
    /// Reads the running kernel's symbols.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read() -> Result<Self> {
        let text =
            std::fs::read_to_string(KALLSYMS).with_context(|| format!("cannot read {KALLSYMS}"))?;
        Ok(Self::parse(&text))
    }

    /// Reads the format of `/proc/kallsyms`. Lines that make no sense, and
    /// addresses hidden as zero, are passed over.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut symbols = Self::default();
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            let (Some(address), Some(kind), Some(name)) =
                (words.next(), words.next(), words.next())
            else {
                continue;
            };
            let Ok(address) = u64::from_str_radix(address, 16) else {
                continue;
            };
            if address == 0 || !matches!(kind, "t" | "T" | "w" | "W") {
                continue;
            }
            let is_entry = ENTRY_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
            // A fourth word names a module.
            if is_entry && words.next().is_none() || name == GUEST_ENTRY {
                symbols.by_name.insert(name.to_owned(), address);
            }
            symbols.add(address, name);
        }
        // Stable, so that the first of several names stays the first.
        symbols.by_address.sort_by_key(|symbol| symbol.address);
        symbols.by_address.dedup_by_key(|symbol| symbol.address);
        symbols
    }

    fn add(&mut self, address: u64, name: &str) {
        let (Ok(name_start), Ok(name_bytes)) =
            (u32::try_from(self.names.len()), u32::try_from(name.len()))
        else {
            return;
        };
        self.names.push_str(name);
        self.by_address.push(Symbol {
            address,
            name_start,
            name_bytes,
        });
    }

    fn name(&self, symbol: Symbol) -> &str {
        let start = symbol.name_start as usize;
        let name = self.names.get(start..start + symbol.name_bytes as usize);
        name.unwrap_or_default()
    }

    /// How many symbols begin at or below an address.
    fn up_to(&self, address: u64) -> usize {
        self.by_address
            .partition_point(|symbol| symbol.address <= address)
    }

    /// Whether the kernel told no addresses (`kptr_restrict`, or no privileges).
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.by_address.is_empty()
    }

    /// The function that a call with this return address is in, and how far into it
    /// the call returns.
    #[must_use]
    pub fn resolve_return(&self, address: u64) -> Option<(&str, u64)> {
        // A call can be a function's last instruction.
        let (name, offset) = self.resolve(address.checked_sub(1)?)?;
        Some((name, offset + 1))
    }

    /// The function that an address lies in, and how far into it. Nothing of code
    /// without a symbol, such as programs compiled while we run.
    #[must_use]
    pub fn resolve(&self, address: u64) -> Option<(&str, u64)> {
        let symbol = *self.by_address[..self.up_to(address)].last()?;
        let offset = address - symbol.address;
        (offset < LARGEST_FUNCTION).then(|| (self.name(symbol), offset))
    }

    /// The return addresses of the text from a symbol up to the next one, or nothing
    /// if it is unknown.
    #[must_use]
    pub fn range(&self, name: &str) -> TextRange {
        let Some(&start) = self.by_name.get(name) else {
            return TextRange::default();
        };
        let next = self.by_address.get(self.up_to(start));
        let end = next.map_or(start + 4096, |next| next.address);
        TextRange::of_returns_into(start, end)
    }

    /// The first of several names that this kernel has.
    fn first_range(&self, names: &[&str]) -> TextRange {
        names
            .iter()
            .map(|name| self.range(name))
            .find(|range| *range != TextRange::default())
            .unwrap_or_default()
    }

    /// The smallest range that holds all of the named functions.
    fn spanning(&self, names: &[&str]) -> TextRange {
        let known = names
            .iter()
            .map(|name| self.range(name))
            .filter(|range| *range != TextRange::default());
        known
            .reduce(|a, b| TextRange {
                start: a.start.min(b.start),
                end: a.end.max(b.end),
            })
            .unwrap_or_default()
    }

    /// What the programs have to recognise, on a processor with FRED in use or
    /// without.
    ///
    /// # Errors
    /// If FRED is in use and its entry points are unknown: nothing could be told
    /// apart then.
    pub fn entry_text(&self, has_fred: bool) -> Result<EntryText> {
        if !has_fred {
            return Ok(self.entry_stubs());
        }
        // What the user's pushes is the address of its second name.
        let user = self.spanning(&["asm_fred_entrypoint_user", "asm_fred_exit_user"]);
        let kernel = self.spanning(&["asm_fred_entrypoint_kernel", "asm_fred_entry_from_kvm"]);
        let ret_from_fork = self.ret_from_fork();
        if [user, kernel, ret_from_fork].contains(&TextRange::default()) {
            let message = "this processor enters the kernel by FRED, and the kernel does not \
                           name the entry points (asm_fred_entrypoint_user): no cause could \
                           be told from another";
            return Err(Error::Environment(message.to_owned()).into());
        }
        let has_posted_msi = self
            .by_name
            .contains_key("asm_sysvec_posted_msi_notification");
        let first_system = if has_posted_msi {
            vector::POSTED_MSI
        } else {
            Vector::LocalTimer.number()
        };
        let all = TextRange {
            start: user.start.min(kernel.start),
            end: user.end.max(kernel.end),
        };
        let guest = self.range(GUEST_ENTRY);
        Ok(EntryText::fred(
            all,
            user,
            ret_from_fork,
            first_system,
            guest,
        ))
    }

    /// The assembly part got its own name in 6.6.
    fn ret_from_fork(&self) -> TextRange {
        self.first_range(&["ret_from_fork_asm", "ret_from_fork"])
    }

    /// The entry stubs, one for each cause.
    fn entry_stubs(&self) -> EntryText {
        let all = match (
            self.by_name.get("__entry_text_start"),
            self.by_name.get("__entry_text_end"),
        ) {
            (Some(&start), Some(&end)) => TextRange::of_returns_into(start, end),
            _ => TextRange::default(),
        };
        let mut vectors = [TextRange::default(); Vector::ALL.len()];
        for (range, vector) in vectors.iter_mut().zip(Vector::ALL) {
            *range = self.range(vector.stub_symbol());
        }
        let mut traps = [TextRange::default(); Trap::ALL.len()];
        for (range, trap) in traps.iter_mut().zip(Trap::ALL) {
            *range = self.range(trap.stub_symbol());
        }
        EntryText {
            all,
            fred_user: TextRange::default(),
            syscall: self.spanning(&["entry_SYSCALL_64", "entry_SYSCALL_64_after_hwframe"]),
            // Named after its C part from 6.7 on; before, one assembly routine.
            int80: self.first_range(&["asm_int80_emulation", "entry_INT80_compat"]),
            compat: self.spanning(&[
                "entry_SYSENTER_compat",
                "entry_SYSENTER_compat_after_hwframe",
                "entry_SYSCALL_compat",
                "entry_SYSCALL_compat_safe_stack",
                "entry_SYSCALL_compat_after_hwframe",
            ]),
            page_fault: self.range("asm_exc_page_fault"),
            ret_from_fork: self.ret_from_fork(),
            common_interrupt: self.range("asm_common_interrupt"),
            nmi: self.range("asm_exc_nmi"),
            vectors,
            traps,
            guest_entry: self.range(GUEST_ENTRY),
        }
    }
}

#[cfg(test)]
mod tests {
    use profiler_common::stub::event;

    use super::*;
    use crate::{error::exit_code_of, exit_code};

    const SAMPLE: &str = "\
ffffffff82000000 T __entry_text_start
ffffffff82000000 T entry_SYSCALL_64
ffffffff82000080 T entry_SYSCALL_64_after_hwframe
ffffffff82000130 T ret_from_fork_asm
ffffffff82000200 T asm_exc_page_fault
ffffffff82000240 T asm_sysvec_apic_timer_interrupt
ffffffff82000280 T __entry_text_end
ffffffffc0001000 t helper\t[module]
ffffffff83000000 D some_data
not a line
";

    /// An address in the middle of a function resolves to it and its offset.
    #[test]
    fn resolves_to_the_function_before() {
        let symbols = Symbols::parse(SAMPLE);
        assert_eq!(
            symbols.resolve(0xffff_ffff_8200_0205),
            Some(("asm_exc_page_fault", 5))
        );
        assert_eq!(symbols.resolve(0x1000), None);
        // Far behind the last function there is none.
        assert_eq!(symbols.resolve(0xffff_ffff_c840_0000), None);
    }

    /// A stub's return addresses end where the next symbol begins: that address
    /// included, and its own beginning not.
    #[test]
    fn a_call_can_be_the_last_instruction_of_a_stub() {
        let symbols = Symbols::parse(SAMPLE);
        let text = symbols.entry_text(false).unwrap();
        assert!(!text.page_fault.contains(0xffff_ffff_8200_0200));
        assert!(text.page_fault.contains(0xffff_ffff_8200_0240));
        assert!(!text.page_fault.contains(0xffff_ffff_8200_0241));
        assert_eq!(
            symbols.resolve_return(0xffff_ffff_8200_0240),
            Some(("asm_exc_page_fault", 0x40))
        );
        assert!(text.syscall.contains(0xffff_ffff_8200_00fa));
        let timer = text.vectors[Vector::LocalTimer as usize];
        assert!(timer.contains(0xffff_ffff_8200_0255));
        let unknown = text.vectors[Vector::Reschedule as usize];
        assert!(!unknown.contains(0));
    }

    /// As they lie in Debian's 7.3.4, with what its entry points leave on the stack
    /// there: addresses of their second names. The kernel's own entry point is no
    /// way in from user mode.
    #[test]
    fn fred_has_entry_points_and_events() {
        const FRED: &str = "\
ffffffff8f801280 T asm_exc_page_fault
ffffffff8f8012b0 T asm_int80_emulation
ffffffff8faa0750 T ret_from_fork_asm
ffffffff8faa0780 T rewind_stack_and_make_dead
ffffffff909b2000 T asm_fred_entrypoint_user
ffffffff909b2041 T asm_fred_exit_user
ffffffff909b2100 T asm_fred_entrypoint_kernel
ffffffff909b2170 T asm_fred_entry_from_kvm
ffffffff909b21d0 t __pfx_fred_handle_spurious_interrupt
";
        let text = Symbols::parse(FRED).entry_text(true).unwrap();
        assert!(text.fred_user.contains(0xffff_ffff_909b_2041));
        assert!(!text.fred_user.contains(0xffff_ffff_909b_2141));
        assert!(text.all.contains(0xffff_ffff_909b_2141));
        assert!(text.all.contains(0xffff_ffff_909b_21c5));
        assert!(!text.all.contains(0xffff_ffff_909b_21d5));
        assert!(text.ret_from_fork.contains(0xffff_ffff_8faa_076a));
        assert!(text.syscall.contains(event::SYSCALL));
        // Without them nothing can be told: refused, as what this machine cannot do.
        let refused = Symbols::parse(SAMPLE).entry_text(true).unwrap_err();
        assert_eq!(exit_code_of(&refused), exit_code::ENVIRONMENT);
        assert!(refused.to_string().contains("FRED"), "{refused}");
    }

    /// A kernel that hides its addresses is told from one that has none.
    #[test]
    fn zero_addresses_count_as_hidden() {
        let hidden = Symbols::parse("0000000000000000 T entry_SYSCALL_64\n");
        assert!(hidden.is_hidden());
        assert!(!Symbols::parse(SAMPLE).is_hidden());
    }
}
