//! Where a password or another secret comes from, and getting it. The files never hold one.

use std::fmt;
use std::io;
use std::process::{Command, Stdio};

use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretString};
use toml::Spanned;
use toml::de::DeValue;

use super::section::Section;

/// The keys of a table that says where a secret comes from.
pub(super) const KEYS: &[&str] = &["env", "command", "keyring"];

/// Where a secret comes from. Its `Debug` form shows no command: people write secrets into those.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The environment variable of this name.
    Env(String),
    /// The first line that this line prints, run by the shell (`sh -c`; on Windows `cmd /C`).
    Shell(String),
    /// The first line that this program, run with these arguments, prints; never empty.
    Program(Vec<String>),
    /// The system's keyring.
    Keyring,
    /// A person is asked.
    Prompt,
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => f.debug_tuple("Env").field(name).finish(),
            Self::Shell(_) => f.write_str("Shell(..)"),
            Self::Program(_) => f.write_str("Program(..)"),
            Self::Keyring => f.write_str("Keyring"),
            Self::Prompt => f.write_str("Prompt"),
        }
    }
}

/// Why a secret cannot be had. Shows nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment has no such variable.
    #[error("the environment variable {0} is not set")]
    Unset(String),
    /// The variable is there with nothing in it.
    #[error("the environment variable {0} is empty")]
    EmptyVariable(String),
    /// The variable or the command's output is no UTF-8 text.
    #[error("what {0} holds is not UTF-8 text")]
    NotText(String),
    /// The command could not be started.
    #[error("the command cannot be started: {0}")]
    NotStarted(io::Error),
    /// The command failed: how it ended, and the first line that it wrote to its standard error.
    #[error("the command failed ({status}){}{complaint}", if .complaint.is_empty() { "" } else { ": " })]
    Failed {
        /// How it ended, such as `exit status: 1`.
        status: String,
        /// The first line of its standard error; may be empty.
        complaint: String,
    },
    /// The command printed nothing on its first line.
    #[error("the command printed nothing on its first line")]
    NothingPrinted,
    /// Nobody could be asked.
    #[error("the password cannot be asked for: {0}")]
    Prompt(io::Error),
    /// Nothing was typed.
    #[error("no password was typed")]
    NothingTyped,
    /// None was kept for this account.
    #[error("none is kept for '{0}'")]
    NotKept(String),
    /// What was kept cannot be got.
    #[error("what is kept for '{account}' cannot be got: {reason}")]
    Kept {
        /// The account.
        account: String,
        /// Why.
        reason: String,
    },
}

impl SecretError {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Unset(name) | Self::EmptyVariable(name) => {
                format!("set {name} in the environment that postroom runs in")
            }
            Self::NotText(_) => "see that the secret is saved as UTF-8 text".to_owned(),
            Self::NotStarted(_) | Self::Failed { .. } | Self::NothingPrinted => {
                "run the command by hand: it must print the secret on its first line and end with 0"
                    .to_owned()
            }
            Self::Prompt(_) => {
                "run it on a terminal, or write env or command into the account's [password] table"
                    .to_owned()
            }
            Self::NothingTyped => "type the password and press Enter".to_owned(),
            Self::NotKept(account) => format!("run `postroom login {account}`"),
            Self::Kept { .. } => {
                "unlock the keyring and run it again; or write env = \"NAME\" or command = \"…\" in accounts.toml"
                    .to_owned()
            }
        }
    }
}

impl SecretSource {
    /// Gets the secret. `prompt` asks a person, given the words to ask with; `kept` gets what `login` has
    /// kept.
    pub fn resolve(
        &self,
        prompt: &dyn Fn(&str) -> io::Result<SecretString>,
        kept: &dyn Fn() -> Result<SecretString, SecretError>,
    ) -> Result<SecretString, SecretError> {
        match self {
            Self::Env(name) => from_variable(name),
            Self::Shell(line) => from_command(shell(line)),
            Self::Program(words) => {
                let mut words = words.iter();
                let mut command = Command::new(words.next().map_or("", String::as_str));
                command.args(words);
                from_command(command)
            }
            Self::Keyring => kept(),
            Self::Prompt => {
                let typed = prompt("Password: ").map_err(SecretError::Prompt)?;
                if typed.expose_secret().is_empty() {
                    return Err(SecretError::NothingTyped);
                }
                Ok(typed)
            }
        }
    }
}

fn from_variable(name: &str) -> Result<SecretString, SecretError> {
    let value = std::env::var_os(name).ok_or_else(|| SecretError::Unset(name.to_owned()))?;
    let value = value
        .into_string()
        .map_err(|_| SecretError::NotText(format!("the environment variable {name}")))?;
    // A variable that was filled from a file often ends with the file's line break.
    let secret = value.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(SecretError::EmptyVariable(name.to_owned()));
    }
    Ok(SecretString::from(secret))
}

#[cfg(windows)]
fn shell(line: &str) -> Command {
    let mut command = Command::new("cmd");
    command.args(["/C", line]);
    command
}

#[cfg(not(windows))]
fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    command
}

fn from_command(mut command: Command) -> Result<SecretString, SecretError> {
    // A password manager may have to ask for its own password on the terminal.
    let output = command.stdin(Stdio::inherit()).output();
    let mut output = output.map_err(SecretError::NotStarted)?;
    let secret = first_line(&output.stdout);
    let result = if output.status.success() {
        match secret {
            Ok("") => Err(SecretError::NothingPrinted),
            Ok(line) => Ok(SecretString::from(line)),
            Err(_) => Err(SecretError::NotText("the command's output".to_owned())),
        }
    } else {
        Err(SecretError::Failed {
            status: output.status.to_string(),
            complaint: complaint(&output.stderr, secret.unwrap_or_default()),
        })
    };
    output.stdout.zeroize();
    result
}

fn first_line(output: &[u8]) -> Result<&str, std::str::Utf8Error> {
    let line = output.split(|b| *b == b'\n').next().unwrap_or_default();
    std::str::from_utf8(line).map(|line| line.trim_end_matches('\r'))
}

/// The first line of the standard error, fit for a terminal; nothing when the secret is in it.
fn complaint(stderr: &[u8], secret: &str) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    if !secret.is_empty() && line.contains(secret) {
        return String::new();
    }
    line.trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect()
}

/// Reads the table under `key` of an account; none when it is absent or wrong.
pub(super) fn read(account: &Section<'_>, key: &'static str) -> Option<SecretSource> {
    let value = account.value(key)?;
    let table = account.path(key);
    let remedy = format!("write [{table}] with env = \"NAME\", command = \"…\" or keyring = true");
    if value.get_ref().is_str() {
        account.refuse(
            key,
            Some(value.span()),
            "stands in the file itself, where others can read it",
            format!("take it out of the file, change it if others could see it, and {remedy}"),
        );
        return None;
    }
    let section = account.table(key);
    if !section.is_present() {
        return None;
    }
    let given = KEYS
        .iter()
        .filter(|key| section.value(key).is_some())
        .count();
    if given != 1 {
        let message = format!("has {given} sources, and takes exactly one");
        account.refuse(key, Some(value.span()), message, remedy);
        return None;
    }
    if let Some(value) = section.value("keyring") {
        if matches!(value.get_ref(), DeValue::Boolean(true)) {
            return Some(SecretSource::Keyring);
        }
        let remedy = "write keyring = true and run `postroom login`, or take the key out";
        section.refuse("keyring", Some(value.span()), "is not true", remedy);
        return None;
    }
    variable(&section).or_else(|| command(&section))
}

fn variable(section: &Section<'_>) -> Option<SecretSource> {
    let text = section.text("env")?;
    let name = text.get_ref();
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if is_name {
        return Some(SecretSource::Env(text.into_inner()));
    }
    section.refuse(
        "env",
        Some(text.span()),
        "is not the name of an environment variable",
        "write env = \"COMMS_PASSWORD\": the variable's name, not the password itself",
    );
    None
}

fn command(section: &Section<'_>) -> Option<SecretSource> {
    let value = section.value("command")?;
    match value.get_ref() {
        DeValue::String(line) if !line.trim().is_empty() => {
            Some(SecretSource::Shell(line.to_string()))
        }
        DeValue::Array(words) if !words.is_empty() => {
            let words = section
                .texts("command")
                .into_iter()
                .map(Spanned::into_inner);
            Some(SecretSource::Program(words.collect()))
                .filter(|s| *s != SecretSource::Program(Vec::new()))
        }
        _ => {
            section.refuse(
                "command",
                Some(value.span()),
                "is no command",
                "write command = \"pass show mail\" or command = [\"pass\", \"show\", \"mail\"]",
            );
            None
        }
    }
}
