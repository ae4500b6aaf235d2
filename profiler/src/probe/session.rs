//! One measurement's programs and maps, from loading to detaching.

use std::os::fd::{AsFd, AsRawFd};

use anyhow::{Context, Result};
use aya::{Btf, Ebpf, EbpfLoader, maps::Array};
use profiler_common::{
    names::{global, map, program},
    window::{WindowState, open},
};

use super::{
    backend::{ExitHook, Families},
    calibration,
    catalog::{self, Probe, Role},
    constants,
    links::{self, Absent, Link},
    major_faults,
    object::OBJECT,
    settings::{FaultLevel, Filter, Settings},
    status::{Probes, ProgramStatus},
};
use crate::{
    error::Error,
    gap::{Gap, Unavailable},
    kernel::{symbols::Symbols, version::preempts_tracepoints},
    sys::monotonic_ns,
};

/// Programs loaded and attached.
pub struct Session {
    ebpf: Ebpf,
    links: Vec<Link>,
    /// What became of them.
    pub probes: Probes,
    /// What cannot be told of page faults, and why.
    pub unavailable: Vec<Unavailable>,
}

impl Session {
    /// Loads the object and attaches what `settings` ask for. Nothing is
    /// counted yet, since the thread table is empty.
    ///
    /// # Errors
    /// [`Error::Environment`] if this kernel cannot run it.
    pub fn start(settings: &Settings, symbols: &Symbols) -> Result<Self> {
        if symbols.is_hidden() {
            return Err(Error::Environment(
                "the kernel hides its symbol addresses, without which the cause of an entry \
                 cannot be told: run modeswitch with sudo, or with CAP_SYSLOG and \
                 `sysctl kernel.kptr_restrict=1` or lower"
                    .to_owned(),
            )
            .into());
        }
        let btf = Btf::from_sys_fs().map_err(|error| {
            Error::Environment(format!(
                "this kernel has no type information ({error}): modeswitch needs a kernel built \
                 with CONFIG_DEBUG_INFO_BTF"
            ))
        })?;
        let mut unavailable = Vec::new();
        let config = constants::config(settings, symbols, &mut unavailable)?;
        let has_task_pt_regs = u8::from(constants::has_kernel_helper(&btf));
        let log_level = if settings.diagnostics { u8::MAX } else { 0 };
        raise_memlock_limit();
        let mut loader = EbpfLoader::new();
        loader
            .btf(Some(&btf))
            .override_global(global::CONFIG, &config, true)
            .override_global(global::HAS_TASK_PT_REGS, &has_task_pt_regs, true)
            .override_global(aya_log::LEVEL, &log_level, true);
        loader.map_max_entries(map::LEDGER, settings.ledger_rows);
        for (name, entries) in constants::maps_of_faults(settings) {
            loader.map_max_entries(name, entries);
        }
        if config.stack_interval == 0 {
            loader
                .map_max_entries(map::STACKS, 1)
                .map_max_entries(map::STACK_LEDGER, 1);
        }
        for (name, entries) in unused_maps(settings) {
            loader.map_max_entries(name, entries);
        }
        let ebpf = loader.load(OBJECT).map_err(|error| {
            let error = anyhow::Error::from(error);
            let reason = format!("the kernel refused modeswitch's maps: {error:#}");
            Error::of_open_files(&error).unwrap_or(Error::Environment(reason))
        })?;
        let mut session = Self {
            ebpf,
            links: Vec::new(),
            probes: Probes::default(),
            unavailable,
        };
        if let Filter::Cpus(cpus) = &settings.filter {
            session.mark_cpus(cpus)?;
        }
        session.attach_all(settings, &btf)?;
        if settings.faults != FaultLevel::Count {
            session.look_into_faults(&btf);
        }
        Ok(session)
    }

    /// The loaded object, for the maps in it.
    pub fn ebpf(&mut self) -> &mut Ebpf {
        &mut self.ebpf
    }

    /// Begins to count, from the next entry on.
    ///
    /// # Errors
    /// If the programs' memory cannot be written.
    pub fn open_window(&mut self) -> Result<()> {
        let passes_late = self.probes.families.exit.is_some_and(ExitHook::passes_late);
        let killed = if passes_late { open::COUNT_KILLED } else { 0 };
        let allocations = if self.probes.families.entry {
            open::ALLOCATIONS_AT_SYSCALL_EXIT
        } else {
            open::ALLOCATIONS_AT_RETURN
        };
        self.set_window(open::COUNT | killed | allocations)
    }

    /// Counts no more: what happens while the programs are being detached is
    /// not part of the measurement.
    ///
    /// # Errors
    /// If the programs' memory cannot be written.
    pub fn close_window(&mut self) -> Result<()> {
        self.set_window(0)
    }

    fn set_window(&mut self, open: u64) -> Result<()> {
        let variables = self.ebpf.map_mut(map::VARIABLES).context("no variables")?;
        let mut variables = Array::<_, WindowState>::try_from(variables)?;
        let epoch = monotonic_ns();
        variables.set(0, WindowState { epoch, open }, 0)?;
        Ok(())
    }

    /// Marks the CPUs on which everything is measured.
    fn mark_cpus(&mut self, cpus: &[u32]) -> Result<()> {
        let table = self.ebpf.map_mut(map::CPUS).context("no CPU table")?;
        let mut table = Array::<_, u32>::try_from(table)?;
        for &cpu in cpus {
            table.set(cpu, 1, 0)?;
        }
        Ok(())
    }

    /// Attaches lifecycle probes, then the exit hook, then the tracepoints.
    fn attach_all(&mut self, settings: &Settings, btf: &Btf) -> Result<()> {
        let probes = catalog::all();
        for probe in probes.iter().filter(|probe| probe.role == Role::Lifecycle) {
            self.attach_or_fail(btf, probe)?;
        }
        let mut refusals = Vec::new();
        for &hook in settings.backend.exit_candidates() {
            let Some(probe) = probes.iter().find(|probe| probe.role == Role::Exit(hook)) else {
                continue;
            };
            match self.attach(btf, probe) {
                Ok(()) => {
                    self.probes.families.exit = Some(hook);
                    break;
                }
                Err(error) => refusals.push(format!("{error:#}")),
            }
        }
        let wants_exit = !settings.backend.exit_candidates().is_empty();
        if wants_exit && self.probes.families.exit.is_none() && !settings.backend.may_fall_back() {
            return Err(Error::Environment(format!(
                "this kernel cannot run the backend asked for ({}): use `--backend auto`",
                refusals.join("; ")
            ))
            .into());
        }
        let is_audit = settings.backend == super::backend::BackendChoice::Audit;
        self.probes.families.entry = self.probes.families.exit.is_none() || is_audit;
        for probe in &probes {
            if let Role::Substitute(of) = probe.role {
                self.attach_substitute(&probes, probe, *of, btf);
                continue;
            }
            if !probe.role.is_wanted(settings, &self.probes) {
                continue;
            }
            if probe.required {
                self.attach_or_fail(btf, probe)?;
            } else {
                self.attach_or_note(btf, probe);
            }
        }
        if settings.io_uring {
            self.attach_submissions(&probes, btf)?;
        }
        self.probes.reason = reason(self.probes.families, &refusals);
        Ok(())
    }

    /// Sets up what it takes to tell the kind of a page fault. Where that cannot
    /// be had, faults are counted all the same.
    fn look_into_faults(&mut self, btf: &Btf) {
        if let Err(error) = calibration::calibrate(&mut self.ebpf, btf) {
            self.unavailable.push(Unavailable::new(
                Gap::FaultKind,
                format!("its page table cannot be read: {error:#}"),
            ));
        }
        match major_faults::attach(&mut self.ebpf) {
            Ok(links) => {
                self.links.extend(links);
                self.probes.programs.push(ProgramStatus {
                    program: program::MAJOR_FAULT.to_owned(),
                    skipped: None,
                    misses: None,
                });
            }
            Err(error) => self.note(program::MAJOR_FAULT, &error),
        }
    }

    /// Attaches a program that joins another one, where that can be preempted, unless
    /// one before it in the list does so already. Notes why not if it was the last.
    fn attach_substitute(&mut self, probes: &[Probe], probe: &Probe, of: Role, btf: &Btf) {
        if !preempts_tracepoints() || (of == Role::Entry && !self.probes.families.entry) {
            return;
        }
        let mut alike = probes.iter().filter(|it| it.role == probe.role);
        let is_last = alike
            .next_back()
            .is_some_and(|it| it.program == probe.program);
        let is_served = |it: &Probe| {
            self.probes
                .programs
                .iter()
                .any(|known| known.program == it.program)
        };
        if alike.any(is_served) {
            return;
        }
        if let Err(error) = self.attach(btf, probe) {
            log::debug!("{}: {error:#}", probe.program);
            if is_last {
                self.note(probe.program, &error);
            }
        }
    }

    /// Attaches to whichever name the submission tracepoint has here.
    fn attach_submissions(&mut self, probes: &[Probe], btf: &Btf) -> Result<()> {
        let names = probes
            .iter()
            .filter(|probe| probe.role == Role::Submissions);
        let mut refusals = Vec::new();
        for probe in names {
            match self.attach(btf, probe) {
                Ok(()) => return Ok(()),
                Err(error) => refusals.push(format!("{error:#}")),
            }
        }
        Err(Error::Environment(format!(
            "submissions to an io_uring cannot be counted here ({}): leave `--io-uring` out",
            refusals.join("; ")
        ))
        .into())
    }

    /// Attaches a program, or notes why not.
    fn attach_or_note(&mut self, btf: &Btf, probe: &Probe) {
        if let Err(error) = self.attach(btf, probe) {
            self.note(probe.program, &error);
        }
    }

    /// Notes why a program is not attached.
    fn note(&mut self, program: &str, error: &anyhow::Error) {
        let reason = format!("{error:#}");
        log::debug!("{program}: {reason}");
        let gap = match error.downcast_ref::<Absent>() {
            Some(_) => Gap::ProbeNotInKernel(program.to_owned()),
            None => Gap::ProbeNotAttached(program.to_owned()),
        };
        // Behind the first line there is the verifier's log.
        let reason = reason.lines().next().unwrap_or_default();
        self.probes.programs.push(ProgramStatus {
            program: program.to_owned(),
            skipped: Some(Unavailable::new(gap, reason)),
            misses: None,
        });
    }

    /// Attaches a program without which there is nothing to measure.
    fn attach_or_fail(&mut self, btf: &Btf, probe: &Probe) -> Result<()> {
        self.attach(btf, probe).map_err(|error| {
            let other = || {
                Error::Environment(format!(
                    "this kernel cannot run the probe {}: {error:#}",
                    probe.program
                ))
            };
            Error::of_open_files(&error).unwrap_or_else(other).into()
        })
    }

    /// Attaches a program and notes that it is.
    fn attach(&mut self, btf: &Btf, probe: &Probe) -> Result<()> {
        let link = links::attach(&mut self.ebpf, btf, probe)?;
        self.links.push(link);
        self.probes.programs.push(ProgramStatus {
            program: probe.program.to_owned(),
            skipped: None,
            misses: None,
        });
        Ok(())
    }

    /// Detaches everything, then asks the kernel what each program missed.
    /// After this the maps stand still.
    pub fn stop(&mut self) {
        self.links.clear();
        let Self { ebpf, probes, .. } = self;
        let programs = &mut probes.programs;
        let mut missed = |name: &str| recursion_misses(links::find(ebpf, name).ok()?);
        for status in programs.iter_mut().filter(|it| it.skipped.is_none()) {
            status.misses = missed(&status.program);
        }
        for (program, substitute) in catalog::SUBSTITUTES {
            let find = |name| {
                programs
                    .iter()
                    .position(|it| it.program == name && it.skipped.is_none())
            };
            if let (Some(first), Some(second)) = (find(program), find(substitute)) {
                log::debug!("{program}: {:?} passed over", programs[first].misses);
                programs[first].misses = programs[first].misses.min(programs[second].misses);
                programs.remove(second);
            }
        }
    }
}

/// The kernel's count of events a program missed, from the program's fdinfo.
/// Linux 5.12 and later.
fn recursion_misses(program: &aya::programs::Program) -> Option<u64> {
    let fd = program.fd().ok()?.as_fd().as_raw_fd();
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).ok()?;
    info.lines()
        .find_map(|line| line.strip_prefix("recursion_misses:"))
        .and_then(|count| count.trim().parse().ok())
}

/// Maps that take no room where nobody asks for what they hold.
fn unused_maps(settings: &Settings) -> Vec<(&'static str, u32)> {
    let senders = [map::RUNNING, map::SENDERS];
    let disturbance = [
        map::CPU_STATES,
        map::WAITING,
        map::SQ_THREADS,
        map::DISTURBANCES,
    ];
    let mut unused = Vec::new();
    if !settings.extras.senders {
        unused.extend(senders.map(|name| (name, 1)));
    }
    if !settings.extras.disturbance {
        unused.extend(disturbance.map(|name| (name, 1)));
    }
    unused
}

/// Before Linux 5.11, maps count against this limit. Later ones ignore it, so
/// failing to raise it is no error by itself.
fn raise_memlock_limit() {
    use nix::sys::resource::{RLIM_INFINITY, Resource, setrlimit};
    if let Err(error) = setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY) {
        log::debug!("cannot raise RLIMIT_MEMLOCK: {error}");
    }
}

/// Why these families are in use, for people.
fn reason(families: Families, refusals: &[String]) -> String {
    match (families.entry, families.exit) {
        (true, Some(hook)) => format!("tracepoints and {} together", hook.function()),
        (_, Some(hook)) => format!("every return passes {}", hook.function()),
        (_, None) if refusals.is_empty() => "tracepoints on every way in, as asked for".to_owned(),
        (_, None) => format!("tracepoints on every way in, since {}", refusals.join("; ")),
    }
}
