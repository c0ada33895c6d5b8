//! Rows of a view for other programs.

use std::path::Path;

use super::super::format::counted;
use super::super::rows::Export;
use super::{DatabaseSource, stored_filter, stored_simulations, with_hint};
use crate::persistence::{self as store, ExportError, ExportFilter, ExportForm, Exported};

impl DatabaseSource {
    /// Writes the rows into a file, whose ending says the form; says what was written.
    pub(super) fn export(&self, what: &Export, file: &str) -> Result<String, String> {
        let form = form_of(file)?;
        let path = Path::new(file);
        if path.exists() {
            return Err(format!("`{file}` exists; nothing is overwritten"));
        }
        let (what, filter) = self.exported(what)?;
        let rows = self.reader.export_file(what, &filter, form, path).map_err(|error| match error {
            ExportError::Database(error) => with_hint(&error),
            ExportError::Output(error) => format!("`{file}` cannot be written: {error}"),
        })?;
        Ok(format!(
            "{} written to {file}",
            counted(usize::try_from(rows).unwrap_or(usize::MAX), "row", "rows")
        ))
    }

    fn exported(&self, what: &Export) -> Result<(Exported, ExportFilter), String> {
        Ok(match what {
            Export::Events(simulation, filter) => {
                let events = stored_filter(filter);
                (Exported::Events, ExportFilter { ids: vec![simulation.clone()], run: None, events })
            }
            Export::Bank(simulation, bank) => {
                let events =
                    store::EventFilter { agent_id: Some(bank.clone()), ..store::EventFilter::default() };
                (Exported::Metrics, ExportFilter { ids: vec![simulation.clone()], run: None, events })
            }
            Export::Iterations(run) => {
                (Exported::Iterations, ExportFilter { ids: vec![run.clone()], ..ExportFilter::default() })
            }
            Export::Simulations(filter) => {
                let wanted = stored_simulations(filter);
                let all = filter.is_empty();
                let rows = match all {
                    true => Vec::new(),
                    false => self.reader.simulations(&wanted).map_err(|error| with_hint(&error))?.rows,
                };
                if rows.is_empty() && !all {
                    return Err("there is no simulation here".to_owned());
                }
                let ids = rows.into_iter().map(|row| row.simulation_id).collect();
                (Exported::Simulations, ExportFilter { ids, ..ExportFilter::default() })
            }
        })
    }
}

/// The form that a file's ending asks for.
fn form_of(file: &str) -> Result<ExportForm, String> {
    let ending = file.rsplit_once('.').map(|(_, ending)| ending);
    let form = ExportForm::ALL.iter().copied().find(|form| ending == Some(form.ending()));
    form.ok_or_else(|| format!("`{file}` must end in .csv, .jsonl or .parquet"))
}
