use std::fs;
use std::path::{Path, PathBuf};

use super::{SMALLEST, campaign, place, problem, problems};
use crate::config::places::place as place_of;
use crate::config::{Accounts, Campaign, ConfigError, accounts_path, store_path};

#[test]
fn a_campaign_is_named_after_its_folder() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("staff-news");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("campaign.toml"), SMALLEST).unwrap();
    let campaign = Campaign::load(&folder.join(".")).unwrap();
    assert_eq!(campaign.name, "staff-news");
    assert_eq!(campaign.folder, folder.canonicalize().unwrap());
}

#[test]
fn a_folder_or_file_that_is_not_there_is_missing() {
    let home = tempfile::tempdir().unwrap();
    let nowhere = home.path().join("nowhere");
    assert!(matches!(Campaign::load(&nowhere), Err(ConfigError::Missing(path)) if path == nowhere));
    let Err(error) = Campaign::load(home.path()) else {
        panic!("there is no campaign");
    };
    assert!(matches!(&error, ConfigError::Missing(path) if path.ends_with("campaign.toml")));
    assert!(
        error.remedy().contains("postroom new"),
        "{}",
        error.remedy()
    );
    let file = home.path().join("staff.csv");
    fs::write(&file, "email\n").unwrap();
    let error = Campaign::load(&file).unwrap_err();
    assert!(error.remedy().contains("name the folder"), "{error}");
    fs::create_dir(home.path().join("campaign.toml")).unwrap();
    let error = Campaign::load(home.path()).unwrap_err();
    assert!(matches!(&error, ConfigError::Unreadable(..)), "{error:?}");
    assert!(!error.remedy().is_empty());
}

#[test]
fn accounts_need_no_file() {
    let home = tempfile::tempdir().unwrap();
    let accounts = Accounts::load(&home.path().join("accounts.toml")).unwrap();
    assert!(accounts.get("sandbox").is_ok());
    assert!(accounts.get("comms").is_err());
    assert!(matches!(
        Accounts::load(home.path()),
        Err(ConfigError::Unreadable(..))
    ));
}

#[test]
fn a_file_in_another_encoding_or_far_too_large_is_said_to_be_so() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("accounts.toml");
    fs::write(&file, b"# ok\nx = \"caf\xe9\"\n").unwrap();
    let wrong = problem(Accounts::load(&file));
    assert_eq!(place(&wrong), Some((2, 9)));
    assert!(wrong.remedy.contains("UTF-8"));
    fs::write(&file, vec![b'#'; 1024 * 1024 + 1]).unwrap();
    assert!(
        problem(Accounts::load(&file))
            .message
            .contains("larger than 1 MiB")
    );
}

#[test]
fn syntax_errors_are_reported_together_with_their_places() {
    let text = "account = sandbox\n[message]\nfrom = \"a\"\nfrom = \"b\"\nsubject = \"Hello\n";
    let found = problems(campaign(text));
    let lines: Vec<_> = found.iter().map(|p| p.line.unwrap()).collect();
    assert_eq!(lines, [1, 4, 5], "{found:#?}");
    assert_eq!(found[1].key, "from");
}

#[test]
fn a_problem_reads_as_editors_expect() {
    let wrong = problem(campaign(
        &SMALLEST.replace("from = \"a@example.com\"", "from = 5"),
    ));
    assert_eq!(
        wrong.to_string(),
        "campaign.toml:3:8: message.from: expected text in quotes, found a whole number"
    );
    let wrong = problem(campaign(&SMALLEST.replace("account", "# account")));
    assert_eq!(wrong.to_string(), "campaign.toml: account: is required");
}

#[test]
fn files_are_where_one_says_or_where_the_system_keeps_them() {
    let explicit = Path::new("mine.toml");
    assert_eq!(accounts_path(Some(explicit)).unwrap(), explicit);
    assert_eq!(store_path(Some(explicit)).unwrap(), explicit);
    let base = std::env::temp_dir();
    let xdg = |value: PathBuf| {
        place_of(
            None,
            "accounts.toml",
            Some(value.into_os_string()),
            |dirs| dirs.config_dir().to_owned(),
        )
    };
    let found = xdg(base.clone()).unwrap();
    assert_eq!(found, base.join("postroom").join("accounts.toml"));
    for ignored in ["", "relative"] {
        let found = xdg(PathBuf::from(ignored));
        assert!(found.is_ok_and(|path| path.is_absolute() && path.ends_with("accounts.toml")));
    }
}
