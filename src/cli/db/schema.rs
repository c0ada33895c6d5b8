//! `db schema`: the layout, from the registry that makes it.

use crate::cli::args::SchemaForm;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::persistence::schema;

/// Prints tables, views and columns with what they mean.
pub fn schema(form: SchemaForm) -> Result<(), CliError> {
    let mut output = Output::new();
    match form {
        SchemaForm::Text => output.text(&schema::text())?,
        SchemaForm::Json => output.line(&format!("{:#}", schema::json()))?,
        SchemaForm::Sql => output.text(&schema::sql())?,
    }
    Ok(output.finish()?)
}
