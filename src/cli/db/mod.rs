//! `db`: what the database holds, and what keeps it in order. One file per command.

mod check;
mod compact;
mod delete;
mod generate;
mod import;
mod info;
mod layout;
mod list;
mod schema;
mod snapshot;
mod sql;

use super::args::{DbArgs, DbCommand};
use super::error::CliError;
use crate::finding::nearest;
use crate::persistence::{CheckDepth, Status};

/// Runs the command.
pub fn db(args: &DbArgs) -> Result<(), CliError> {
    match &args.command {
        DbCommand::List(args) => list::list(args),
        DbCommand::Info { db, json } => info::info(db, *json),
        DbCommand::Check { db, quick, json } => {
            check::check(db, if *quick { CheckDepth::Quick } else { CheckDepth::Full }, *json)
        }
        DbCommand::Schema { db, format } => schema::schema(db, *format),
        DbCommand::Sql { query, db, format } => sql::sql(query, db, *format),
        DbCommand::Snapshot { out, db } => snapshot::snapshot(db, out),
        DbCommand::Compact { db } => compact::compact(db),
        DbCommand::Delete(args) => delete::delete(args),
        DbCommand::Import { file, prefix, db } => import::import(file, prefix.as_deref(), db),
        DbCommand::Generate(args) => generate::generate(args),
        DbCommand::Init { db } => layout::init(db),
        DbCommand::Migrate { db } => layout::migrate(db),
    }
}

/// The status that a word names.
fn status(given: Option<&str>) -> Result<Option<Status>, CliError> {
    word(given, "status", Status::find, Status::ALL, Status::name)
}

/// The thing of a word; an unknown one is a usage error that names the known ones.
fn word<T: Copy>(
    given: Option<&str>,
    what: &str,
    find: impl Fn(&str) -> Option<T>,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<Option<T>, CliError> {
    let Some(given) = given else { return Ok(None) };
    let known: Vec<&str> = all.iter().map(|item| name(*item)).collect();
    let hint = || match nearest(given, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("one of {}", known.join(", ")),
    };
    find(given).map(Some).ok_or_else(|| CliError::usage(format!("unknown {what} `{given}`"), hint()))
}
