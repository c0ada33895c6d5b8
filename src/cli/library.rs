//! `library`: what comes with the program.

use std::path::Path;

use super::args::{LibraryArgs, LibraryCommand};
use super::error::{CliError, say};
use super::output::Output;
use super::table::{left, render};
use crate::library::{self, Asset, File};
use crate::sources::copy_library_file;

/// Runs the command.
pub fn library(args: &LibraryArgs) -> Result<(), CliError> {
    match &args.command {
        None => list(),
        Some(LibraryCommand::Show { name }) => show(name),
        Some(LibraryCommand::Copy { names, to }) => copy(names, to),
    }
}

fn list() -> Result<(), CliError> {
    let row =
        |asset: &Asset| vec![asset.kind.word().to_owned(), asset.name.to_owned(), asset.question.to_owned()];
    let rows: Vec<Vec<String>> = library::all().iter().map(row).collect();
    let mut output = Output::new();
    output.text(&render(&[left("Kind"), left("Name"), left("Question")], &rows))?;
    Ok(output.finish()?)
}

fn asset(name: &str) -> Result<&'static Asset, CliError> {
    library::find(name)
        .map_err(|unknown| CliError::Failed { message: unknown.to_string(), hint: Some(unknown.hint()) })
}

fn show(name: &str) -> Result<(), CliError> {
    let mut output = Output::new();
    output.text(asset(name)?.text())?;
    Ok(output.finish()?)
}

/// Copies entries with what they refer to, in the folders of the library.
fn copy(names: &[String], to: &Path) -> Result<(), CliError> {
    let mut chosen: Vec<File> = Vec::new();
    for name in names {
        chosen.extend(asset(name)?.files());
    }
    chosen.sort_by_key(|file| file.path);
    chosen.dedup_by_key(|file| file.path);
    chosen.iter().try_for_each(|file| copy_one(file, to))
}

fn copy_one(file: &File, to: &Path) -> Result<(), CliError> {
    let target = to.join(file.path);
    if target.exists() {
        say(&format!("note: {} exists and stays", target.display()));
        return Ok(());
    }
    copy_library_file(file, to)
        .map_err(|error| CliError::failed(format!("`{}` cannot be written: {error}", target.display())))?;
    say(&format!("copied {}", target.display()));
    Ok(())
}
