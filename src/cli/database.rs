//! Which database a command uses (spec 06, 7.1).

use std::path::{Path, PathBuf};

use super::args::DbOption;
use super::error::{CliError, say};
use super::folders;
use super::settings::Settings;
use crate::persistence::{Access, Database, PersistenceError};

/// The database that is meant when none is named.
const DEFAULT_FILE: &str = "payment-sim.duckdb";

impl DbOption {
    /// The path: as given, else of the environment, else of the settings file, else the default.
    pub fn path(&self, access: Access) -> Result<PathBuf, CliError> {
        self.path_with(access, || Settings::load(None))
    }

    /// As [`DbOption::path`], with settings from elsewhere. The default's folder is made if it is to be
    /// written.
    pub fn path_with(
        &self,
        access: Access,
        settings: impl FnOnce() -> Result<Settings, CliError>,
    ) -> Result<PathBuf, CliError> {
        if let Some(path) = self.db.clone().or_else(from_environment) {
            return Ok(path);
        }
        if let Some(path) = settings()?.database {
            return Ok(path);
        }
        let folder = folders::data().ok_or_else(|| CliError::Failed {
            message: "there is no data folder: neither XDG_DATA_HOME nor HOME is set".to_owned(),
            hint: Some("name a database with --db PATH".to_owned()),
        })?;
        if access == Access::Write {
            std::fs::create_dir_all(&folder).map_err(|error| {
                CliError::failed(format!("data folder `{}` cannot be made: {error}", folder.display()))
            })?;
        }
        Ok(folder.join(DEFAULT_FILE))
    }

    /// Opens it, with its warnings on standard error.
    pub fn open(&self, access: Access) -> Result<Database, CliError> {
        open_warned(&self.path(access)?, access)
    }

    /// Opens one that is there for writing, with its warnings on standard error.
    pub fn open_existing(&self) -> Result<Database, CliError> {
        let path = self.path(Access::Read)?;
        if path.exists() { self.open(Access::Write) } else { Err(PersistenceError::Missing(path).into()) }
    }
}

/// Opens a database, with its warnings on standard error.
pub fn open_warned(path: &Path, access: Access) -> Result<Database, CliError> {
    let database = Database::open(path, access)?;
    say_warnings(database.warnings().iter().chain(database.lost()));
    Ok(database)
}

/// Tells the user on standard error what is to be known about a file.
pub fn say_warnings<'a>(warnings: impl IntoIterator<Item = &'a String>) {
    for warning in warnings {
        say(&format!("warning: {warning}"));
    }
}

/// `PAYMENT_SIM_DB`, unless it is empty.
pub fn from_environment() -> Option<PathBuf> {
    folders::variable("PAYMENT_SIM_DB")
}
