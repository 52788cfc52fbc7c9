use proptest::prelude::*;

use super::{accounts, campaign};

/// Text that looks enough like TOML to get past the parser now and then.
fn toml_like() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "name",
        "account",
        "accounts",
        "message",
        "from",
        "cc",
        "html",
        "inline",
        "headers",
        "recipients",
        "file",
        "delivery",
        "not_before",
        "holidays",
        "timezone",
        "comms",
        "provider",
        "password",
        "env",
        "command",
        "limits",
        "max",
        "per",
        "unit",
        "reserve",
        "retry",
        "deadlines",
        "oauth2",
        "authority",
        "tls",
        "host",
        "é",
        "\"\"",
    ]);
    let value = prop_oneof![
        Just("\"\"".to_owned()),
        "\"[^\"\\\\\\p{Cc}]{0,8}\"",
        any::<i64>().prop_map(|n| n.to_string()),
        prop::sample::select(vec![
            "[]",
            "{}",
            "[{}]",
            "[[1], \"x\"]",
            "{ x = \"..\" }",
            "true",
            "1.5",
            "nan",
            "2026-12-01",
            "07:32:60",
            "2026-12-31T23:59:60-23:59",
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-12:00",
            "0xffff",
        ])
        .prop_map(str::to_owned),
    ];
    let line = prop_oneof![
        4 => (key.clone(), value).prop_map(|(key, value)| format!("{key} = {value}")),
        1 => key.clone().prop_map(|key| format!("[{key}]")),
        1 => (key.clone(), key).prop_map(|(a, b)| format!("[{a}.{b}]")),
    ];
    prop::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn no_text_makes_either_file_panic(text in any::<String>()) {
        drop(campaign(&text));
        drop(accounts(&text));
    }

    #[test]
    fn no_toml_makes_either_file_panic(text in toml_like()) {
        drop(campaign(&text).map_err(|error| (error.to_string(), error.remedy())));
        drop(accounts(&text).map_err(|error| (error.to_string(), error.remedy())));
    }

    #[test]
    fn no_value_of_accounts_comes_back_in_an_error(text in toml_like()) {
        let marked = text.replace("= \"", "= \"hunter2");
        if let Err(error) = accounts(&marked) {
            let shown = format!("{error} {error:?} {}", error.remedy());
            prop_assert!(!shown.contains("hunter2"), "{}", shown);
        }
    }
}
