//! `export`: recorded rows for other programs.

use std::path::Path;

use super::args::ExportArgs;
use super::error::{CliError, say};
use super::output::Output;
use super::query::interruptible;
use crate::money::grouped;
use crate::persistence::{
    Access, EventFilter, ExportError, ExportFilter, ExportForm, Exported, PersistenceError, Reader,
};

/// Runs the command.
pub fn export(args: &ExportArgs) -> Result<(), CliError> {
    let (what, form) = (args.what, args.format);
    let events = args.filter.read()?.into();
    let filter = ExportFilter { ids: args.ids.clone(), run: args.run.clone(), events };
    if let Some(word) = what.cannot_filter(&filter.events) {
        let hint = "`payment-sim export --help` says which filters fit what";
        return Err(CliError::usage(format!("{} cannot be filtered by {word}", what.name()), hint));
    }
    if form == ExportForm::Parquet && args.output.is_none() {
        return Err(CliError::usage("parquet needs a file", "name one with --output FILE"));
    }
    let reader = args.db.open(Access::Read)?.reader()?;
    let rows = interruptible(&reader, || match &args.output {
        Some(path) => to_file(&reader, what, &filter, form, path),
        None => {
            let mut output = Output::new();
            let rows = reader.export_text(what, &filter, form, output.writer())?;
            output.finish()?;
            Ok(rows)
        }
    })?;
    if rows == 0 { warn_of_missing(&reader, what, &filter) } else { Ok(()) }
}

/// Writes rows into a file, which appears when it is complete, and says so; gives their number.
pub fn to_file(
    reader: &Reader,
    what: Exported,
    filter: &ExportFilter,
    form: ExportForm,
    path: &Path,
) -> Result<u64, CliError> {
    let rows = reader.export_file(what, filter, form, path).map_err(|error| match error {
        ExportError::Database(error) => error.into(),
        ExportError::Output(error) => {
            CliError::failed(format!("`{}` cannot be written: {error}", path.display()))
        }
    })?;
    say(&format!("{} {} written to {}", grouped(rows), what.name(), path.display()));
    Ok(rows)
}

/// A bank or a payment that does not occur is named.
fn warn_of_missing(reader: &Reader, what: Exported, filter: &ExportFilter) -> Result<(), CliError> {
    let EventFilter { agent_id, tx_id, .. } = &filter.events;
    for (word, bank, payment) in [("bank", agent_id, &None), ("payment", &None, tx_id)] {
        let Some(id) = bank.as_ref().or(payment.as_ref()) else { continue };
        let events = EventFilter { agent_id: bank.clone(), tx_id: payment.clone(), ..EventFilter::default() };
        let alone = ExportFilter { events, ..filter.clone() };
        if !reader.has_rows(what, &alone)? {
            say(&format!("warning: none of the {} concern a {word} `{id}`", what.name()));
        }
    }
    Ok(())
}

impl From<ExportError> for CliError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Database(error) => PersistenceError::into(error),
            ExportError::Output(error) => error.into(),
        }
    }
}
