//! `db schema`: the layout, from the registry that makes it.

use crate::cli::args::{DbOption, SchemaForm};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::persistence::{Access, schema};

/// Prints tables, views and columns with what they mean. A file that is named must have this layout, as
/// every file that can be opened.
pub fn schema(db: &DbOption, form: SchemaForm) -> Result<(), CliError> {
    if db.db.is_some() {
        db.open(Access::Read)?;
    }
    let mut output = Output::new();
    match form {
        SchemaForm::Text => output.text(&schema::text())?,
        SchemaForm::Json => output.line(&format!("{:#}", schema::json()))?,
        SchemaForm::Sql => output.text(&schema::sql())?,
    }
    Ok(output.finish()?)
}
