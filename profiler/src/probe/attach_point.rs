//! Places in the kernel that a program can be attached to.

/// Where a program attaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachPoint {
    /// A tracepoint, with typed arguments.
    Tracepoint(&'static str),
    /// A tracepoint's event for `perf`, with its arguments as `perf` records them: the
    /// tracepoint's group and name.
    PerfTracepoint(&'static str, &'static str),
    /// A tracepoint, with its arguments as plain words: for those that have
    /// function pointers among them.
    RawTracepoint(&'static str),
    /// The start of a function, through a BPF trampoline.
    Fentry(&'static str),
    /// The start of a function, through a breakpoint or ftrace.
    Kprobe(&'static str),
}
