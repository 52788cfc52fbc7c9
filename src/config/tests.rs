mod accounts;
mod campaign;
mod files;
mod full_account;
mod message;
mod oauth2;
mod properties;
mod secrets;

use std::path::{Path, PathBuf};

use super::{Accounts, Campaign, ConfigError, Problem};

/// A campaign with nothing but what is required.
const SMALLEST: &str = r#"account = "sandbox"
[message]
from = "a@example.com"
subject = "Hello"
text = "hello.txt"
[recipients]
file = "staff.csv"
"#;

fn campaign(text: &str) -> Result<Campaign, ConfigError> {
    Campaign::parse(
        PathBuf::from("/home/ana/staff-news"),
        Path::new("campaign.toml"),
        text,
    )
}

/// The smallest campaign with one more line in a table.
fn with(table: &str, line: &str) -> String {
    match table {
        "" => format!("{line}\n{SMALLEST}"),
        "delivery" => format!("{SMALLEST}[delivery]\n{line}\n"),
        table => SMALLEST.replace(&format!("[{table}]\n"), &format!("[{table}]\n{line}\n")),
    }
}

fn accounts(text: &str) -> Result<Accounts, ConfigError> {
    Accounts::parse(Path::new("/etc/postroom/accounts.toml"), text)
}

/// The problems of a file; each has something to say and something to do.
fn problems<T: std::fmt::Debug>(result: Result<T, ConfigError>) -> Vec<Problem> {
    match result {
        Err(ConfigError::Invalid(problems)) => {
            assert!(!problems.is_empty());
            for problem in &problems {
                assert!(!problem.message.is_empty(), "{problem:?}");
                assert!(!problem.remedy.is_empty(), "{problem:?}");
                assert_eq!(problem.line.is_some(), problem.column.is_some());
            }
            problems
        }
        other => panic!("expected problems, got {other:?}"),
    }
}

/// The only problem of a file.
fn problem<T: std::fmt::Debug>(result: Result<T, ConfigError>) -> Problem {
    let mut problems = problems(result);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    problems.remove(0)
}

fn place(problem: &Problem) -> Option<(usize, usize)> {
    Some((problem.line?, problem.column?))
}
