use super::*;
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
