use super::*;
use crate::limits::Unit;
use crate::provider::preset::read;

#[test]
fn every_built_in_file_can_be_used_and_says_where_it_comes_from() {
    let all = presets().unwrap();
    assert_eq!(all.len(), 11);
    for preset in all {
        assert!(ReplyTable::for_preset(preset).is_ok(), "{}", preset.name);
        assert!(preset.source.starts_with("https://"), "{}", preset.name);
        let date: Vec<_> = preset.checked_on.split('-').map(str::len).collect();
        assert_eq!(date, [4, 2, 2], "{}", preset.name);
        for domain in &preset.domains {
            assert_eq!(*domain, domain.to_ascii_lowercase());
        }
    }
}

#[test]
fn no_name_or_alias_is_taken_twice() {
    let mut names: Vec<_> = presets()
        .unwrap()
        .iter()
        .flat_map(|p| p.aliases.iter().chain([&p.name]))
        .map(|name| name.to_ascii_lowercase())
        .collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

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

#[test]
fn each_provider_has_its_published_figures() {
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
fn a_region_chooses_the_server() {
    let host = |name: &str, region| {
        let preset = Preset::find(name).unwrap();
        preset
            .host_in(region)
            .map(|host| host.unwrap_or_default().to_owned())
    };
    assert_eq!(host("mailgun", None).unwrap(), "smtp.mailgun.org");
    assert_eq!(host("mailgun", Some("EU")).unwrap(), "smtp.eu.mailgun.org");
    assert_eq!(
        host("amazon-ses", Some("eu-central-1")).unwrap(),
        "email-smtp.eu-central-1.amazonaws.com"
    );
    assert_eq!(host("custom", None).unwrap(), "");
    for (name, region, words) in [
        ("amazon-ses", None, "eu-central-1"),
        ("amazon-ses", Some("moon"), "eu-central-1"),
        ("mailgun", Some("asia"), "us, eu"),
        ("gmail", Some("eu"), "take 'region' out"),
    ] {
        let error = host(name, region).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        assert!(error.remedy().contains(words), "{}", error.remedy());
    }
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
fn a_name_is_found_by_alias_and_in_any_case() {
    for name in ["microsoft365", "Microsoft365", " m365 ", "OFFICE365"] {
        assert_eq!(Preset::find(name).unwrap().name, "microsoft365");
    }
}

#[test]
fn a_slip_of_the_pen_names_the_nearest() {
    for (typed, meant) in [
        ("micorsoft365", "microsoft365"),
        ("outlok", "outlook"),
        ("Offce365", "microsoft365"),
    ] {
        let Err(ProviderError::Unknown(unknown)) = Preset::find(typed) else {
            panic!("{typed} was found");
        };
        assert_eq!(unknown.nearest.as_deref(), Some(meant));
        assert!(unknown.to_string().contains(typed));
        assert!(unknown.remedy().contains(meant));
    }
    let Err(ProviderError::Unknown(unknown)) = Preset::find("zzzz") else {
        panic!("found");
    };
    assert_eq!(unknown.nearest, None);
    assert_eq!(unknown.all.len(), 11);
    assert!(unknown.remedy().contains("custom"));
}

#[test]
fn a_domain_finds_its_provider_only_when_it_says_so() {
    let name = |domain| Preset::for_domain(domain).unwrap().map(|p| p.name.as_str());
    assert_eq!(name("contoso.onmicrosoft.com"), Some("microsoft365"));
    assert_eq!(name("Hotmail.com"), Some("outlook"));
    assert_eq!(name("googlemail.com"), Some("gmail"));
    assert_eq!(name("contoso.com"), None);
    assert_eq!(name("notoutlook.com"), None);
    assert_eq!(name("onmicrosoft.com"), None);
    assert_eq!(name(".onmicrosoft.com"), None);
    assert_eq!(name(""), None);
}

#[test]
fn json_has_the_keys_of_the_file() {
    let json = serde_json::to_value(Preset::find("microsoft365").unwrap()).unwrap();
    assert_eq!(json["tls"], "starttls");
    assert_eq!(json["limits"][0]["max"], 30);
    assert_eq!(json["limits"][0]["per"], "1m");
    assert_eq!(json["limits"][1]["unit"], "recipients");
    assert!(
        json["limits"][0].get("note").is_none() && json["limits"][0].get("withdrawn").is_none()
    );
    assert_eq!(json["limits"][2]["withdrawn"], "2026-01-06");
    assert_eq!(json["max_recipients_per_message"], 500);
}

#[test]
fn a_broken_file_is_an_error_that_names_it() {
    let good = include_str!("../presets/custom.toml");
    assert!(read("x.toml", good).is_ok());
    let broken = [
        good.replace("port = 587", "port = 0"),
        good.replace("port = 587", "prot = 587"),
        good.replace(
            "limits  = []",
            "limits = [{ max = 0, per = \"1m\", unit = \"messages\" }]",
        ),
        good.replace(
            "limits  = []",
            "limits = [{ max = 1, per = \"1m\", unit = \"messages\", nite = \"\" }]",
        ),
        good.replace(
            "limits  = []",
            "limits = [{ max = 1, per = \"1m\", unit = \"messages\", note = 1 }]",
        ),
        good.replace("port = 587", "port = 587\nregions = ['eu']"),
        good.replace("port = 587", "port = 587\nhost = 'x.{region}.org'"),
        good.replace(
            "port = 587",
            "port = 587\nhost = 'x.{region}.org'\nregion = 'us'\nregions = ['eu']",
        ),
        good.replace("checked_on = \"2026-11-23\"", "checked_on = \"\""),
    ];
    for text in broken {
        let error = read("x.toml", &text).unwrap_err();
        assert!(error.to_string().contains("x.toml"), "{error}");
    }
}

#[test]
fn a_preset_that_names_no_known_table_is_an_error() {
    let mut preset = Preset::find("custom").unwrap().clone();
    preset.replies = vec!["nowhere".into()];
    let error = ReplyTable::for_preset(&preset).unwrap_err();
    assert!(error.to_string().contains("nowhere"));
}
