//! `experiment export`: everything that a run recorded as files for other programs, a file for each kind
//! of row.

use std::fs;
use std::io;
use std::path::Path;

use super::{open_recorded, recorded};
use crate::cli::args::{ExportRunArgs, FormOfFiles};
use crate::cli::error::{CliError, say};
use crate::money::grouped;
use crate::persistence::{FileForm, Reader, RunPart};

/// What a run consists of, without events.
const PARTS: [RunPart; 4] =
    [RunPart::Iterations, RunPart::Evaluations, RunPart::Samples, RunPart::Simulations];

/// Writes the files.
pub fn export(args: &ExportRunArgs) -> Result<(), CliError> {
    let reader = open_recorded(&args.db)?.reader()?;
    let run = recorded(&reader, &args.run_id)?;
    let folder = &args.output;
    fs::create_dir_all(folder).map_err(|error| unwritable("folder ", folder, &error))?;
    let form = match args.format {
        FormOfFiles::Csv => FileForm::Csv,
        FormOfFiles::Jsonl => FileForm::Jsonl,
        FormOfFiles::Parquet => FileForm::Parquet,
    };
    let events = args.events.then_some(RunPart::Events);
    for part in PARTS.into_iter().chain(events) {
        let path = folder.join(format!("{}.{}", part.name(), form.ending()));
        let rows = write(&reader, &run.run_id, part, form, &path)?;
        say(&format!("{} {} written to {}", grouped(rows), part.name(), path.display()));
    }
    Ok(())
}

/// A file appears when it is complete.
fn write(reader: &Reader, run_id: &str, part: RunPart, form: FileForm, path: &Path) -> Result<u64, CliError> {
    let unfinished = path.with_extension("part");
    // The system's words for a place that cannot be written, before DuckDB's.
    fs::File::create(&unfinished).map_err(|error| unwritable("", path, &error))?;
    let rows = reader.export_part(run_id, part, form, &unfinished).inspect_err(|_| {
        // What matters is the error that is reported.
        let _ = fs::remove_file(&unfinished);
    })?;
    fs::rename(&unfinished, path).map_err(|error| unwritable("", path, &error))?;
    Ok(rows)
}

fn unwritable(what: &str, path: &Path, error: &io::Error) -> CliError {
    CliError::failed(format!("{what}`{}` cannot be written: {error}", path.display()))
}
