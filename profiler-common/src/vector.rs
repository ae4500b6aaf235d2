//! The interrupt vectors that have a tracepoint of their own.

use crate::coded::coded;

/// Defines [`Vector`] from one table: code, document name, stub, tracepoint, words.
macro_rules! vectors {
    ($($variant:ident = $code:literal, $name:literal, $stub:literal, $tracepoint:literal, $words:literal;)+) => {
        coded! {
            /// An interrupt vector by its purpose.
            pub enum Vector: u32 {
                $(#[doc = $words] $variant = $code, $name;)+
            }
        }

        impl Vector {
            /// The entry stub that the processor jumps to.
            #[must_use]
            pub const fn stub_symbol(self) -> &'static str {
                match self { $(Self::$variant => $stub,)+ }
            }

            /// The kernel's tracepoint at the start of the handler.
            #[must_use]
            pub const fn tracepoint(self) -> &'static str {
                match self { $(Self::$variant => $tracepoint,)+ }
            }

            /// What it is, for people.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)+ }
            }
        }
    };
}

vectors! {
    LocalTimer = 0, "local_timer", "asm_sysvec_apic_timer_interrupt", "local_timer_entry", "local timer (tick)";
    Reschedule = 1, "reschedule", "asm_sysvec_reschedule_ipi", "reschedule_entry", "reschedule IPI";
    CallFunction = 2, "call_function", "asm_sysvec_call_function", "call_function_entry", "call-function IPI (many CPUs)";
    CallFunctionSingle = 3, "call_function_single", "asm_sysvec_call_function_single", "call_function_single_entry", "call-function IPI";
    IrqWork = 4, "irq_work", "asm_sysvec_irq_work", "irq_work_entry", "interrupt work";
    ErrorApic = 5, "error_apic", "asm_sysvec_error_interrupt", "error_apic_entry", "local APIC error";
    SpuriousApic = 6, "spurious_apic", "asm_sysvec_spurious_apic_interrupt", "spurious_apic_entry", "spurious interrupt";
    X86PlatformIpi = 7, "x86_platform_ipi", "asm_sysvec_x86_platform_ipi", "x86_platform_ipi_entry", "platform IPI";
    ThermalApic = 8, "thermal_apic", "asm_sysvec_thermal", "thermal_apic_entry", "thermal interrupt";
    ThresholdApic = 9, "threshold_apic", "asm_sysvec_threshold", "threshold_apic_entry", "machine-check threshold";
    DeferredErrorApic = 10, "deferred_error_apic", "asm_sysvec_deferred_error", "deferred_error_apic_entry", "deferred machine-check error";
}

/// Details of interrupts at and above this are device IRQ numbers plus this.
pub const DEVICE_IRQ_BASE: u32 = 0x1000;
