//! Providers with a server in each part of the world.

use serde::{Deserialize, Deserializer, Serialize};

use super::Preset;

/// What stands for the region in a preset's host.
const PLACE: &str = "{region}";

/// A part of the world and the server there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Region {
    /// The name that accounts.toml uses.
    pub name: String,
    /// The server there.
    pub host: String,
}

/// As it is written: a name that goes into the preset's host, or a name and a host of its own.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Written {
    Name(String),
    WithHost { name: String, host: String },
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Ok(match Written::deserialize(input)? {
            Written::Name(name) => Self {
                name,
                host: String::new(),
            },
            Written::WithHost { name, host } => Self { name, host },
        })
    }
}

/// Why an account has no server in its region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegionError {
    /// The provider has a server in each region, and none was named.
    #[error("'{provider}' needs a region")]
    Missing {
        /// The preset's name.
        provider: String,
        /// The regions that there are.
        known: Vec<String>,
    },
    /// The provider has no such region.
    #[error("'{provider}' has no region named '{region}'")]
    Unknown {
        /// The preset's name.
        provider: String,
        /// What was asked for.
        region: String,
        /// The regions that there are.
        known: Vec<String>,
    },
    /// The provider has one server for everybody.
    #[error("'{provider}' has no regions, so '{region}' cannot be chosen")]
    None {
        /// The preset's name.
        provider: String,
        /// What was asked for.
        region: String,
    },
}

impl RegionError {
    /// What to write instead.
    pub fn remedy(&self) -> String {
        match self {
            Self::Missing { known, .. } | Self::Unknown { known, .. } => format!(
                "write region = \"{}\", or another of: {}; for one that is not among them write host = \"…\"",
                known.first().map_or("…", String::as_str),
                known.join(", ")
            ),
            Self::None { .. } => "take 'region' out".to_owned(),
        }
    }
}

impl Preset {
    /// The server in `region`, or in the preset's own where none is named; none where the preset has no
    /// server at all.
    ///
    /// # Errors
    /// [`RegionError`] for a region that is needed or that there is not.
    pub fn host_in(&self, region: Option<&str>) -> Result<Option<&str>, RegionError> {
        let names = || {
            self.regions
                .iter()
                .map(|region| region.name.clone())
                .collect()
        };
        let provider = || self.name.clone();
        let Some(name) = region.or(self.region.as_deref()) else {
            return if self.regions.is_empty() {
                Ok(self.host.as_deref())
            } else {
                Err(RegionError::Missing {
                    provider: provider(),
                    known: names(),
                })
            };
        };
        let known = self
            .regions
            .iter()
            .find(|known| known.name.eq_ignore_ascii_case(name.trim()));
        match known {
            Some(region) => Ok(Some(&region.host)),
            None if self.regions.is_empty() => Err(RegionError::None {
                provider: provider(),
                region: name.to_owned(),
            }),
            None => Err(RegionError::Unknown {
                provider: provider(),
                region: name.to_owned(),
                known: names(),
            }),
        }
    }

    /// Gives every region its server.
    pub(super) fn place_regions(&mut self) -> Result<(), String> {
        let pattern = self.host.clone().unwrap_or_default();
        for region in &mut self.regions {
            if region.host.is_empty() {
                region.host = pattern.replace(PLACE, &region.name);
            }
        }
        let is_open = |host: &str| host.is_empty() || host.contains(PLACE);
        if self.regions.iter().any(|region| is_open(&region.host)) {
            return Err("a region has no host".into());
        }
        if self.regions.is_empty() && pattern.contains(PLACE) {
            return Err(format!("'host' has {PLACE} and there are no regions"));
        }
        self.host_in(None).map(|_| ()).or_else(|error| match error {
            RegionError::Missing { .. } => Ok(()),
            other => Err(other.to_string()),
        })
    }
}
