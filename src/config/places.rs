//! Where accounts.toml and the store are when nobody says otherwise.
//!
//! The XDG base directory specification's variables win on every platform; then comes the platform's
//! own place.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::ConfigError;

/// The program's folder in each place.
const FOLDER: &str = "postroom";

/// Where accounts.toml is: `explicit`, else `$XDG_CONFIG_HOME/postroom/accounts.toml`, else in the
/// platform's configuration folder.
///
/// # Errors
/// [`ConfigError::NoHome`] when the system names no home folder.
pub fn accounts_path(explicit: Option<&Path>) -> Result<PathBuf, ConfigError> {
    let platform = |dirs: &ProjectDirs| dirs.config_dir().to_owned();
    place(
        explicit,
        "accounts.toml",
        std::env::var_os("XDG_CONFIG_HOME"),
        platform,
    )
}

/// Where the store is: `explicit`, else `$XDG_STATE_HOME/postroom/postroom.db`, else in the
/// platform's state folder (its local data folder where it has none).
///
/// # Errors
/// [`ConfigError::NoHome`] when the system names no home folder.
pub fn store_path(explicit: Option<&Path>) -> Result<PathBuf, ConfigError> {
    let platform = |dirs: &ProjectDirs| {
        let state = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir());
        state.to_owned()
    };
    place(
        explicit,
        "postroom.db",
        std::env::var_os("XDG_STATE_HOME"),
        platform,
    )
}

/// Where sign-ins and passwords are kept where there is no keyring: `$XDG_STATE_HOME/postroom/secrets`, else
/// in the platform's state folder. They belong to accounts, so it is the same place for every store.
///
/// # Errors
/// [`ConfigError::NoHome`] when the system names no home folder.
pub fn secrets_folder() -> Result<PathBuf, ConfigError> {
    let platform = |dirs: &ProjectDirs| {
        let state = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir());
        state.to_owned()
    };
    place(
        None,
        "secrets",
        std::env::var_os("XDG_STATE_HOME"),
        platform,
    )
}

/// Where things are kept that can be made again: `$XDG_CACHE_HOME/postroom`, else the platform's.
///
/// # Errors
/// [`ConfigError::NoHome`] when the system names no home folder.
pub fn cache_folder() -> Result<PathBuf, ConfigError> {
    let platform = |dirs: &ProjectDirs| dirs.cache_dir().to_owned();
    place(None, "", std::env::var_os("XDG_CACHE_HOME"), platform)
}

pub(super) fn place(
    explicit: Option<&Path>,
    file: &'static str,
    xdg: Option<OsString>,
    platform: impl Fn(&ProjectDirs) -> PathBuf,
) -> Result<PathBuf, ConfigError> {
    // An empty variable or flag counts as unset, as the specification has it.
    if let Some(path) = explicit.filter(|p| !p.as_os_str().is_empty()) {
        return Ok(path.to_owned());
    }
    // The specification: a relative path in a variable is ignored.
    let xdg = xdg.map(PathBuf::from).filter(|p| p.is_absolute());
    if let Some(base) = xdg {
        return Ok(base.join(FOLDER).join(file));
    }
    let dirs = ProjectDirs::from("", "", FOLDER).ok_or(ConfigError::NoHome(file))?;
    Ok(platform(&dirs).join(file))
}
