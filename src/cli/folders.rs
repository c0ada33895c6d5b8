//! The user's folders, by the XDG base directory specification on every Unix.

use std::env;
use std::path::PathBuf;

/// Where databases are: `$XDG_DATA_HOME/payment-sim`, else below `~/.local/share`.
#[must_use]
pub fn data() -> Option<PathBuf> {
    folder("XDG_DATA_HOME", ".local/share")
}

/// Where the settings are: `$XDG_CONFIG_HOME/payment-sim`, else below `~/.config`.
#[must_use]
pub fn config() -> Option<PathBuf> {
    folder("XDG_CONFIG_HOME", ".config")
}

/// Where the log is: `$XDG_STATE_HOME/payment-sim`, else below `~/.local/state`.
#[must_use]
pub fn state() -> Option<PathBuf> {
    folder("XDG_STATE_HOME", ".local/state")
}

/// A path from the environment, unless it is empty.
#[must_use]
pub fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn folder(name: &str, below_home: &str) -> Option<PathBuf> {
    // A relative path is to be ignored, says the specification.
    let set = variable(name).filter(|path| path.is_absolute());
    let base = set.or_else(|| variable("HOME").map(|home| home.join(below_home)));
    base.map(|base| base.join("payment-sim"))
}
