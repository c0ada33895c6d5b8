//! The settings file: `config.toml` in the user's configuration folder, or what `--config` or
//! `PAYMENT_SIM_CONFIG` name (spec 06, 7.1, 7.8).

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::CliError;
use super::folders;

/// What a user set once for all calls; every part may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The database that is meant when none is named; relative to the settings file's folder.
    pub database: Option<PathBuf>,
    /// How the explorer looks.
    pub explorer: ExplorerSettings,
}

/// The table `[explorer]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExplorerSettings {
    /// Draws with ASCII characters only.
    pub ascii: bool,
    /// Draws without colours.
    pub no_color: bool,
    /// `dark`, `light` or `colour-blind`.
    pub theme: Option<String>,
    /// Other keys, by the name of what they do.
    pub keys: BTreeMap<String, Vec<String>>,
}

impl Settings {
    /// Reads the file that was named, else that of the environment, else the default one if there is one.
    pub fn load(named: Option<&Path>) -> Result<Self, CliError> {
        let named = named.map(Path::to_path_buf).or_else(|| folders::variable("PAYMENT_SIM_CONFIG"));
        let default = || folders::config().map(|folder| folder.join("config.toml"));
        let must_exist = named.is_some();
        let Some(path) = named.or_else(default) else { return Ok(Self::default()) };
        match fs::read_to_string(&path) {
            Ok(text) => Self::read(&text, &path),
            Err(error) if error.kind() == ErrorKind::NotFound && !must_exist => Ok(Self::default()),
            Err(error) => {
                Err(CliError::failed(format!("settings file `{}` cannot be read: {error}", path.display())))
            }
        }
    }

    fn read(text: &str, path: &Path) -> Result<Self, CliError> {
        let mut settings: Self = toml::from_str(text).map_err(|error| refusal(&error, text, path))?;
        if let (Some(database), Some(folder)) = (&settings.database, path.parent()) {
            settings.database = Some(folder.join(database));
        }
        Ok(settings)
    }
}

fn refusal(error: &toml::de::Error, text: &str, path: &Path) -> CliError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |start| start.chars().count()) + 1;
    CliError::Failed {
        message: format!("{}\n  at {}:{line}:{column}", error.message(), path.display()),
        hint: Some(
            "settings are `database`, in `[explorer]` `ascii`, `no_color` and `theme`, and keys in \
             `[explorer.keys]`"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_relative_database_lies_beside_the_settings() {
        let read = Settings::read(
            "database = \"day.duckdb\"\n[explorer]\nascii = true\n",
            Path::new("/s/config.toml"),
        );
        let explorer = ExplorerSettings { ascii: true, ..ExplorerSettings::default() };
        assert_eq!(read.unwrap(), Settings { database: Some("/s/day.duckdb".into()), explorer });
    }

    #[test]
    fn a_wrong_setting_is_named_with_its_place() {
        let read = Settings::read("[explorer]\n  asci = true\n", Path::new("/s/config.toml"));
        let Err(CliError::Failed { message, .. }) = read else { unreachable!() };
        let said = "unknown field `asci`, expected one of `ascii`, `no_color`, `theme`, `keys`";
        assert_eq!(message, format!("{said}\n  at /s/config.toml:2:3"));
    }

    #[test]
    fn a_named_file_must_exist() {
        assert!(Settings::load(Some(Path::new("/nowhere/config.toml"))).is_err());
    }
}
