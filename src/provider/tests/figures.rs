//! What the built-in presets say: servers, limits, sign-in endpoints.

use super::*;
use crate::limits::Unit;

#[test]
fn microsoft_365_has_the_limits_of_the_settings_page() {
    let preset = Preset::find("microsoft365").unwrap();
    assert_eq!(preset.host.as_deref(), Some("smtp.office365.com"));
    assert_eq!((preset.port, preset.tls), (587, Tls::Starttls));
    assert_eq!(preset.max_recipients_per_message, 500);
    assert_eq!(preset.max_message_size, Some(150 * 1024 * 1024));
    assert_eq!(preset.max_connections, 3);
    let rules: Vec<_> = preset
        .rules()
        .iter()
        .map(|r| (r.max, r.per.as_secs(), r.unit))
        .collect();
    assert_eq!(
        rules,
        [
            (30, 60, Unit::Messages),
            (10_000, 86_400, Unit::Recipients),
            (2_000, 86_400, Unit::ExternalRecipients),
        ]
    );
}

#[test]
fn the_limit_for_external_recipients_says_that_it_was_withdrawn() {
    let preset = Preset::find("microsoft365").unwrap();
    let [_, _, external] = preset.limits.as_slice() else {
        panic!("{:?}", preset.limits);
    };
    assert_eq!(external.withdrawn.as_deref(), Some("2026-01-06"));
    let note = external.note.as_deref().unwrap();
    assert!(note.contains("withdrawn_limits = false"), "{note}");
    let units: Vec<_> = preset
        .rules_in_force()
        .iter()
        .map(|rule| rule.unit)
        .collect();
    assert_eq!(units, [Unit::Messages, Unit::Recipients]);
}

/// Name, server, port, recipients and megabytes of a message, and how many rules.
type Facts = (
    &'static str,
    Option<&'static str>,
    u16,
    u32,
    Option<u64>,
    usize,
);

const FACTS: [Facts; 11] = [
    (
        "microsoft365",
        Some("smtp.office365.com"),
        587,
        500,
        Some(150),
        3,
    ),
    (
        "outlook",
        Some("smtp-mail.outlook.com"),
        587,
        100,
        Some(20),
        1,
    ),
    (
        "microsoft365-hve",
        Some("smtp.hve.mx.microsoft"),
        587,
        50,
        Some(10),
        0,
    ),
    (
        "azure-communication-services",
        Some("smtp.azurecomm.net"),
        587,
        50,
        Some(10),
        2,
    ),
    ("gmail", Some("smtp.gmail.com"), 587, 100, Some(25), 1),
    (
        "google-workspace-relay",
        Some("smtp-relay.gmail.com"),
        587,
        100,
        Some(25),
        1,
    ),
    (
        "amazon-ses",
        Some("email-smtp.{region}.amazonaws.com"),
        587,
        50,
        Some(40),
        2,
    ),
    ("mailgun", Some("smtp.mailgun.org"), 587, 1000, Some(25), 0),
    (
        "postmark",
        Some("smtp.postmarkapp.com"),
        587,
        50,
        Some(10),
        0,
    ),
    (
        "sendgrid",
        Some("smtp.sendgrid.net"),
        587,
        1000,
        Some(30),
        0,
    ),
    ("custom", None, 587, 100, None, 0),
];

#[test]
fn each_provider_has_its_published_figures() {
    let found: Vec<Facts> = presets()
        .unwrap()
        .iter()
        .map(|p| {
            let megabytes = p.max_message_size.map(|bytes| bytes / 1024 / 1024);
            let recipients = p.max_recipients_per_message;
            (
                p.name.as_str(),
                p.host.as_deref(),
                p.port,
                recipients,
                megabytes,
                p.limits.len(),
            )
        })
        .collect();
    assert_eq!(found, FACTS);
    assert!(
        presets()
            .unwrap()
            .iter()
            .all(|preset| preset.tls == Tls::Starttls)
    );
}

#[test]
fn outlook_and_custom_are_there() {
    let outlook = Preset::find("outlook").unwrap();
    assert_eq!(outlook.host.as_deref(), Some("smtp-mail.outlook.com"));
    assert_eq!(outlook.max_recipients_per_message, 100);
    assert_eq!(outlook.max_message_size, Some(20 * 1024 * 1024));
    let custom = Preset::find("custom").unwrap();
    assert_eq!(custom.host, None);
    assert_eq!((custom.port, custom.max_recipients_per_message), (587, 100));
    assert!(custom.limits.is_empty());
}

#[test]
fn oauth_endpoints_are_where_the_provider_has_them() {
    let of = |name: &str| Preset::find(name).unwrap().oauth2.as_ref();
    for name in ["microsoft365", "outlook"] {
        let oauth2 = of(name).unwrap();
        assert_eq!(oauth2.authority, "https://login.microsoftonline.com");
        assert!(
            oauth2
                .scopes
                .contains(&"https://outlook.office.com/SMTP.Send".to_owned())
        );
        assert!(oauth2.scopes.contains(&"offline_access".to_owned()));
        assert!(!oauth2.public_clients_have_secrets);
    }
    // Nobody's application may sign in to a personal mailbox by itself (AADSTS9001023).
    assert_eq!(of("outlook").unwrap().tenant.as_deref(), Some("consumers"));
    assert_eq!(
        of("outlook").unwrap().flows,
        [Flow::DeviceCode, Flow::Browser]
    );
    assert_eq!(
        of("microsoft365-hve").unwrap().flows,
        [Flow::ClientCredentials]
    );
    for name in ["gmail", "google-workspace-relay"] {
        let oauth2 = of(name).unwrap();
        assert_eq!(oauth2.scopes, ["https://mail.google.com/"]);
        assert_eq!(
            (oauth2.flows.as_slice(), &oauth2.device),
            (&[Flow::Browser][..], &None)
        );
        assert_eq!(oauth2.token, "https://oauth2.googleapis.com/token");
        assert!(oauth2.public_clients_have_secrets);
    }
    for name in [
        "sendgrid",
        "amazon-ses",
        "postmark",
        "mailgun",
        "azure-communication-services",
    ] {
        assert!(of(name).is_none(), "{name}");
    }
    assert_eq!(
        Preset::find("sendgrid").unwrap().username.as_deref(),
        Some("apikey")
    );
}
