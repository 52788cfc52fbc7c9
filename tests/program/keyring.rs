//! Against a real keyring, GNOME's, on a session bus of its own.
//!
//! Without `POSTROOM_TEST_KEYRING` this test says that it did nothing; with it, it must succeed. It needs the
//! Debian packages dbus and gnome-keyring.

use std::process::Command;

use crate::home::{Ended, Home, PASSWORD};
use crate::server::Server;

/// Unlocks a new keyring, keeps the password there, sends with it, forgets it, and looks whether the account
/// still signs in.
const SCRIPT: &str = r#"
printf 'unlock' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
printf '%s\n' "$TEST_PASSWORD" | "$0" login t || exit 10
env -u TEST_PASSWORD "$0" send news --yes --json >send.json || exit 20
"$0" logout t || exit 30
env -u TEST_PASSWORD "$0" doctor t >after.txt 2>&1
echo "after: $?"
"#;

#[test]
fn a_password_in_the_keyring_signs_in_until_it_is_forgotten() {
    if std::env::var_os("POSTROOM_TEST_KEYRING").is_none() {
        eprintln!("skipped: POSTROOM_TEST_KEYRING is not set (.ci/run installs what it needs)");
        return;
    }
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    let accounts = home.path("config/postroom/accounts.toml");
    let text = std::fs::read_to_string(&accounts).unwrap();
    let text = text.replace("env = \"TEST_PASSWORD\"", "keyring = true");
    std::fs::write(&accounts, text).unwrap();
    home.campaign("t", 2, true);
    // `Home::command` for its environment; the session bus runs the rest.
    let program = home.command(&[]);
    let mut command = Command::new("dbus-run-session");
    command
        .args(["--", "bash", "-c", SCRIPT])
        .arg(program.get_program())
        .current_dir(home.path(""))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap());
    for (name, value) in program.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command.env("POSTROOM_TOKENS", "keyring");
    let ended = Ended::of(&command.output().unwrap()).exits(0);
    assert!(ended.out.contains("keyring"), "{}", ended.out);
    assert_eq!(server.received().len(), 2);
    assert!(ended.out.contains("after: 77"), "{}", ended.out);
    for file in ["send.json", "after.txt"] {
        let said = std::fs::read_to_string(home.path(file)).unwrap();
        assert!(!said.contains(PASSWORD), "{said}");
    }
}
