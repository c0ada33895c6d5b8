//! `completions`, `man`, and the long version: all from the table of commands.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};

use super::args::{Cli, CompletionsArgs, ManArgs};
use super::error::{CliError, say};
use super::output::Output;

/// Version of the program and of DuckDB.
pub const LONG_VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (DuckDB 1.5.6)");

/// Prints completions for a shell.
pub fn completions(args: &CompletionsArgs) -> Result<(), CliError> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "payment-sim", &mut text);
    print(&text)
}

/// Writes a manual page for every command into a folder, or prints the main one.
pub fn man(args: &ManArgs) -> Result<(), CliError> {
    let mut command = Cli::command();
    command.build();
    let Some(folder) = &args.folder else {
        return print(&page(&command)?);
    };
    let failed = |error: io::Error| {
        CliError::failed(format!("manual pages cannot be written to `{}`: {error}", folder.display()))
    };
    fs::create_dir_all(folder).map_err(failed)?;
    let written = write_pages(&command, "payment-sim", folder).map_err(failed)?;
    say(&format!("{written} manual pages written to {}", folder.display()));
    Ok(())
}

fn print(text: &[u8]) -> Result<(), CliError> {
    let mut output = Output::new();
    output.text(&String::from_utf8_lossy(text))?;
    Ok(output.finish()?)
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text)?;
    Ok(text)
}

fn write_pages(command: &Command, name: &str, folder: &Path) -> io::Result<usize> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).title(name).render(&mut text)?;
    fs::write(folder.join(format!("{name}.1")), text)?;
    let below = command.get_subcommands().filter(|command| !command.is_hide_set());
    let written: io::Result<usize> =
        below.map(|command| write_pages(command, &format!("{name}-{}", command.get_name()), folder)).sum();
    Ok(written? + 1)
}
