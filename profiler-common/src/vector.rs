//! The interrupt vectors that have a tracepoint of their own, and the exceptions.

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

/// Details of interrupts at and above this are device IRQ numbers plus this.
pub const DEVICE_IRQ_BASE: u32 = 0x1000;

/// Defines [`Trap`] from one table: number, document name, stub, signal.
macro_rules! traps {
    ($($variant:ident = $code:literal, $name:literal, $stub:literal, $signal:literal;)+) => {
        coded! {
            /// A processor exception other than a page fault, by its number.
            pub enum Trap: u32 {
                $(#[doc = concat!("By way of `", $stub, "`.")] $variant = $code, $name;)+
            }
        }

        impl Trap {
            /// The entry stub that the processor jumps to.
            #[must_use]
            pub const fn stub_symbol(self) -> &'static str {
                match self { $(Self::$variant => $stub,)+ }
            }

            /// The number of the signal that the kernel answers it with, if it
            /// does not deal with it itself.
            #[inline(always)]
            #[must_use]
            pub const fn signal(self) -> u32 {
                match self { $(Self::$variant => $signal,)+ }
            }
        }
    };
}

traps! {
    DivideError = 0, "divide_error", "asm_exc_divide_error", 8;
    Debug = 1, "debug", "asm_exc_debug", 5;
    Breakpoint = 3, "breakpoint", "asm_exc_int3", 5;
    Overflow = 4, "overflow", "asm_exc_overflow", 11;
    Bounds = 5, "bounds", "asm_exc_bounds", 11;
    InvalidOpcode = 6, "invalid_opcode", "asm_exc_invalid_op", 4;
    DeviceNotAvailable = 7, "device_not_available", "asm_exc_device_not_available", 4;
    CoprocSegmentOverrun = 9, "coproc_segment_overrun", "asm_exc_coproc_segment_overrun", 8;
    InvalidTss = 10, "invalid_tss", "asm_exc_invalid_tss", 11;
    SegmentNotPresent = 11, "segment_not_present", "asm_exc_segment_not_present", 7;
    StackSegment = 12, "stack_segment", "asm_exc_stack_segment", 7;
    GeneralProtection = 13, "general_protection", "asm_exc_general_protection", 11;
    CoprocessorError = 16, "coprocessor_error", "asm_exc_coprocessor_error", 8;
    AlignmentCheck = 17, "alignment_check", "asm_exc_alignment_check", 7;
    MachineCheck = 18, "machine_check", "asm_exc_machine_check", 7;
    SimdCoprocessorError = 19, "simd_coprocessor_error", "asm_exc_simd_coprocessor_error", 8;
    VirtualizationException = 20, "virtualization_exception", "asm_exc_virtualization_exception", 11;
    ControlProtection = 21, "control_protection", "asm_exc_control_protection", 11;
    VmmCommunication = 29, "vmm_communication", "asm_exc_vmm_communication", 7;
}
