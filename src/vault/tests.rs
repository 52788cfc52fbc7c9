use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use secrecy::{ExposeSecret, SecretString};

use super::{Choice, Entry, Found, Place, Ring, Vault, VaultError};

/// A keyring in memory; none is there when `broken`.
#[derive(Default)]
struct Fake {
    entries: Mutex<BTreeMap<String, String>>,
    broken: Mutex<bool>,
}

impl Fake {
    fn entries(&self) -> Result<std::sync::MutexGuard<'_, BTreeMap<String, String>>, VaultError> {
        if *self.broken.lock().unwrap() {
            return Err(VaultError::NoKeyring);
        }
        Ok(self.entries.lock().unwrap())
    }
}

impl Ring for Fake {
    fn get(&self, user: &str) -> Result<Option<SecretString>, VaultError> {
        Ok(self.entries()?.get(user).map(|s| s.as_str().into()))
    }

    fn set(&self, user: &str, secret: &SecretString) -> Result<(), VaultError> {
        let secret = secret.expose_secret().to_owned();
        self.entries()?.insert(user.to_owned(), secret);
        Ok(())
    }

    fn remove(&self, user: &str) -> Result<bool, VaultError> {
        Ok(self.entries()?.remove(user).is_some())
    }
}

fn vault(folder: &Path, choice: Choice) -> (Vault, Arc<Fake>) {
    let ring = Arc::new(Fake::default());
    let vault = Vault {
        folder: folder.join("tokens"),
        choice,
        ring: Arc::clone(&ring) as Arc<dyn Ring>,
    };
    (vault, ring)
}

fn tokens() -> Entry {
    Entry::new("comms", "tokens")
}

fn write(vault: &Vault, secret: &str) -> Result<Place, VaultError> {
    vault.lock(&tokens()).unwrap().write(&secret.into())
}

fn found(vault: &Vault) -> Option<(String, Place)> {
    let found = vault.read(&tokens()).unwrap();
    found.map(|Found { secret, place }| (secret.expose_secret().to_owned(), place))
}

#[test]
fn the_keyring_comes_first() {
    let home = tempfile::tempdir().unwrap();
    let (vault, ring) = vault(home.path(), Choice::Automatic);
    assert_eq!(found(&vault), None);
    assert_eq!(write(&vault, "one"), Ok(Place::Keyring));
    assert_eq!(write(&vault, "two"), Ok(Place::Keyring));
    assert_eq!(found(&vault), Some(("two".to_owned(), Place::Keyring)));
    assert_eq!(ring.entries.lock().unwrap().len(), 1);
    assert!(vault.lock(&tokens()).unwrap().remove().unwrap());
    assert_eq!(found(&vault), None);
    assert!(!vault.lock(&tokens()).unwrap().remove().unwrap());
}

#[test]
fn without_a_keyring_a_file_is_written_and_stays_the_place() {
    let home = tempfile::tempdir().unwrap();
    let (vault, ring) = vault(home.path(), Choice::Automatic);
    *ring.broken.lock().unwrap() = true;
    assert!(matches!(vault.read(&tokens()), Err(VaultError::NoKeyring)));
    let place = write(&vault, "one").unwrap();
    assert!(matches!(place, Place::File(_)));
    // The keyring is back, and the next secret is still found where the last one lies.
    *ring.broken.lock().unwrap() = false;
    assert_eq!(write(&vault, "two").unwrap(), place);
    assert_eq!(found(&vault), Some(("two".to_owned(), place)));
    assert!(ring.entries.lock().unwrap().is_empty());
    assert!(vault.lock(&tokens()).unwrap().remove().unwrap());
    assert_eq!(write(&vault, "three"), Ok(Place::Keyring));
}

#[test]
fn the_choice_holds() {
    let home = tempfile::tempdir().unwrap();
    let (files, ring) = vault(home.path(), Choice::Files);
    assert!(matches!(write(&files, "one"), Ok(Place::File(_))));
    assert!(ring.entries.lock().unwrap().is_empty());
    let (keyring, ring) = vault(home.path(), Choice::Keyring);
    assert_eq!(found(&keyring), None, "the file is not looked at");
    *ring.broken.lock().unwrap() = true;
    assert!(matches!(write(&keyring, "two"), Err(VaultError::NoKeyring)));
    assert_eq!(Choice::parse("file"), Ok(Choice::Files));
    assert_eq!(Choice::parse(""), Ok(Choice::Automatic));
    assert_eq!(Choice::parse("disk"), Err("disk".to_owned()));
}

#[test]
fn accounts_that_look_alike_have_files_of_their_own() {
    let name = |account| Entry::new(account, "tokens").file_name();
    assert_ne!(name("a/b"), name("ab"));
    assert_ne!(name("../ab"), name("ab"));
    assert!(
        name("../../etc/x")
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    );
    assert_ne!(name("comms"), Entry::new("comms", "password").file_name());
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_and_links_are_not_followed() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let home = tempfile::tempdir().unwrap();
    let (vault, _) = vault(home.path(), Choice::Files);
    std::fs::create_dir(&vault.folder).unwrap();
    std::fs::set_permissions(&vault.folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let victim = home.path().join("victim");
    std::fs::write(&victim, "mine").unwrap();
    let path = vault.file(&tokens());
    std::os::unix::fs::symlink(&victim, &path).unwrap();
    // What a process left that was killed while it wrote.
    let left = vault
        .folder
        .join(format!("{}.new-abc", tokens().file_name()));
    std::fs::write(&left, "half").unwrap();
    write(&vault, "secret").unwrap();
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "mine");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "secret");
    assert_eq!((mode(&path), mode(&vault.folder)), (0o600, 0o700));
    assert!(!left.exists());
}

#[test]
fn a_secret_that_cannot_be_written_leaves_the_old_one_and_is_said() {
    let home = tempfile::tempdir().unwrap();
    let (vault, _) = vault(home.path(), Choice::Files);
    write(&vault, "one").unwrap();
    let locked = vault.lock(&tokens()).unwrap();
    // A folder of that name cannot be replaced by a file.
    let path = vault.file(&tokens());
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let error = locked.write(&"hunter2".into()).unwrap_err();
    assert!(error.to_string().contains("comms-"), "{error}");
    assert!(!format!("{error:?} {error} {vault:?} {locked:?}").contains("hunter2"));
}

#[test]
fn one_process_at_a_time_changes_a_secret() {
    let home = tempfile::tempdir().unwrap();
    let (vault, _) = vault(home.path(), Choice::Files);
    let held = vault.lock(&tokens()).unwrap();
    let path = vault.folder.join(format!("{}.lock", tokens().file_name()));
    // Another process would wait: the lock is the system's.
    let other = std::fs::File::open(&path).unwrap();
    assert!(other.try_lock().is_err());
    // Another account's is free.
    vault.lock(&Entry::new("other", "tokens")).unwrap();
    drop(held);
    other.try_lock().unwrap();
}
