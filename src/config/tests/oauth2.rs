use secrecy::SecretString;

use super::{SMALLEST, accounts, campaign, problem, problems};
use crate::config::{SecretSource, Sender, SenderError, SignInError};
use crate::oauth::Settings;
use crate::provider::Flow;

const MICROSOFT: &str = "[comms]\nprovider = \"microsoft365\"\nusername = \"comms@contoso.com\"\nauth = \"oauth2\"\n\
                         [comms.oauth2]\nclient_id = \"1234\"\n";

const CUSTOM: &str = "[comms]\nprovider = \"custom\"\nhost = \"smtp.example.com\"\nusername = \"me\"\nauth = \"oauth2\"\n\
                      [comms.oauth2]\nclient_id = \"1234\"\n";

const SECRET: &str = "[comms.client_secret]\nenv = \"S\"\n";

fn sender(text: &str) -> Result<Sender, SenderError> {
    Sender::of(accounts(text).unwrap().get("comms").unwrap())
}

fn settings(text: &str) -> Settings {
    let secret = Some(SecretString::from("s"));
    sender(text).unwrap().oauth2(secret, Vec::new()).unwrap()
}

/// What is wrong with a sign-in; there is something to do about it.
fn wrong(text: &str) -> SignInError {
    match sender(text) {
        Err(SenderError::SignIn(error)) => {
            assert!(!error.message.is_empty() && !error.remedy.is_empty());
            assert!(error.to_string().contains(&error.key), "{error}");
            error
        }
        other => panic!("expected a wrong sign-in, got {other:?}"),
    }
}

#[test]
fn a_preset_needs_only_the_app() {
    let device = settings(MICROSOFT);
    let base = "https://login.microsoftonline.com/organizations/oauth2/v2.0";
    assert_eq!(device.flow, Flow::DeviceCode);
    assert_eq!(
        (device.account.as_str(), device.client_id.as_str()),
        ("comms", "1234")
    );
    assert_eq!(device.username, "comms@contoso.com");
    assert_eq!(device.token, format!("{base}/token"));
    assert_eq!(device.device, Some(format!("{base}/devicecode")));
    assert_eq!(device.authorize, Some(format!("{base}/authorize")));
    let scopes = ["https://outlook.office.com/SMTP.Send", "offline_access"];
    assert_eq!(device.scopes, scopes);
}

#[test]
fn tenant_authority_and_scopes_take_the_presets_places() {
    let text = format!(
        "{MICROSOFT}tenant = \"contoso.onmicrosoft.com\"\nauthority = \"https://login.microsoftonline.us/\"\n\
         flow = \"client-credentials\"\n{SECRET}"
    );
    let app = settings(&text);
    let token = "https://login.microsoftonline.us/contoso.onmicrosoft.com/oauth2/v2.0/token";
    assert_eq!(app.token, token);
    assert_eq!(app.scopes, ["https://outlook.office365.com/.default"]);
    let own = settings(&format!("{MICROSOFT}scopes = [\"a\", \"b\"]\n"));
    assert_eq!(own.scopes, ["a", "b"]);
}

#[test]
fn personal_accounts_have_a_tenant_of_their_own() {
    let outlook = settings(&MICROSOFT.replace("microsoft365", "outlook"));
    assert!(outlook.token.contains("/consumers/"), "{}", outlook.token);
}

#[test]
fn another_provider_is_named_by_its_endpoints() {
    let custom = settings(&format!(
        "{CUSTOM}token = \"https://id.example/token\"\ndevice = \"https://id.example/device\"\n"
    ));
    assert_eq!((custom.flow, custom.authorize), (Flow::DeviceCode, None));
    let custom = settings(&format!(
        "{CUSTOM}token = \"http://localhost:9/token\"\nauthorize = \"http://[::1]:9/a\"\n"
    ));
    assert_eq!((custom.flow, custom.device), (Flow::Browser, None));
    let app = format!("{CUSTOM}token = \"https://id.example/token\"\n{SECRET}");
    assert_eq!(settings(&app).flow, Flow::ClientCredentials);
}

#[test]
fn what_cannot_work_is_said_with_its_key_and_what_to_write() {
    let token = "token = \"https://id.example/token\"\n";
    for (text, key, remedy) in [
        (
            format!("{MICROSOFT}{SECRET}"),
            "client_secret",
            "client-credentials",
        ),
        (
            format!("{MICROSOFT}flow = \"browser\"\n{SECRET}"),
            "client_secret",
            "[comms.client_secret] out",
        ),
        (
            format!("{MICROSOFT}flow = \"client-credentials\"\n"),
            "client_secret",
            "[comms.client_secret]",
        ),
        (
            format!("{MICROSOFT}flow = \"client-credentials\"\n{SECRET}"),
            "oauth2.tenant",
            "tenant ID",
        ),
        (
            format!("{MICROSOFT}flow = \"client-credentials\"\ntenant = \"Common\"\n{SECRET}"),
            "oauth2.tenant",
            "tenant ID",
        ),
        (
            format!("{MICROSOFT}flow = \"client-credentials\"\ntenant = \"x.example\"\n{SECRET}")
                .replace("microsoft365", "outlook"),
            "oauth2.flow",
            "\"device-code\" or \"browser\"",
        ),
        (CUSTOM.to_owned(), "auth", "auth = \"password\""),
        (
            format!("{CUSTOM}{token}flow = \"device-code\"\n"),
            "oauth2.device",
            "device = ",
        ),
        (
            format!("{CUSTOM}{token}flow = \"browser\"\n"),
            "oauth2.authorize",
            "authorize = ",
        ),
    ] {
        let error = wrong(&text);
        assert_eq!(error.key, format!("comms.{key}"), "{text}");
        assert!(error.remedy.contains(remedy), "{error:?}");
    }
}

#[test]
fn a_sign_in_goes_over_https_or_nowhere() {
    for key in ["authority", "authorize", "token", "device"] {
        for bad in [
            "http://login.example",
            "http://127.0.0.1.evil.example/",
            "http://127.0.0.1@evil.example/",
            "https://me:hunter2@login.example/",
            "ftp://localhost/",
            "https://",
            "login.example",
        ] {
            let error = problem(accounts(&format!("{MICROSOFT}{key} = \"{bad}\"\n")));
            assert_eq!(
                (error.key, error.line),
                (format!("comms.oauth2.{key}"), Some(7))
            );
            assert!(!error.message.contains("hunter2"), "{}", error.message);
        }
    }
}

#[test]
fn an_app_is_needed_only_where_it_signs_in() {
    let without = MICROSOFT.replace("client_id = \"1234\"\n", "");
    assert_eq!(problem(accounts(&without)).key, "comms.oauth2.client_id");
    let nothing = MICROSOFT.split("[comms.oauth2]").next().unwrap();
    assert_eq!(problem(accounts(nothing)).key, "comms.oauth2.client_id");
    let password = without.replace("\"oauth2\"", "\"password\"");
    assert_eq!(sender(&password).unwrap().flow(), None);
    let bad = format!("{MICROSOFT}tenant = \"a/b\"\nscopes = [\"two words\"]\n");
    let keys: Vec<String> = problems(accounts(&bad))
        .into_iter()
        .map(|p| p.key)
        .collect();
    assert_eq!(keys, ["comms.oauth2.tenant", "comms.oauth2.scopes"]);
}

#[test]
fn a_kept_secret_is_a_source() {
    let text = format!(
        "{MICROSOFT}tenant = \"x.example\"\nflow = \"client-credentials\"\n[comms.client_secret]\nkeyring = true\n"
    );
    let sender = sender(&text).unwrap();
    assert_eq!(sender.client_secret(), Some(&SecretSource::Keyring));
}

fn may_send(account: &str, from: &str) -> Result<(), SenderError> {
    let text = SMALLEST.replace("a@example.com", from);
    campaign(&text).unwrap().check_from(&[sender(account)?])
}

#[test]
fn an_account_sends_as_itself_unless_it_says_otherwise() {
    may_send(MICROSOFT, "Comms <COMMS@contoso.com>").unwrap();
    let error = may_send(MICROSOFT, "News <news@contoso.com>").unwrap_err();
    assert!(matches!(error, SenderError::FromOutside { .. }));
    let words = format!("{error} {}", error.remedy());
    for word in [
        "message.from",
        "news@contoso.com",
        "comms@contoso.com",
        "Send As",
        "under [comms]",
    ] {
        assert!(words.contains(word), "{words}");
    }
    let shared = MICROSOFT.replace("auth =", "from = \"news@contoso.com\"\nauth =");
    may_send(&shared, "News <news@contoso.com>").unwrap();
    // A name to sign in with that is no address says nothing, nor does a provider that lets everybody.
    may_send(
        &MICROSOFT.replace("comms@contoso.com", "comms"),
        "a@b.example",
    )
    .unwrap();
    let token = format!("{CUSTOM}token = \"https://id.example/token\"\n{SECRET}");
    may_send(&token.replace("\"me\"", "\"me@b.example\""), "a@b.example").unwrap();
}
