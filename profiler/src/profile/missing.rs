//! What a program that this kernel cannot run would have told.

use profiler_common::names::program;

/// What is not known without a program, in words.
#[must_use]
pub fn without(name: &str) -> String {
    match name {
        program::CSD_FUNCTION_ENTRY => {
            "what call-function interrupts were for, other than TLB shootdowns".to_owned()
        }
        program::TLB_FLUSH => "TLB shootdowns among call-function interrupts".to_owned(),
        program::CSD_QUEUE_CPU => "who sent call-function interrupts".to_owned(),
        program::IPI_SEND_CPU => "who sent reschedule interrupts".to_owned(),
        program::SENDERS_SCHED_SWITCH => "whose CPU interrupts were sent to".to_owned(),
        other => format!("{other} events"),
    }
}
