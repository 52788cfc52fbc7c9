//! Who gives this command, for the record of what was done with a campaign.

use crate::store::machine_name;

/// A user of a machine, as far as the system says: `ann on mailhost`.
pub(super) fn who() -> String {
    let name = ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| "somebody".to_owned());
    match machine_name() {
        Some(machine) => format!("{name} on {machine}"),
        None => name,
    }
}
