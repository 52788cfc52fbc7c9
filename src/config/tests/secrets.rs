use std::io;

use secrecy::{ExposeSecret, SecretString};

use super::{accounts, place, problem};
use crate::config::{SecretError, SecretSource};

const SMALLEST: &str = "[comms]\nprovider = \"x\"\nusername = \"me\"\nauth = \"password\"\n";

fn nobody(_: &str) -> io::Result<SecretString> {
    Err(io::Error::other("no terminal"))
}

fn nothing() -> Result<SecretString, SecretError> {
    Err(SecretError::NotKept("comms".to_owned()))
}

fn resolve(source: &SecretSource) -> Result<String, SecretError> {
    let secret = source.resolve(&nobody, &nothing)?;
    Ok(secret.expose_secret().to_owned())
}

#[cfg(unix)]
fn shell(line: &str) -> Result<String, SecretError> {
    resolve(&SecretSource::Shell(line.to_owned()))
}

#[test]
fn a_secret_in_the_file_is_refused_and_never_shown() {
    for (text, key) in [
        ("password = \"hunter2-s3cret\"", "comms.password"),
        ("client_secret = \"hunter2-s3cret\"", "comms.client_secret"),
        (
            "[comms.password]\nenv = \"hunter2-s3cret\"",
            "comms.password.env",
        ),
        ("pasword = \"hunter2-s3cret\"", "comms.pasword"),
        ("tls = \"hunter2-s3cret\"", "comms.tls"),
        ("retry = [\"hunter2-s3cret\"]", "comms.retry"),
        (
            "deadlines = { data = \"hunter2-s3cret\" }",
            "comms.deadlines.data",
        ),
        ("password = [\"hunter2-s3cret\"]", "comms.password"),
        ("password = \"hunter2-s3cret", ""),
        ("password = hunter2-s3cret", ""),
    ] {
        let result = accounts(&format!("{SMALLEST}{text}\n"));
        let shown = format!("{result:?} {}", result.as_ref().unwrap_err());
        assert!(!shown.contains("hunter2"), "{shown}");
        let wrong = problem(result);
        assert_eq!(wrong.key, key, "{text}");
        assert!(!wrong.remedy.contains("hunter2"), "{wrong:?}");
    }
}

#[test]
fn a_plain_password_is_told_where_to_go() {
    let wrong = problem(accounts(&format!("{SMALLEST}password = \"hunter2\"\n")));
    assert_eq!(place(&wrong), Some((5, 12)));
    assert!(
        wrong.remedy.contains("[comms.password] with env = "),
        "{wrong:?}"
    );
}

#[test]
fn a_secret_has_exactly_one_source() {
    let with = |lines: &str| accounts(&format!("{SMALLEST}[comms.password]\n{lines}\n"));
    let get = |lines| with(lines).unwrap().get("comms").unwrap().password.clone();
    assert_eq!(get("env = \"A\""), Some(SecretSource::Env("A".to_owned())));
    assert_eq!(get("keyring = true"), Some(SecretSource::Keyring));
    assert_eq!(
        get("command = \"a\\nb\""),
        Some(SecretSource::Shell("a\nb".to_owned()))
    );
    for bad in [
        "",
        "env = \"A\"\ncommand = \"b\"",
        "env = \"A\"\nkeyring = true",
    ] {
        assert_eq!(problem(with(bad)).key, "comms.password", "{bad}");
    }
    for bad in [
        "command = \"\"",
        "command = []",
        "command = 5",
        "command = [5]",
        "command = {}",
    ] {
        assert_eq!(problem(with(bad)).key, "comms.password.command", "{bad}");
    }
    assert_eq!(problem(with("env = 5")).key, "comms.password.env");
    for bad in ["keyring = false", "keyring = \"comms\""] {
        assert_eq!(problem(with(bad)).key, "comms.password.keyring", "{bad}");
    }
}

#[test]
fn a_source_s_debug_form_hides_commands() {
    let hidden = [
        SecretSource::Shell("echo hunter2".to_owned()),
        SecretSource::Program(vec!["echo".to_owned(), "hunter2".to_owned()]),
    ];
    assert_eq!(format!("{hidden:?}"), "[Shell(..), Program(..)]");
}

#[test]
fn a_variable_that_is_not_there_is_named() {
    // One that every system sets, however the tests are started.
    let path = std::env::var("PATH").unwrap();
    assert_eq!(
        resolve(&SecretSource::Env("PATH".to_owned())).unwrap(),
        path
    );
    let error = resolve(&SecretSource::Env("POSTROOM_NO_SUCH_VARIABLE".to_owned())).unwrap_err();
    assert!(matches!(&error, SecretError::Unset(name) if name == "POSTROOM_NO_SUCH_VARIABLE"));
    assert!(error.to_string().contains("POSTROOM_NO_SUCH_VARIABLE"));
    assert!(error.remedy().contains("POSTROOM_NO_SUCH_VARIABLE"));
}

#[cfg(unix)]
#[test]
fn a_command_s_first_line_is_the_secret() {
    assert_eq!(shell("printf 'one\\ntwo\\n'").unwrap(), "one");
    assert_eq!(shell("printf ' spaced \\r\\n'").unwrap(), " spaced ");
    assert_eq!(shell("printf 'no newline'").unwrap(), "no newline");
    let words = ["printf", "%s", "a b"].map(str::to_owned).to_vec();
    assert_eq!(resolve(&SecretSource::Program(words)).unwrap(), "a b");
    assert!(matches!(shell("true"), Err(SecretError::NothingPrinted)));
    assert!(matches!(
        shell("printf '\\377\\n'"),
        Err(SecretError::NotText(_))
    ));
    let missing = SecretSource::Program(vec!["/no/such/program".to_owned()]);
    assert!(matches!(resolve(&missing), Err(SecretError::NotStarted(_))));
}

#[cfg(unix)]
#[test]
fn a_command_that_fails_says_how_and_shows_nothing_of_the_secret() {
    let error = shell("echo hunter2; echo 'no such entry' >&2; echo more >&2; exit 3").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the command failed (exit status: 3): no such entry"
    );
    let error = shell("echo hunter2; echo 'bad hunter2' >&2; exit 1").unwrap_err();
    assert_eq!(error.to_string(), "the command failed (exit status: 1)");
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[test]
fn a_person_is_asked_and_must_answer() {
    let typed = |text: &'static str| move |_: &str| Ok(SecretString::from(text));
    let secret = SecretSource::Prompt
        .resolve(&typed("hunter2"), &nothing)
        .unwrap();
    assert_eq!(secret.expose_secret(), "hunter2");
    assert!(!format!("{secret:?}").contains("hunter2"));
    let empty = SecretSource::Prompt.resolve(&typed(""), &nothing);
    assert!(matches!(empty, Err(SecretError::NothingTyped)));
    assert!(matches!(
        resolve(&SecretSource::Prompt),
        Err(SecretError::Prompt(_))
    ));
}

#[test]
fn what_login_has_kept_is_used_and_otherwise_login_is_named() {
    let kept = || Ok(SecretString::from("hunter2"));
    let secret = SecretSource::Keyring.resolve(&nobody, &kept).unwrap();
    assert_eq!(secret.expose_secret(), "hunter2");
    let error = resolve(&SecretSource::Keyring).unwrap_err();
    assert_eq!(error.remedy(), "run `postroom login comms`");
}
