//! The interrupt vectors that have a tracepoint of their own.

use crate::coded::coded;

/// Defines [`Vector`] from one table: code, x86 vector, document name, stub,
/// tracepoint, words.
macro_rules! vectors {
    ($($variant:ident = $code:literal, $number:literal, $name:literal, $stub:literal, $tracepoint:literal, $words:literal;)+) => {
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

            /// The number of the x86 vector.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self { $(Self::$variant => $number,)+ }
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
    LocalTimer = 0, 0xec, "local_timer", "asm_sysvec_apic_timer_interrupt", "local_timer_entry", "local timer (tick)";
    Reschedule = 1, 0xfd, "reschedule", "asm_sysvec_reschedule_ipi", "reschedule_entry", "reschedule IPI";
    CallFunction = 2, 0xfc, "call_function", "asm_sysvec_call_function", "call_function_entry", "call-function IPI (many CPUs)";
    CallFunctionSingle = 3, 0xfb, "call_function_single", "asm_sysvec_call_function_single", "call_function_single_entry", "call-function IPI";
    IrqWork = 4, 0xf6, "irq_work", "asm_sysvec_irq_work", "irq_work_entry", "interrupt work";
    ErrorApic = 5, 0xfe, "error_apic", "asm_sysvec_error_interrupt", "error_apic_entry", "local APIC error";
    SpuriousApic = 6, 0xff, "spurious_apic", "asm_sysvec_spurious_apic_interrupt", "spurious_apic_entry", "spurious interrupt";
    X86PlatformIpi = 7, 0xf7, "x86_platform_ipi", "asm_sysvec_x86_platform_ipi", "x86_platform_ipi_entry", "platform IPI";
    ThermalApic = 8, 0xfa, "thermal_apic", "asm_sysvec_thermal", "thermal_apic_entry", "thermal interrupt";
    ThresholdApic = 9, 0xf9, "threshold_apic", "asm_sysvec_threshold", "threshold_apic_entry", "machine-check threshold";
    DeferredErrorApic = 10, 0xf4, "deferred_error_apic", "asm_sysvec_deferred_error", "deferred_error_apic_entry", "deferred machine-check error";
}

/// Further vectors with a handler of their own, by x86 number, named as their
/// entry stubs are (`asm_sysvec_…`).
pub const WITHOUT_TRACEPOINT: [(u8, &str); 9] = [
    (0xf8, "reboot"),
    (0xf5, "perf_guest_mediated_pmi_handler"),
    // One of several hypervisors' callbacks: a kernel has at most one.
    (0xf3, "hypervisor_callback"),
    (0xf2, "kvm_posted_intr_ipi"),
    (0xf1, "kvm_posted_intr_wakeup_ipi"),
    (0xf0, "kvm_posted_intr_nested_ipi"),
    (0xee, "hyperv_reenlightenment"),
    (0xed, "hyperv_stimer0"),
    (POSTED_MSI, "posted_msi_notification"),
];

/// Devices' interrupts posted together. The lowest vector that is no device's
/// own, where the kernel has it; elsewhere the local timer's is.
pub const POSTED_MSI: u8 = 0xeb;

/// Names of the processor's exceptions by number. The kernel's, where it is not
/// the opcode's.
pub const EXCEPTIONS: [&str; 22] = [
    "divide_error",
    "debug",
    "nmi",
    "breakpoint",
    "overflow",
    "bounds",
    "invalid_opcode",
    "device_not_available",
    "double_fault",
    "coproc_segment_overrun",
    "invalid_tss",
    "segment_not_present",
    "stack_segment",
    "general_protection",
    "page_fault",
    "spurious_interrupt_bug",
    "coprocessor_error",
    "alignment_check",
    "machine_check",
    "simd_coprocessor_error",
    "virtualization_exception",
    "control_protection",
];

/// Details of interrupts at and above this are device IRQ numbers plus this.
pub const DEVICE_IRQ_BASE: u32 = 0x1000;
