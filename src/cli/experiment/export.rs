//! `experiment export`: everything that a run recorded as files for other programs, a file for each kind
//! of row.

use std::fs;

use super::{open_recorded, recorded};
use crate::cli::args::ExportRunArgs;
use crate::cli::error::{CliError, say};
use crate::money::grouped;
use crate::persistence::{ExportError, ExportFilter, ExportForm, Exported};

/// What a run consists of, without events.
const PARTS: [Exported; 4] =
    [Exported::Iterations, Exported::Evaluations, Exported::Samples, Exported::Simulations];

/// Writes the files.
pub fn export(args: &ExportRunArgs) -> Result<(), CliError> {
    let reader = open_recorded(&args.db)?.reader()?;
    let run = recorded(&reader, &args.run_id)?;
    let folder = &args.output;
    fs::create_dir_all(folder).map_err(|error| {
        CliError::failed(format!("folder `{}` cannot be made: {error}", folder.display()))
    })?;
    let form = ExportForm::from(args.format);
    let filter = ExportFilter { run: Some(run.run_id), ..ExportFilter::default() };
    let events = args.events.then_some(Exported::Events);
    for what in PARTS.into_iter().chain(events) {
        let path = folder.join(format!("{}.{}", what.name(), form.ending()));
        let rows = reader.export_file(what, &filter, form, &path).map_err(|error| match error {
            ExportError::Output(error) => {
                CliError::failed(format!("`{}` cannot be written: {error}", path.display()))
            }
            other => other.into(),
        })?;
        say(&format!("{} {} written to {}", grouped(rows), what.name(), path.display()));
    }
    Ok(())
}
