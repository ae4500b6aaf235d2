//! From a fix to what it means for a command and for the machine.

use super::{
    machine::{self, Setting},
    model::Fix,
};
use crate::{
    error::Error,
    kernel::numa,
    launch::{
        command::Command,
        conditions::{MemoryPolicy, Prefault},
        inject::privileged,
    },
    measure::affinity,
};

/// What a fix needs beyond the command itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Settings of the whole machine.
    pub settings: Vec<Setting>,
    /// What is to be said of it.
    pub notes: Vec<String>,
}

/// Prepares a command for its fixes.
///
/// # Errors
/// [`Error`] if one of them is not to be had here.
pub fn prepare(fixes: &[Fix], command: &mut Command) -> Result<Needs, Error> {
    let mut needs = Needs::default();
    for fix in fixes {
        match fix {
            Fix::Nothing => {}
            Fix::Prefault { children } => {
                if let Some(why) = privileged::lost_by_tracing(&command.path) {
                    return Err(Error::Environment(format!(
                        "cannot prefault {} from outside: {why}",
                        command.path.display()
                    )));
                }
                command.conditions.prefault = Some(Prefault {
                    children: *children,
                    only_follow: false,
                    needed_bytes: None,
                });
            }
            Fix::NoNumaBalancing => {
                command.conditions.memory = Some(MemoryPolicy::Local);
                let how = "memory policy MPOL_LOCAL, set before the command starts and inherited \
                           by what it creates; the machine's own setting is left alone";
                needs.notes.push(how.to_owned());
                needs.notes.extend(numa::balancing_is_off());
            }
            Fix::BindNuma(node) => {
                command.conditions.memory = Some(MemoryPolicy::Bind(*node));
                command.cpus = Some(numa::cpus_of(*node)?);
            }
            Fix::NoThp => command.conditions.no_thp = true,
            Fix::Thp => needs.settings.push(Setting {
                path: machine::THP_ENABLED.into(),
                value: "always".to_owned(),
            }),
            Fix::Pin(cpus) => {
                affinity::check(cpus)?;
                command.cpus = Some(cpus.clone());
            }
            Fix::Env(key, value) => command.environment.push((key.clone(), value.clone())),
            Fix::Sysctl { name, value } => {
                let path = machine::sysctl_path(name);
                if !path.is_file() {
                    return Err(Error::Usage(format!(
                        "this kernel has no setting `{name}` ({}): see `sysctl -a`",
                        path.display()
                    )));
                }
                needs.settings.push(Setting {
                    path,
                    value: value.clone(),
                });
            }
        }
    }
    Ok(needs)
}
