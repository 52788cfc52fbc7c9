use std::path::Path;

use super::{SMALLEST, campaign, place, problem, with};

#[test]
fn every_key_of_a_message_is_read() {
    let text = r#"account = "comms"
[message]
from     = "Contoso Comms <comms@contoso.com>"
to       = "{{first_name}} <{{email}}>"
reply_to = "newsdesk@contoso.com"
cc       = ["a@contoso.com"]
bcc      = ["b@contoso.com", "c@contoso.com"]
subject  = "{{first_name}}, your December news"
html     = "newsletter.html.hbs"
text     = "./texts/../newsletter.txt.hbs"
data     = "news.json"
attach   = ["files/agenda.pdf", "payslips/{{staff_id}}.pdf"]
inline   = { logo = "images/logo.png", a-1 = "images/a.png" }
headers  = { "X-Second" = "2", "X-First" = "{{n}}" }
list_unsubscribe = "mailto:leave@contoso.com?subject=leave"
[recipients]
file = "staff.csv"
"#;
    let message = campaign(text).unwrap().message;
    assert_eq!(message.from, "Contoso Comms <comms@contoso.com>");
    assert_eq!(message.to.as_deref(), Some("{{first_name}} <{{email}}>"));
    assert_eq!(message.reply_to.as_deref(), Some("newsdesk@contoso.com"));
    assert_eq!(message.cc, ["a@contoso.com"]);
    assert_eq!(message.bcc, ["b@contoso.com", "c@contoso.com"]);
    assert_eq!(message.subject, "{{first_name}}, your December news");
    assert_eq!(
        message.html.as_deref(),
        Some(Path::new("newsletter.html.hbs"))
    );
    assert_eq!(
        message.text.as_deref(),
        Some(Path::new("./texts/../newsletter.txt.hbs"))
    );
    assert_eq!(message.data.as_deref(), Some(Path::new("news.json")));
    assert_eq!(
        message.attach,
        ["files/agenda.pdf", "payslips/{{staff_id}}.pdf"]
    );
    let inline: Vec<_> = message
        .inline
        .iter()
        .map(|(name, path)| (name.as_str(), path.as_path()))
        .collect();
    assert_eq!(
        inline,
        [
            ("logo", Path::new("images/logo.png")),
            ("a-1", Path::new("images/a.png"))
        ]
    );
    let headers: Vec<_> = message
        .headers
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    assert_eq!(headers, [("X-Second", "2"), ("X-First", "{{n}}")]);
    assert_eq!(
        message.list_unsubscribe.as_deref(),
        Some("mailto:leave@contoso.com?subject=leave")
    );
}

#[test]
fn styles_are_inlined_unless_that_is_turned_off() {
    assert!(campaign(SMALLEST).unwrap().message.inline_css);
    let off = campaign(&with("message", "inline_css = false")).unwrap();
    assert!(!off.message.inline_css);
    let wrong = problem(campaign(&with("message", "inline_css = \"no\"")));
    assert_eq!(wrong.key, "message.inline_css");
}

#[test]
fn a_body_is_required_and_either_will_do() {
    assert!(campaign(&SMALLEST.replace("text =", "html =")).is_ok());
    let none = problem(campaign(&SMALLEST.replace("text = \"hello.txt\"\n", "")));
    assert_eq!((none.key.as_str(), none.line), ("message.html", Some(2)));
}

#[test]
fn paths_stay_in_the_folder() {
    for bad in [
        "/etc/passwd",
        "../list.csv",
        "a/../../b",
        "C:/x",
        "c:\\\\x",
        "\\\\\\\\server\\\\x",
        "..\\\\x",
        ".",
        "a/..",
    ] {
        for line in [
            format!("html = \"{bad}\""),
            format!("attach = [\"{bad}\"]"),
            format!("inline = {{ logo = \"{bad}\" }}"),
        ] {
            let wrong = problem(campaign(&with("message", &line)));
            assert_eq!(wrong.line, Some(3), "{line}");
            assert!(wrong.remedy.contains("campaign's folder"), "{wrong:?}");
        }
    }
    let outside = SMALLEST.replace("staff.csv", "../staff.csv");
    assert_eq!(problem(campaign(&outside)).key, "recipients.file");
    assert_eq!(
        problem(campaign(&with("message", "data = \"../news.json\""))).key,
        "message.data"
    );
}

#[test]
fn a_header_cannot_be_broken_into_another() {
    for (line, key) in [
        ("to = \"a@b.c\\r\\nBcc: x@y.z\"", "message.to"),
        ("cc = [\"a\\nb\"]", "message.cc"),
        (
            "headers = { \"X-A\" = \"1\\nBcc: x\" }",
            "message.headers.X-A",
        ),
        ("headers = { \"X A\" = \"1\" }", "message.headers"),
        ("headers = { \"X:A\" = \"1\" }", "message.headers"),
        ("headers = { \"\" = \"1\" }", "message.headers"),
        (
            "headers = { \"X-A\" = \"1\", \"x-a\" = \"2\" }",
            "message.headers",
        ),
        ("reply_to = \"\"", "message.reply_to"),
    ] {
        assert_eq!(problem(campaign(&with("message", line))).key, key, "{line}");
    }
}

#[test]
fn odd_values_are_refused_where_they_stand() {
    let wrong = problem(campaign(&with(
        "message",
        "inline = { \"a b\" = \"x.png\" }",
    )));
    assert_eq!(place(&wrong), Some((3, 12)));
    for bad in [
        "http://x.example",
        "<mailto:a@b.c>",
        "mailto:",
        "leave@contoso.com",
        "https://x>",
    ] {
        let line = format!("list_unsubscribe = \"{bad}\"");
        assert_eq!(
            problem(campaign(&with("message", &line))).key,
            "message.list_unsubscribe",
            "{bad}"
        );
    }
    assert!(
        campaign(&with(
            "message",
            "list_unsubscribe = \"https://x.example/{{ id }}\""
        ))
        .is_ok()
    );
    for bad in [
        "unsubscribe = {}",
        "unsubscribe = { url = \"http://x.example/{{id}}\" }",
        "unsubscribe = { web = \"https://x.example\" }",
        "list_unsubscribe = \"mailto:a@b.c\"\nunsubscribe = { mailto = \"a@b.c\" }",
    ] {
        let text = with("message", bad);
        let message = format!("{:?}", campaign(&text));
        assert!(message.contains("message.unsubscribe"), "{bad}: {message}");
    }
    let both = "unsubscribe = { mailto = \"a@b.c\", url = \"https://x.example/{{id}}\" }";
    let options = campaign(&with("message", both))
        .unwrap()
        .message
        .unsubscribe;
    let options = options.unwrap();
    assert_eq!(options.mailto.as_deref(), Some("a@b.c"));
    assert_eq!(options.url.as_deref(), Some("https://x.example/{{id}}"));
    assert_eq!(
        problem(campaign(&with("message", "data = \"news.yaml\""))).key,
        "message.data"
    );
}
