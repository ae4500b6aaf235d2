//! `modeswitch completions` and `modeswitch man`.

use std::{
    io,
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::{Args, Command, CommandFactory, builder::Resettable};
use clap_complete::Shell;
use clap_mangen::roff::{Roff, roman};

use super::{Cli, output};
use crate::{exit_code, profile::file};

const NAME: &str = "modeswitch";

const SHELLS: &str = "\
Examples:
  modeswitch completions bash > /etc/bash_completion.d/modeswitch
  modeswitch completions zsh > /usr/local/share/zsh/site-functions/_modeswitch
  modeswitch completions fish > ~/.config/fish/completions/modeswitch.fish
      make new shells complete commands, options and their values";

const PAGES: &str = "\
Examples:
  modeswitch man | man -l -
      read the page of modeswitch itself
  modeswitch man /usr/local/share/man/man1
      write it and a page for each command, such as modeswitch-run(1)";

/// Print a shell completion script
#[derive(Args, Debug)]
#[command(after_help = SHELLS)]
pub struct CompletionsArgs {
    /// The shell to complete for.
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// Print the manual page, or write all manual pages to a folder
#[derive(Args, Debug)]
#[command(after_help = PAGES)]
pub struct ManArgs {
    /// Existing folder for the pages of all commands.
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// Carries `completions` out.
///
/// # Errors
/// [`crate::error::Error::Output`] if standard output cannot be written.
pub fn completions(args: &CompletionsArgs) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    output::print_with(false, |out| out.write_all(&script))?;
    Ok(exit_code::SUCCESS)
}

/// Carries `man` out.
///
/// # Errors
/// [`crate::error::Error::Output`] if the pages cannot be written.
pub fn man(args: &ManArgs) -> Result<u8> {
    let mut command = Cli::command();
    command.build();
    match &args.folder {
        None => {
            let page = page(&command)?;
            output::print_with(false, |out| out.write_all(&page))?;
        }
        Some(folder) => pages(&command, folder)?,
    }
    Ok(exit_code::SUCCESS)
}

/// The page of a command and those of its subcommands.
fn pages(command: &Command, folder: &Path) -> Result<()> {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name());
    let path = folder.join(format!("{name}.1"));
    let page = page(command)?;
    file::save_with(&path, |out| out.write_all(&page))?;
    let commands = command.get_subcommands();
    for command in commands.filter(|command| !command.is_hide_set() && command.get_name() != "help")
    {
        pages(command, folder)?;
    }
    Ok(())
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    // The formatter would fill the lines of examples like those of a paragraph.
    let after = command.get_after_help().map(ToString::to_string);
    let command = command.clone().after_help(Resettable::Reset);
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(command);
    man.render(&mut page)?;
    if let Some(text) = after {
        let mut roff = Roff::new();
        roff.control("SH", ["NOTES"]).control("nf", []);
        for line in text.lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
        roff.to_writer(&mut page)?;
    }
    Ok(page)
}
