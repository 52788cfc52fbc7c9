//! One campaign with more than forty different defects: one run finds all of them, each at its place.

use std::fmt::Write as _;

use serde_json::Value;

use crate::home::{Home, repository};

/// A code and where it is expected: file, data row (0: none), line (0: none), column ("": any).
type Expected = (&'static str, &'static str, u64, u64, &'static str);

const CAMPAIGN: &str = r#"account = "t"
[message]
from = "Comms <comms@fabrikam.net>"
subject = "{{headline}}"
html = "news.html.hbs"
text = "news.txt.hbs"
data = "news.json"
cc = ["{{manager}}"]
attach = ["files/lost.pdf", "files/empty.pdf", "slips/{{staff_id}}.pdf"]
inline = { logo = "images/logo.png", spare = "images/spare.png", gone = "images/gone.png" }
headers = { "X-Staff" = "{{uper staff_id}}" }
[recipients]
file = "staff.csv"
"#;

const HTML: &str = r#"<!doctype html>
<html lang="en"><head><title>x</title><link rel="stylesheet" href="https://www.fabrikam.net/a.css">
</head><body>
<p>Dear {{first_name}},</p>
<img src="https://www.fabrikam.net/a.png">
<img src="cid:lgoo" alt="">
<img src="images/x.png" alt="x">
<a href="">a</a>
<a href="javascript:go()">b</a>
<a href="www.fabrikam.net">c</a>
<a href="http://https://www.fabrikam.net/">d</a>
<a href="news.html">e</a>
<a href="comms@fabrikam.net">f</a>
<script>x()</script>
<form action="https://x.test/"></form>
  <iframe src="https://x.test/"></iframe>
{{{manager}}}
{{#if vip}}VIP{{/if}}
{{frist_name}}
{{uper first_name}}
{{> fotter}}
{{#if vip first_name}}x{{/if}}
{{#if later}}x{{/if}}
<p>{{greeting}}</p>
<img src="cid:logo" alt="logo"><img src="cid:gone" alt="gone">
<p>{{date start "%-d %B %Y"}}</p>
{{first_name | upper}}
<a href="{{site}}">g</a>
{{> foot}}
<img src="file:///C:/logo.png" alt="x">
<img src="data:image/png;base64,AAAA" alt="x">
</body></html>
"#;

const TEXT: &str = "Dear {{first_name}},\n{{#if first_name}}\nthe news\n";

const FOOT: &str = "<p>Foot</p>\n{{}}\n<a href=\"#\">top</a>\n";

const EXPECTED: &[Expected] = &[
    // What is written in campaign.toml.
    ("from-unknown", "campaign.toml", 0, 3, "8"),
    ("unknown-helper", "campaign.toml", 0, 11, "26"),
    ("image-unused", "campaign.toml", 0, 10, "46"),
    ("unsubscribe-missing", "campaign.toml", 0, 2, ""),
    // Files.
    ("missing-file", "files/lost.pdf", 0, 0, ""),
    ("missing-file", "images/gone.png", 0, 0, ""),
    ("file-empty", "files/empty.pdf", 0, 0, ""),
    ("file-unused", "slips", 0, 0, ""),
    // The templates' own language.
    ("unknown-field", "news.html.hbs", 0, 19, "1"),
    ("unknown-helper", "news.html.hbs", 0, 20, "1"),
    ("unknown-partial", "news.html.hbs", 0, 21, "1"),
    ("template-usage", "news.html.hbs", 0, 22, "1"),
    ("unknown-field", "news.html.hbs", 0, 23, "1"),
    ("template-syntax", "news.html.hbs", 0, 27, "1"),
    ("template-syntax", "news.txt.hbs", 0, 2, "1"),
    ("template-syntax", "partials/foot.hbs", 0, 2, "1"),
    ("raw-field", "news.html.hbs", 0, 17, "1"),
    ("if-on-text", "news.html.hbs", 0, 18, "1"),
    // What the HTML comes to.
    ("html-unsupported", "news.html.hbs", 0, 2, "39"),
    ("image-alt", "news.html.hbs", 0, 5, "1"),
    ("cid-unknown", "news.html.hbs", 0, 6, "1"),
    ("link-relative", "news.html.hbs", 0, 7, "1"),
    ("link-scheme", "news.html.hbs", 0, 8, "1"),
    ("link-scheme", "news.html.hbs", 0, 9, "1"),
    ("link-scheme", "news.html.hbs", 0, 10, "1"),
    ("link-scheme", "news.html.hbs", 0, 11, "1"),
    ("link-relative", "news.html.hbs", 0, 12, "1"),
    ("link-scheme", "news.html.hbs", 0, 13, "1"),
    ("html-unsupported", "news.html.hbs", 0, 14, "1"),
    ("html-unsupported", "news.html.hbs", 0, 15, "1"),
    ("html-unsupported", "news.html.hbs", 0, 16, "3"),
    ("link-scheme", "news.html.hbs", 0, 28, "1"),
    ("link-scheme", "news.html.hbs", 0, 30, "1"),
    ("html-unsupported", "news.html.hbs", 0, 31, "1"),
    ("link-scheme", "partials/foot.hbs", 0, 3, "1"),
    ("leftover-braces", "news.json", 0, 0, ""),
    // The list.
    ("columns-unused", "staff.csv", 0, 1, ""),
    ("address", "staff.csv", 121, 122, "email"),
    ("ragged-row", "staff.csv", 122, 123, ""),
    ("duplicate", "staff.csv", 123, 124, "email"),
    ("address-near-miss", "staff.csv", 124, 125, "email"),
    ("empty-cells", "staff.csv", 125, 126, "first_name"),
    ("cannot-render", "staff.csv", 126, 127, "start"),
    ("bad-attachment", "staff.csv", 127, 128, "staff_id"),
    ("file-shared", "staff.csv", 128, 129, "staff_id"),
    ("empty-subject", "staff.csv", 129, 130, ""),
    ("empty-cells", "staff.csv", 129, 130, "headline"),
    ("subject-long", "staff.csv", 130, 131, "headline"),
    ("bad-attachment", "staff.csv", 131, 132, "staff_id"),
    ("bad-address", "staff.csv", 132, 133, "manager"),
    ("too-large", "staff.csv", 134, 135, ""),
    ("large", "staff.csv", 135, 136, ""),
    ("control-character", "staff.csv", 136, 137, "first_name"),
    ("address", "staff.csv", 137, 138, "email"),
    ("address-near-miss", "staff.csv", 138, 139, "email"),
    ("bad-header", "staff.csv", 139, 140, "headline"),
];

fn row(number: u64) -> String {
    let long = "long ".repeat(40);
    let mut cells = [
        format!("p{number}@example.org"),
        format!("P{number}"),
        format!("S{number}"),
        "The news".to_owned(),
        "2026-12-01".to_owned(),
        "yes".to_owned(),
        "boss@fabrikam.net".to_owned(),
        "x".to_owned(),
    ];
    let (at, cell) = match number {
        121 => (0, "bob(at)contoso.com"),
        122 => return "ann@example.org,Ann\n".to_owned(),
        123 => (0, "P1@example.org"),
        124 => (0, "kim@exmaple.org"),
        125 => (1, ""),
        126 => (4, "soon"),
        127 => (2, "S999"),
        128 => (2, "S5"),
        129 => (3, ""),
        130 => (3, long.as_str()),
        131 => (2, "../../outside"),
        132 => (6, "nobody"),
        133 => (5, "no"),
        134 => (2, "BIG"),
        135 => (2, "WIDE"),
        136 => (1, "A\u{7}"),
        137 => (0, "anna@contoso"),
        138 => (0, "lee@gmial.com"),
        139 => (3, "\"The\nnews\""),
        _ => (7, "x"),
    };
    cell.clone_into(&mut cells[at]);
    format!("{}\n", cells.join(","))
}

fn campaign() -> Home {
    let home = Home::new();
    home.write(
        "config/postroom/accounts.toml",
        "[t]\nprovider = \"custom\"\nhost = \"127.0.0.1\"\nusername = \"comms@contoso.com\"\nauth = \"password\"\n\
         max_message_size = 400000\n[t.password]\nenv = \"TEST_PASSWORD\"\n",
    );
    home.write("news/campaign.toml", CAMPAIGN);
    home.write("news/news.html.hbs", HTML);
    home.write("news/news.txt.hbs", TEXT);
    home.write("news/partials/foot.hbs", FOOT);
    home.write(
        "news/news.json",
        r#"{ "greeting": "Dear {{first_name}}", "site": "htps://x.test/" }"#,
    );
    let mut list = "email,first_name,staff_id,headline,start,vip,manager,nickname\n".to_owned();
    for number in 1..=139 {
        write!(list, "{}", row(number)).unwrap();
        if ![121, 122, 136, 137].contains(&number) {
            home.write(&format!("news/slips/S{number}.pdf"), "%PDF");
        }
    }
    home.write("news/staff.csv", list);
    home.write("news/slips/S777.pdf", "%PDF");
    for name in ["S123", "S127", "S128", "S131", "S134", "S135"] {
        std::fs::remove_file(home.path(&format!("news/slips/{name}.pdf"))).unwrap();
    }
    home.write("news/slips/BIG.pdf", vec![b'x'; 300_000]);
    home.write("news/slips/WIDE.pdf", vec![b'x'; 255_000]);
    home.write("news/files/empty.pdf", "");
    home.write("news/images/logo.png", "png");
    home.write("news/images/spare.png", "png");
    home
}

fn is_at(finding: &Value, expected: &Expected) -> bool {
    let (code, file, row, line, column) = *expected;
    let number = |key: &str| finding[key].as_u64().unwrap_or(0);
    finding["code"] == code
        && finding["file"] == file
        && number("row") == row
        && number("line") == line
        && (column.is_empty() || finding["column"] == column)
}

#[test]
fn one_run_finds_all_of_them_each_at_its_place() {
    let home = campaign();
    let said = home.run(&["check", "news", "--json"]).exits(65).json();
    let mut findings = said["findings"].as_array().unwrap().clone();
    for expected in EXPECTED {
        let found = findings
            .iter()
            .position(|finding| is_at(finding, expected))
            .unwrap_or_else(|| panic!("{expected:?} is not among {findings:#?}"));
        let finding = findings.remove(found);
        assert!(!finding["message"].as_str().unwrap().is_empty());
        assert!(!finding["remedy"].as_str().unwrap().is_empty());
        let has_line = finding["line"].is_u64();
        assert_eq!(finding["excerpt"].is_object(), has_line, "{finding:#}");
    }
    assert!(findings.is_empty(), "nobody asked for {findings:#?}");
    assert!(EXPECTED.len() > 40);
}

#[test]
fn they_are_sorted_and_nothing_is_stored() {
    let home = campaign();
    let said = home.run(&["check", "news", "--json"]).exits(65).json();
    assert!(!home.path("state").exists(), "check makes no store");
    let ranks: Vec<usize> = said["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let severity = finding["severity"].as_str().unwrap();
            ["error", "warning", "note"]
                .iter()
                .position(|known| *known == severity)
                .unwrap()
        })
        .collect();
    assert!(ranks.is_sorted(), "{ranks:?}");
    home.run(&["plan", "news"]).exits(65);
    home.run(&["status", "news"]).exits(66);
}

#[test]
fn the_place_is_underlined_and_the_terminal_is_left_alone() {
    let home = campaign();
    let said = home.run(&["check", "news"]).exits(65).out;
    for line in [
        "error[unknown-field]",
        "news.html.hbs:19:1",
        "{{frist_name}}",
        "staff.csv:122 (row 121, column email)",
        "bob(at)contoso.com",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
    let marked = said
        .lines()
        .skip_while(|line| !line.contains("news.html.hbs:19:1"))
        .find(|line| line.contains('━') || line.contains('^'))
        .unwrap();
    let marks = marked.chars().filter(|c| matches!(c, '━' | '^')).count();
    assert_eq!(marks, "{{frist_name}}".len(), "{marked}");
    let odd = |c: char| c.is_control() && c != '\n';
    assert!(!said.contains(odd), "a cell's control character went out");
}

/// Samples and starters are what people begin with: nothing in them is to be mended. The newsletter has people
/// who are listed twice, to show what becomes of them.
#[test]
fn what_we_give_people_to_begin_with_has_nothing_to_mend() {
    for folder in ["samples", "templates"] {
        let entries = std::fs::read_dir(repository().join(folder)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        for path in paths.filter(|path| path.join("campaign.toml").exists()) {
            let home = Home::new();
            let said = home.run(&["check", path.to_str().unwrap(), "--json"]);
            let said = said.exits(0).json();
            let odd =
                |finding: &&Value| finding["severity"] != "note" && finding["code"] != "duplicate";
            let findings = said["findings"].as_array().unwrap();
            let odd: Vec<&Value> = findings.iter().filter(odd).collect();
            assert!(odd.is_empty(), "{}: {odd:#?}", path.display());
        }
    }
}
