//! Who gives this command, for the record of what was done with a campaign.

use crate::store::machine_name;

/// A user of a machine, as far as the system says: `ann on mailhost`.
pub(super) fn who() -> String {
    let set = ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.is_empty());
    // A timer or a container sets none of them; the system knows all the same.
    let known = || whoami::username().ok().filter(|name| !name.is_empty());
    let name = set.or_else(known).or_else(number);
    let name = name.unwrap_or_else(|| "somebody".to_owned());
    match machine_name() {
        Some(machine) => format!("{name} on {machine}"),
        None => name,
    }
}

/// A user without a name, as containers have them: `user 1000`.
fn number() -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        // It belongs to whoever runs this.
        let own = std::fs::metadata("/proc/self").ok()?;
        Some(format!("user {}", own.uid()))
    }
    #[cfg(not(unix))]
    None
}
