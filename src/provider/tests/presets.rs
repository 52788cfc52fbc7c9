use super::*;
use crate::limits::Unit;
use crate::provider::preset::read;

#[test]
fn every_built_in_file_can_be_used_and_says_where_it_comes_from() {
    let all = presets().unwrap();
    assert!(all.len() >= 3);
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
        [(30, 60, Unit::Messages), (10_000, 86_400, Unit::Recipients),]
    );
    let withdrawn = |note: &String| note.contains("2026-01-06");
    assert!(
        preset.notes.iter().any(withdrawn),
        "no limit for external recipients"
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
    assert_eq!(unknown.all, ["microsoft365", "outlook", "custom"]);
    assert!(unknown.remedy().contains("custom"));
}

#[test]
fn a_domain_finds_its_provider_only_when_it_says_so() {
    let name = |domain| Preset::for_domain(domain).unwrap().map(|p| p.name.as_str());
    assert_eq!(name("contoso.onmicrosoft.com"), Some("microsoft365"));
    assert_eq!(name("Hotmail.com"), Some("outlook"));
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
    assert!(json["limits"][0].get("note").is_none());
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
