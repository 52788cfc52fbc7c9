use super::{accounts, place, problem, problems};
use crate::config::{Account, Auth, Reserve, SecretSource};

const SMALLEST: &str =
    "[comms]\nprovider = \"microsoft365\"\nusername = \"me\"\nauth = \"password\"\n";

fn comms(text: &str) -> Account {
    accounts(text).unwrap().get("comms").unwrap().clone()
}

#[test]
fn a_small_account_leaves_the_rest_to_its_preset() {
    let account = comms(SMALLEST);
    assert_eq!(account.password, Some(SecretSource::Prompt));
    assert_eq!(
        (account.host, account.port, account.tls),
        (None, None, None)
    );
    assert_eq!((account.limits, account.retry), (None, None));
    assert_eq!(account.reserve, Reserve::default());
    let relay = comms("[comms]\nprovider = \"custom\"\nhost = \"relay\"\n");
    assert_eq!((relay.auth, relay.password), (Auth::None, None));
    let table =
        comms("[comms]\nprovider = \"x\"\nusername = \"me\"\n[comms.password]\nenv = \"P\"\n");
    assert_eq!(table.auth, Auth::Password);
}

#[test]
fn wrong_values_are_refused_where_they_stand() {
    for (line, key) in [
        ("port = 0", "port"),
        ("port = 65536", "port"),
        ("port = \"25\"", "port"),
        ("port = -1", "port"),
        ("host = \"smtp.x.example:587\"", "host"),
        ("host = \"smtp://x\"", "host"),
        ("tls = \"ssl\"", "tls"),
        (
            "max_recipients_per_message = 0",
            "max_recipients_per_message",
        ),
        ("max_connections = 0", "max_connections"),
        ("max_message_size = 1.5", "max_message_size"),
        (
            "max_message_size = 99999999999999999999",
            "max_message_size",
        ),
        ("reserve = { recipients = -1 }", "reserve.recipients"),
        ("reserve = { recipient = 1 }", "reserve.recipient"),
        ("reserve = 5", "reserve"),
        (
            "limits = [{ max = 0, per = \"1m\", unit = \"messages\" }]",
            "limits.max",
        ),
        (
            "limits = [{ max = 1, per = \"1 m\", unit = \"messages\" }]",
            "limits.per",
        ),
        (
            "limits = [{ max = 1, per = \"1m\", unit = \"bytes\" }]",
            "limits.unit",
        ),
        ("limits = [{ max = 1, per = \"1m\" }]", "limits.unit"),
        ("limits = [5]", "limits"),
        ("limits = { max = 1 }", "limits"),
        ("retry = [\"0s\"]", "retry"),
        ("retry = \"30s\"", "retry"),
        ("retry = [30]", "retry"),
        ("deadlines = { finale = \"1m\" }", "deadlines.finale"),
        ("deadlines = { final = \"1w\" }", "deadlines.final"),
        ("ca_file = \"\"", "ca_file"),
        ("region = 5", "region"),
        ("withdrawn_limits = \"no\"", "withdrawn_limits"),
        ("oauth2 = { flow = \"magic\" }", "oauth2.flow"),
        (
            "oauth2 = { authority = \"http://login.example\" }",
            "oauth2.authority",
        ),
        (
            "oauth2 = { authority = \"http://127.0.0.1.evil.example\" }",
            "oauth2.authority",
        ),
        ("oauth2 = { authority = \"https://\" }", "oauth2.authority"),
    ] {
        let wrong = problem(accounts(&format!("{SMALLEST}{line}\n")));
        assert_eq!(
            (wrong.key, wrong.line),
            (format!("comms.{key}"), Some(5)),
            "{line}"
        );
    }
}

#[test]
fn what_is_required_is_said() {
    let keys = |text: &str| -> Vec<String> {
        problems(accounts(text))
            .into_iter()
            .map(|p| p.key)
            .collect()
    };
    assert_eq!(keys("[comms]\n"), ["comms.provider"]);
    assert_eq!(keys("[comms]\nprovider = \"custom\"\n"), ["comms.host"]);
    assert_eq!(
        keys("[comms]\nprovider = \"x\"\nauth = \"password\"\n"),
        ["comms.username"]
    );
    assert_eq!(
        keys("[comms]\nprovider = \"x\"\nusername = \"me\"\n"),
        ["comms.auth"]
    );
}

#[test]
fn the_mail_domain_finds_the_preset() {
    for (line, provider) in [
        ("username = \"Ana@Hotmail.com\"", "outlook"),
        (
            "username = \"comms@contoso.onmicrosoft.com\"",
            "microsoft365",
        ),
        (
            "from = \"Ana <ana@gmail.com>\"\nusername = \"ana\"",
            "gmail",
        ),
        (
            "username = \"ana@gmail.com\"\nprovider = \"custom\"\nhost = \"x\"",
            "custom",
        ),
    ] {
        let account = comms(&format!("[comms]\nauth = \"password\"\n{line}\n"));
        assert_eq!(account.provider, provider, "{line}");
    }
    for line in [
        "username = \"ana@contoso.com\"",
        "username = \"outlook.com\"",
        "username = 5",
    ] {
        let found = problems(accounts(&format!("[comms]\nauth = \"password\"\n{line}\n")));
        let provider = found
            .iter()
            .find(|problem| problem.key == "comms.provider")
            .unwrap();
        assert!(provider.remedy.contains("can be left out"), "{provider:?}");
    }
}

#[test]
fn a_name_that_is_everybodys_is_the_presets() {
    let sendgrid = comms("[comms]\nprovider = \"sendgrid\"\nauth = \"password\"\n");
    assert_eq!(sendgrid.username.as_deref(), Some("apikey"));
    let own = comms("[comms]\nprovider = \"sendgrid\"\nauth = \"password\"\nusername = \"x\"\n");
    assert_eq!(own.username.as_deref(), Some("x"));
}

#[test]
fn unencrypted_only_to_this_machine() {
    let with = |host: &str| accounts(&format!("{SMALLEST}tls = \"none\"\n{host}\n"));
    for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "::1"] {
        assert!(with(&format!("host = \"{host}\"")).is_ok(), "{host}");
    }
    for host in [
        "smtp.example.com",
        "127.0.0.1.example.com",
        "10.0.0.1",
        "0.0.0.0",
        "localhost.example.com",
    ] {
        assert_eq!(
            problem(with(&format!("host = \"{host}\""))).key,
            "comms.tls",
            "{host}"
        );
    }
    assert_eq!(problem(with("")).key, "comms.tls");
}

#[test]
fn the_sandbox_always_exists_and_cannot_be_redefined() {
    let none = accounts("").unwrap();
    assert_eq!(none.names().collect::<Vec<_>>(), ["sandbox"]);
    assert_eq!(none.get("sandbox").unwrap().auth, Auth::None);
    let redefined = problem(accounts("[sandbox]\nprovider = \"x\"\n"));
    assert_eq!(
        (redefined.key.as_str(), place(&redefined)),
        ("sandbox", Some((1, 2)))
    );
}

#[test]
fn an_unknown_account_is_answered_with_the_known_ones() {
    let known = accounts(SMALLEST).unwrap();
    let unknown = known.get("coms").unwrap_err();
    assert_eq!(unknown.nearest.as_deref(), Some("comms"));
    assert_eq!(unknown.known, ["sandbox", "comms"]);
    assert!(unknown.remedy().contains("did you mean 'comms'"));
    assert!(unknown.to_string().contains("/etc/postroom/accounts.toml"));
}

#[test]
fn unknown_keys_and_stray_keys_are_refused() {
    let unknown = problem(accounts(&format!("{SMALLEST}user_name = \"me\"\n")));
    assert_eq!(
        (unknown.key.as_str(), place(&unknown)),
        ("comms.user_name", Some((5, 1)))
    );
    assert!(unknown.remedy.contains("`username`"), "{unknown:?}");
    let moved = problem(accounts(&format!("{SMALLEST}tenant = \"x\"\n")));
    assert!(moved.remedy.contains("[comms.oauth2]"), "{moved:?}");
    let stray = problem(accounts("provider = \"microsoft365\"\n"));
    assert_eq!(
        (stray.key.as_str(), place(&stray)),
        ("provider", Some((1, 1)))
    );
    assert_eq!(
        problem(accounts("[\"\"]\nprovider = \"x\"\n")).line,
        Some(1)
    );
}
