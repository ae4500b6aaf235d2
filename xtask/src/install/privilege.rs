//! Commands that change the system.

use std::process::Command;

use anyhow::{Result, bail};
use modeswitch_object::process;

use crate::workspace;

/// Runs a command as root: directly, or by a `sudo` that asks no password.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let mut command = match workspace::root_access() {
        workspace::RootAccess::Root => Command::new(arguments[0]),
        workspace::RootAccess::Sudo => {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", arguments[0]]);
            sudo
        }
        workspace::RootAccess::None => bail!("`{}` has to be run as root", arguments.join(" ")),
    };
    command.args(&arguments[1..]);
    eprintln!("$ {}", process::describe(&command));
    process::run(&mut command)
}
