//! Whatever is wrong: file, row, column, what was found, what to do, the exit code, and nothing stored.

use crate::home::{Ended, Home};

/// Runs `check`, `plan`, `send`, `preview` and `rehearse`: all must end with this code, and nothing is
/// planned. Returns what `check` said.
fn refused(home: &Home, code: i32) -> Ended {
    for args in [
        &["plan", "news"][..],
        &["send", "news", "--yes"],
        &["preview", "news"],
        &["rehearse", "news"],
    ] {
        let end = home.run(args).exits(code);
        assert!(!end.err.contains("panicked"), "{}", end.err);
    }
    let status = home.run(&["status", "news"]);
    assert!(
        [66, 78].contains(&status.code),
        "nothing may be planned: {status:?}"
    );
    home.run(&["check", "news"]).exits(code)
}

fn campaign() -> Home {
    let home = Home::new();
    home.campaign("sandbox", 3, true);
    home
}

#[test]
fn a_defective_row_is_named_with_its_remedy() {
    let home = campaign();
    home.write(
        "news/staff.csv",
        "email,first_name\nann@contoso.com,Ann\nbob(at)contoso.com,Bob\n",
    );
    let said = refused(&home, 65);
    for word in ["staff.csv", "row 2", "email", "bob(at)contoso.com", "help"] {
        assert!(said.out.contains(word), "{word} in {}", said.out);
    }
    let json = home.run(&["check", "news", "--json"]).exits(65).json();
    let finding = &json["findings"][0];
    assert_eq!(
        (&finding["severity"], &finding["row"]),
        (&"error".into(), &2.into())
    );
    assert_eq!(json["recipients"]["invalid"], 1);
}

#[test]
fn lists_that_are_no_lists() {
    for list in [
        &b""[..],
        b"email,first_name\n",
        b"\xff\xfee\0m\0a\0i\0l\0",
        b"email,first_name\nann@contoso.com,Zo\xc3\xab\nbob@contoso.com,J\xf6rg\n",
        b"PK\x03\x04 a workbook",
        b"email,first_name\n\"ann@contoso.com,Ann\n",
        b"name,first_name\nann,Ann\n",
        b"email,email\na@contoso.com,b@contoso.com\n",
        b"email,first_name\nann@contoso.com\n",
    ] {
        let home = campaign();
        home.write("news/staff.csv", list);
        let said = refused(&home, 65);
        assert!(
            said.out.contains("staff.csv") && said.out.contains("help"),
            "{}",
            said.out
        );
    }
}

#[test]
fn templates_that_cannot_be() {
    for (template, word) in [
        ("Dear {{frist_name}}", "first_name"),
        ("{{#if later}}{{/if}}", "later"),
        ("{{#if first_name}}never closed", "news.txt.hbs:1:1"),
        ("{{> footer}}", "footer"),
        ("{{uper first_name}}", "upper"),
        ("{{first_name", "news.txt.hbs:1:1"),
    ] {
        let home = campaign();
        home.write("news/news.txt.hbs", template);
        let said = refused(&home, 65);
        assert!(said.out.contains("news.txt.hbs"), "{}", said.out);
        assert!(said.out.contains(word), "{word} in {}", said.out);
    }
}

#[test]
fn missing_inputs() {
    let home = campaign();
    std::fs::remove_file(home.path("news/staff.csv")).unwrap();
    assert!(refused(&home, 66).out.contains("staff.csv"));
    let home = campaign();
    std::fs::remove_file(home.path("news/news.txt.hbs")).unwrap();
    assert!(refused(&home, 66).out.contains("news.txt.hbs"));
    let home = Home::new();
    home.run(&["check", "nowhere"]).exits(66);
    home.run(&["send", ".", "--yes"]).exits(66);
}

#[test]
fn configuration_that_cannot_be() {
    for (from, to, word) in [
        ("subject", "subjekt", "subject"),
        ("text = ", "html = 5\ntext = ", "html"),
        ("account = \"sandbox\"", "account = \"sanbox\"", "sandbox"),
        ("[recipients]", "[recipients", "line"),
        ("file = ", "where = \"office == Berlin\"\nfile = ", "where"),
    ] {
        let home = campaign();
        let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
        assert!(toml.contains(from));
        home.write("news/campaign.toml", toml.replacen(from, to, 1));
        let said = refused(&home, 78);
        assert!(said.err.contains(word), "{word} in {}", said.err);
    }
}

#[test]
fn accounts_that_cannot_be() {
    let home = campaign();
    home.campaign("t", 3, true);
    for (text, word) in [
        (
            "[t]\nprovider = \"microsft365\"\nusername = \"a@contoso.com\"\nauth = \"password\"\n",
            "microsoft365",
        ),
        ("[t]\nprovider = \"custom\"\nauth = \"none\"\n", "host"),
        (
            "[t]\nprovider = \"custom\"\nhost = \"mail.contoso.com\"\nauth = \"none\"\ntls = \"none\"\n",
            "tls",
        ),
        (
            "[t]\nprovider = \"custom\"\nhost = \"x.test\"\nusername = \"a\"\npassword = \"hunter2\"\n",
            "password",
        ),
    ] {
        home.write("config/postroom/accounts.toml", text);
        let said = refused(&home, 78);
        assert!(said.err.contains(word), "{word} in {}", said.err);
        assert!(!said.err.contains("hunter2"));
    }
}

#[test]
fn attachments_are_looked_for_before_anything_is_sent() {
    let home = campaign();
    let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    let with = |attach: &str| toml.replace("text = ", &format!("attach = [\"{attach}\"]\ntext = "));
    home.write("news/campaign.toml", with("{{first_name}}.pdf"));
    home.write("news/P1.pdf", "x");
    home.write("news/P3.pdf", "x");
    let said = refused(&home, 65);
    assert!(
        said.out.contains("row 2") && said.out.contains("P2.pdf"),
        "{}",
        said.out
    );
    home.write("news/campaign.toml", with("agenda.pdf"));
    refused(&home, 66);
    home.write("news/campaign.toml", with("../state/postroom/postroom.db"));
    refused(&home, 78);
}

#[test]
fn a_list_cannot_break_a_header() {
    let home = campaign();
    let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    home.write(
        "news/campaign.toml",
        toml.replace("\"News\"", "\"For {{first_name}}\""),
    );
    home.write(
        "news/staff.csv",
        "email,first_name\nann@contoso.com,\"Ann\nBcc: x@evil.test\"\n",
    );
    let said = refused(&home, 65);
    assert!(
        said.out.contains("line break") && said.out.contains("row 1"),
        "{}",
        said.out
    );
}
