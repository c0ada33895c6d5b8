//! `library`: what comes with the program.

use std::path::Path;

use super::args::{LibraryArgs, LibraryCommand};
use super::error::{CliError, say};
use super::output::Output;
use super::table::{left, render};
use crate::library::{self, Asset};

/// Runs the command.
pub fn library(args: &LibraryArgs) -> Result<(), CliError> {
    match &args.command {
        None => list(),
        Some(LibraryCommand::Show { name }) => show(name),
        Some(LibraryCommand::Copy { names, to }) => copy(names, to),
    }
}

fn list() -> Result<(), CliError> {
    let row = |asset: &Asset| {
        vec![asset.kind.name().to_owned(), asset.name.to_owned(), asset.question.to_owned()]
    };
    let rows: Vec<Vec<String>> = library::all().iter().map(row).collect();
    let mut output = Output::new();
    output.text(&render(&[left("Kind"), left("Name"), left("Question")], &rows))?;
    Ok(output.finish()?)
}

fn asset(name: &str) -> Result<&'static Asset, CliError> {
    let name = name.strip_prefix("library:").unwrap_or(name);
    library::by_name(name).ok_or_else(|| CliError::Failed {
        message: format!("the library has no `{name}`"),
        hint: Some(match library::nearest_name(name) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`payment-sim library` lists what there is".to_owned(),
        }),
    })
}

fn show(name: &str) -> Result<(), CliError> {
    let mut output = Output::new();
    output.text(asset(name)?.text)?;
    Ok(output.finish()?)
}

/// Copies entries with what they refer to, in the folders of the library.
fn copy(names: &[String], to: &Path) -> Result<(), CliError> {
    let mut chosen: Vec<&'static Asset> = Vec::new();
    for name in names {
        let asset = asset(name)?;
        chosen.push(asset);
        chosen.extend(library::used_by(asset));
    }
    chosen.sort_by_key(|asset| asset.path);
    chosen.dedup_by_key(|asset| asset.path);
    for asset in chosen {
        copy_one(asset, to)?;
    }
    Ok(())
}

fn copy_one(asset: &Asset, to: &Path) -> Result<(), CliError> {
    let target = to.join(asset.path);
    if target.exists() {
        say(&format!("note: {} exists and stays", target.display()));
        return Ok(());
    }
    let folder = target.parent().unwrap_or(to);
    let failed = |error| CliError::failed(format!("`{}` cannot be written: {error}", target.display()));
    std::fs::create_dir_all(folder).map_err(failed)?;
    std::fs::write(&target, asset.text).map_err(failed)?;
    say(&format!("copied {}", target.display()));
    Ok(())
}
