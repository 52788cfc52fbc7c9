//! Lists with several rows for a person, and lists of which only some rows are meant.

use mail_parser::{MessageParser, MimeHeaders};
use serde_json::json;

use crate::home::Home;
use crate::server::{Received, Server};

/// Ann has three courses, the one who is refused two, Kim one.
const COURSES: &str = "email,first_name,course,id\nann@contoso.com,Ann,Welding,1\ngone@contoso.com,Gone,Welding,2\n\
     ANN@contoso.com,Ann,Painting,3\nkim@contoso.com,Kim,Painting,4\ngone@contoso.com,Gone,First aid,5\n\
     ann@contoso.com,Ann,First aid,1\n";

fn courses(home: &Home, recipients: &str) {
    home.campaign("t", 0, true);
    home.write("news/staff.csv", COURSES);
    home.write(
        "news/news.txt.hbs",
        "Dear {{first_name}},\n\nyour courses:\n{{#each rows}}- {{course}} ({{../first_name}})\n{{/each}}",
    );
    for id in 1..=5 {
        home.write(&format!("news/slips/{id}.pdf"), format!("slip {id}"));
    }
    let file = home.path("news/campaign.toml");
    let toml = std::fs::read_to_string(&file).unwrap();
    let toml = toml.replace(
        "[recipients]\n",
        &format!("attach = [\"slips/{{{{id}}}}.pdf\"]\n[recipients]\n{recipients}\n"),
    );
    std::fs::write(file, toml).unwrap();
}

/// Text and attachments of the message to this address.
fn mail_to(received: &[Received], address: &str) -> (String, Vec<(String, String)>) {
    let wanted = received
        .iter()
        .find(|message| message.recipients == [address])
        .unwrap();
    let bytes = std::fs::read(&wanted.file).unwrap();
    let mail = MessageParser::default().parse(&bytes).unwrap();
    let attached = mail.attachments().map(|part| {
        let content = String::from_utf8(part.contents().to_vec()).unwrap();
        (part.attachment_name().unwrap().to_owned(), content)
    });
    let text = mail.body_text(0).unwrap().replace("\r\n", "\n");
    (text, attached.collect())
}

#[test]
fn each_person_gets_one_mail_with_all_of_their_rows() {
    let home = Home::new();
    let server = Server::start(&home, &["--refuse", "gone@*"]);
    home.account(&server, "");
    courses(&home, "duplicates = \"group\"");
    let checked = home.run(&["check", "news"]).exits(0).out;
    assert!(
        checked.contains("6 rows: 3 recipients, 3 rows grouped"),
        "{checked}"
    );
    let plan = home.run(&["plan", "news", "--json"]).exits(0).json();
    let counts = json!({
        "listed": 6, "planned": 3, "grouped": 3, "duplicate": 0, "invalid": 0, "suppressed": 0, "filtered": 0,
        "cancelled": 0,
    });
    assert_eq!(
        (&plan["recipients"], &plan["messages"]),
        (&counts, &json!(3))
    );
    let previewed = |row: &str| {
        home.run(&["preview", "news", "--row", row, "--json"])
            .exits(0)
            .json()
    };
    assert_eq!(
        previewed("6"),
        previewed("1"),
        "a further row's mail is its person's"
    );
    home.run(&["rehearse", "news"]).exits(0);
    home.run(&["send", "news", "--yes"]).exits(1);
    let received = server.received();
    assert_eq!(received.len(), 2);
    let (text, attached) = mail_to(&received, "ann@contoso.com");
    assert_eq!(
        text.trim_end(),
        "Dear Ann,\n\nyour courses:\n- Welding (Ann)\n- Painting (Ann)\n- First aid (Ann)"
    );
    let slip = |id: u8| (format!("{id}.pdf"), format!("slip {id}"));
    assert_eq!(attached, [slip(1), slip(3)], "each file once");
    let (text, attached) = mail_to(&received, "kim@contoso.com");
    assert!(
        text.contains("- Painting (Kim)") && !text.contains("Welding"),
        "{text}"
    );
    assert_eq!(attached, [slip(4)]);
}

#[test]
fn the_report_has_what_became_of_the_person_in_each_of_their_rows() {
    let home = Home::new();
    let server = Server::start(&home, &["--refuse", "gone@*"]);
    home.account(&server, "");
    courses(&home, "duplicates = \"group\"");
    home.run(&["send", "news", "--yes"]).exits(1);
    let report = home
        .run(&["report", "news", "--format", "json"])
        .exits(0)
        .out;
    let rows: Vec<serde_json::Value> = serde_json::from_str(&report).unwrap();
    let found: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["row"].as_u64().unwrap(),
                row["email"].as_str().unwrap(),
                row["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (1, "ann@contoso.com", "sent"),
            (2, "gone@contoso.com", "refused"),
            (3, "ANN@contoso.com", "sent"),
            (4, "kim@contoso.com", "sent"),
            (5, "gone@contoso.com", "refused"),
            (6, "ann@contoso.com", "sent"),
        ]
    );
    for (further, first) in [(2, 0), (5, 0), (4, 1)] {
        for key in [
            "outcome",
            "sent_at",
            "account",
            "batch",
            "message_id",
            "attempts",
            "reply",
        ] {
            assert_eq!(
                rows[further][key],
                rows[first][key],
                "{key} of row {}",
                further + 1
            );
        }
    }
    assert!(rows[2]["sent_at"].is_string() && rows[4]["reply"].is_string());
    let recipients = home.status()["recipients"].clone();
    assert_eq!(
        (&recipients["total"], &recipients["sent"]),
        (&json!(3), &json!(2)),
        "people"
    );
}

#[test]
fn only_those_whom_the_filter_means_get_a_mail() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    courses(
        &home,
        "duplicates = \"group\"\nwhere = \"course in ('welding', 'painting') and id > 1\"",
    );
    let list = format!("{COURSES}nobody,Nobody,Cooking,6\n,Late,Welding,n/a\n");
    home.write("news/staff.csv", list);
    let checked = home.run(&["check", "news", "--json"]).exits(0).json();
    let warnings: Vec<_> = checked["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| &found["code"])
        .collect();
    assert_eq!(warnings, ["filter-not-a-number"]);
    assert_eq!(checked["findings"][0]["row"], 8);
    assert_eq!(checked["recipients"]["filtered"], 5);
    home.run(&["send", "news", "--yes"]).exits(0);
    let (text, attached) = mail_to(&server.received(), "ANN@contoso.com");
    assert!(
        text.contains("- Painting (Ann)\n") && !text.contains("Welding"),
        "{text}"
    );
    assert_eq!(attached.len(), 1);
    let outcomes: Vec<String> = home
        .outcomes()
        .into_iter()
        .map(|(_, outcome)| outcome)
        .collect();
    let expected = [
        "filtered", "sent", "sent", "sent", "filtered", "filtered", "filtered", "filtered",
    ];
    assert_eq!(outcomes, expected);
    home.run(&["preview", "news", "--row", "1"]).exits(66);
}

#[test]
fn a_filter_that_is_none_or_leaves_nobody_is_refused() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    courses(
        &home,
        "where = \"course == Welding\"\nduplicates = \"group\"",
    );
    let said = home.run(&["check", "news"]).exits(78).err;
    assert!(
        said.contains("character 11") && said.contains("'Welding'"),
        "{said}"
    );
    for (filter, code) in [
        ("course == 'Dancing'", "filter-excludes-all"),
        ("curse == 'Welding'", "unknown-field"),
    ] {
        courses(
            &home,
            &format!("where = \"{filter}\"\nduplicates = \"group\""),
        );
        let checked = home.run(&["check", "news", "--json"]).exits(65).json();
        let found = &checked["findings"][0];
        assert_eq!(
            (&found["code"], &found["file"]),
            (&json!(code), &json!("campaign.toml"))
        );
        home.run(&["send", "news", "--yes"]).exits(65);
    }
    assert!(server.received().is_empty());
}

#[test]
fn internal_domains_count_as_such_and_subdomains_do_not() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(
        &server,
        "limits = [{ max = 2, per = \"24h\", unit = \"external-recipients\" }]",
    );
    let batches = |internal: &str| {
        home.campaign("t", 0, true);
        home.write(
            "news/staff.csv",
            "email,first_name\na@contoso.com,A\nb@FABRIKAM.example,B\nc@fabrikam.example,C\n\
             d@mail.fabrikam.example,D\ne@elsewhere.example,E\nf@elsewhere.example,F\n",
        );
        let file = home.path("news/campaign.toml");
        let toml = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{toml}{internal}\n")).unwrap();
        home.run(&["check", "news"]).exits(0);
        let plan = home.run(&["plan", "news", "--json"]).exits(0).json();
        home.run(&["plan", "news", "--discard", "--yes"]).exits(0);
        plan["batches"].as_array().unwrap().len()
    };
    // Of six people one, three or all are internal: the others take three days, two days or none.
    assert_eq!(batches(""), 3, "the From domain alone");
    assert_eq!(
        batches("internal = [\"contoso.com\", \"fabrikam.example\"]"),
        2
    );
    let all = "internal = [\"contoso.com\", \"fabrikam.example\", \"mail.fabrikam.example\", \"elsewhere.example\"]";
    assert_eq!(batches(all), 1);
}

#[test]
fn a_test_of_a_further_row_is_the_mail_that_the_person_gets() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    courses(&home, "duplicates = \"group\"");
    home.run(&["test", "news", "--to", "me@contoso.com", "--row", "3"])
        .exits(0);
    let (text, attached) = mail_to(&server.received(), "me@contoso.com");
    assert!(
        text.contains("- Welding") && text.contains("- Painting"),
        "{text}"
    );
    assert!(attached.len() > 1, "{attached:?}");
}
