//! What can be wrong with a preset's name or with an embedded file.

/// No preset for a request, or an embedded file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// A file that the program carries is broken: a bug of ours.
    #[error("the built-in file {file} cannot be used: {reason}")]
    Broken {
        /// The file, as seen from this room's folder.
        file: String,
        /// What is wrong with it and where.
        reason: String,
    },
    /// Nothing goes by that name.
    #[error(transparent)]
    Unknown(#[from] UnknownPreset),
}

impl ProviderError {
    pub(super) fn broken(file: &str, reason: &(impl ToString + ?Sized)) -> Self {
        Self::Broken {
            file: file.to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// A preset was asked for by a name that none has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no provider named '{name}'")]
pub struct UnknownPreset {
    /// The name as it was asked for.
    pub name: String,
    /// The preset whose name or alias looks most like it; none when nothing comes near.
    pub nearest: Option<String>,
    /// The names of all presets.
    pub all: Vec<String>,
}

impl UnknownPreset {
    /// What to write instead, as a sentence.
    pub fn remedy(&self) -> String {
        let all = self.all.join(", ");
        match &self.nearest {
            Some(nearest) => format!("Did you mean '{nearest}'? There are: {all}."),
            None => format!("Write one of: {all}; 'custom' takes any SMTP server."),
        }
    }
}
