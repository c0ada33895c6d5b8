//! `experiment export`: everything that a run recorded as files for other programs, a file for each kind
//! of row.

use std::fs;

use super::{open_recorded, recorded};
use crate::cli::args::ExportRunArgs;
use crate::cli::error::CliError;
use crate::cli::export::to_file;
use crate::cli::query::interruptible;
use crate::persistence::{ExportFilter, Exported};

/// What a run consists of, without events.
const PARTS: [Exported; 4] =
    [Exported::Iterations, Exported::Evaluations, Exported::Samples, Exported::Simulations];

/// Writes the files.
pub fn export(args: &ExportRunArgs) -> Result<(), CliError> {
    let reader = open_recorded(&args.db)?.reader()?;
    let run = recorded(&reader, &args.run_id)?;
    let points = (run.experiment_type == "sweep").then_some(Exported::SweepPoints);
    let events = args.events.then_some(Exported::Events);
    let folder = &args.output;
    fs::create_dir_all(folder).map_err(|error| {
        CliError::failed(format!("folder `{}` cannot be written: {error}", folder.display()))
    })?;
    let filter = ExportFilter { run: Some(run.run_id), ..ExportFilter::default() };
    let mut written = Vec::new();
    let exported = interruptible(&reader, || {
        PARTS.into_iter().chain(points).chain(events).try_for_each(|part| {
            let path = folder.join(format!("{}.{}", part.name(), args.format.ending()));
            to_file(&reader, part, &filter, args.format, &path)?;
            written.push(path);
            Ok(())
        })
    });
    if exported.is_err() {
        // A part of a run is not taken for the whole.
        written.iter().for_each(|path| drop(fs::remove_file(path)));
    }
    exported
}
