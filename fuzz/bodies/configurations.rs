//! campaign.toml and accounts.toml.

use std::path::PathBuf;

use postroom::config::{Accounts, Campaign, ConfigError, FILE_NAME, Sender};
use tempfile::TempDir;

/// Stands for a secret, as a value of accounts.toml.
const SECRET: &str = "hunter2-hunter2";

thread_local! {
    static FOLDER: TempDir = TempDir::new().expect("a folder");
}

/// Whatever a configuration says: it is taken, or every problem has a place in the file and a remedy; and a value of
/// accounts.toml, which may be a secret, is never repeated.
pub fn configurations(data: &[u8]) {
    FOLDER.with(|folder| {
        let (campaign, accounts) = (folder.path().join(FILE_NAME), folder.path().join("a.toml"));
        for path in [&campaign, &accounts] {
            std::fs::write(path, data).expect("there is room");
        }
        let lines = data.split(|byte| *byte == b'\n').count();
        match Campaign::load(folder.path()) {
            Ok(campaign) => {
                assert!(!campaign.name.is_empty() && !campaign.accounts.is_empty());
                inside(&[&campaign.recipients.file]);
            }
            Err(error) => told(&error, lines),
        }
        match Accounts::load(&accounts) {
            Ok(accounts) => {
                for account in accounts.names().filter_map(|name| accounts.get(name).ok()) {
                    let _ = Sender::of(account);
                }
            }
            Err(error) => {
                told(&error, lines);
                let text = String::from_utf8_lossy(data);
                let value = format!("= \"{SECRET}\"");
                if text.matches(SECRET).count() == text.matches(&value).count() {
                    assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
                }
            }
        }
    });
}

fn inside(paths: &[&PathBuf]) {
    for path in paths {
        assert!(path.is_relative());
        assert!(!path.starts_with(".."), "{}", path.display());
    }
}

fn told(error: &ConfigError, lines: usize) {
    let ConfigError::Invalid(problems) = error else {
        return;
    };
    assert!(!problems.is_empty());
    for problem in problems {
        assert!(!problem.message.is_empty() && !problem.remedy.is_empty());
        assert!(
            problem.line.is_none_or(|line| (1..=lines).contains(&line)),
            "{problem:?}"
        );
    }
}
