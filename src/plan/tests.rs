//! Campaign folders in, findings and frozen plans out.

use std::fmt::Write as _;
use std::path::Path;

use super::*;
use crate::limits::{Calendar, Rule, Unit, Weight};
use crate::store::Store;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::time::Duration;

mod filtering;
mod findings;
mod grouping;
mod suppressed;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(list: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("staff.csv", list);
        folder.write("news.html.hbs", "<p>{{office}}</p>");
        folder
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn inputs(&self) -> Inputs {
        Inputs {
            folder: self.0.path().to_owned(),
            name: "news".to_owned(),
            accounts: vec![AccountLimits {
                name: "comms".to_owned(),
                mailbox: "comms@contoso.com".to_owned(),
                from: None,
                rules: vec![],
                max_recipients_per_message: 500,
                max_message_size: None,
            }],
            from: "comms@contoso.com".to_owned(),
            to: None,
            reply_to: None,
            cc: vec![],
            bcc: vec![],
            subject: "News".to_owned(),
            html: Some("news.html.hbs".into()),
            text: None,
            data: None,
            attach: vec![],
            inline: vec![],
            headers: vec![],
            list_unsubscribe: None,
            unsubscribe_mailto: None,
            unsubscribe_url: None,
            suppressed: crate::recipients::SuppressedPeople::default(),
            inline_css: true,
            list: "staff.csv".into(),
            address_column: None,
            filter: None,
            grouped: false,
            reading: crate::recipients::ListOptions::default(),
            internal: vec![],
            mode: Mode::Auto,
            schedule: crate::limits::Schedule::default(),
            time_zone: Some(TimeZone::UTC),
        }
    }

    fn store(&self) -> Store {
        Store::open(&self.0.path().join("store.db")).unwrap()
    }
}

fn now() -> Timestamp {
    "2026-12-01T08:00:00Z".parse().unwrap()
}

fn checked(inputs: &Inputs) -> Checked {
    check(inputs, now(), &mut |_| {}, &mut |_| {}).unwrap()
}

/// What is to be mended or looked at.
fn codes(checked: &Checked) -> Vec<&'static str> {
    let all = checked.findings.iter();
    all.filter(|finding| finding.severity != Severity::Note)
        .map(|finding| finding.code)
        .collect()
}

fn staff(rows: usize, offices: usize) -> String {
    let mut list = "email,First Name,office\n".to_owned();
    for row in 1..=rows {
        writeln!(list, "p{row}@contoso.com,P{row},O{}", row % offices).unwrap();
    }
    list
}

#[test]
fn equal_content_shares_messages_and_nothing_else_does() {
    let folder = Folder::new(&staff(1200, 2));
    let store = folder.store();
    let Frozen::Planned(id, checked) = plan(&folder.inputs(), &store, now(), &mut |_| {}).unwrap()
    else {
        panic!("not planned");
    };
    assert_eq!(
        (checked.messages, checked.shared_messages),
        (4, 4),
        "600 of each office, 500 a message"
    );
    assert_eq!(checked.rows.planned, 1200);
    let record = store.campaign("news").unwrap().unwrap();
    assert_eq!(record.id, id);
    assert!(!checked.cases.is_empty());
    assert_eq!(planned_cases(&store, &record).unwrap(), checked.cases);
    assert_eq!(store.recipient_counts(id).unwrap().pending, 1200);
    let sizes: Vec<usize> = (1..=4)
        .map(|number| store.message(id, number).unwrap().unwrap().recipients.len())
        .collect();
    assert_eq!(sizes, [500, 500, 100, 100]);
    let mut inputs = folder.inputs();
    inputs.mode = Mode::Individual;
    assert_eq!(
        check(&inputs, now(), &mut |_| {}, &mut |_| {})
            .unwrap()
            .messages,
        1200
    );
}

#[test]
fn check_and_plan_say_the_same_and_an_error_leaves_the_store_as_it_was() {
    let folder = Folder::new(
        "email,office\nann@contoso.com,x\nnot an address,y\nANN@contoso.com,z\nbob@contoso.com\n",
    );
    let store = folder.store();
    let found = checked(&folder.inputs());
    let Frozen::Defective(planned) = plan(&folder.inputs(), &store, now(), &mut |_| {}).unwrap()
    else {
        panic!("planned in spite of errors");
    };
    assert_eq!(found, planned);
    assert_eq!(codes(&found), ["address", "ragged-row", "duplicate"]);
    let first = &found.findings[0];
    assert_eq!(
        (first.row, first.column.as_deref()),
        (Some(2), Some("email"))
    );
    assert_eq!(first.file, Path::new("staff.csv"));
    assert!(!first.remedy.is_empty());
    assert_eq!(
        (
            found.rows.listed,
            found.rows.planned,
            found.rows.duplicate,
            found.rows.invalid
        ),
        (4, 1, 1, 2)
    );
    assert!(store.campaign("news").unwrap().is_none());
    assert_eq!(store.campaign_names().unwrap().len(), 0);
}

#[test]
fn everything_wrong_is_said_at_once() {
    let folder = Folder::new("email,office\nann@contoso.com,x\nnobody,y\n");
    folder.write(
        "news.html.hbs",
        "<p>{{ofice}}</p>\n{{#if later}}{{> foot}}{{/if}}",
    );
    let mut inputs = folder.inputs();
    inputs.attach = vec!["agenda.pdf".to_owned()];
    inputs.inline = vec![("logo".to_owned(), "logo.png".into())];
    let found = checked(&inputs);
    let mut all = codes(&found);
    all.sort_unstable();
    assert_eq!(
        all,
        [
            "address",
            "missing-file",
            "missing-file",
            "unknown-field",
            "unknown-field",
            "unknown-partial"
        ]
    );
    let unknown = found
        .findings
        .iter()
        .find(|finding| finding.message.contains("ofice"))
        .unwrap();
    assert_eq!(unknown.file, Path::new("news.html.hbs"));
    assert_eq!(unknown.line, Some(1));
    assert!(unknown.remedy.contains("office"), "{}", unknown.remedy);
}

#[test]
fn a_missing_or_empty_list_is_an_error() {
    for (list, code) in [("", "list-empty"), ("email,office\n", "list-without-rows")] {
        assert_eq!(codes(&checked(&Folder::new(list).inputs())), [code]);
    }
    let folder = Folder::new(&staff(1, 1));
    let mut inputs = folder.inputs();
    inputs.list = "none.csv".into();
    assert_eq!(codes(&checked(&inputs)), ["missing-file"]);
}

#[test]
fn each_row_is_rendered_and_its_attachment_opened() {
    let folder = Folder::new(&staff(3, 3));
    folder.write("files/O1.pdf", "one");
    folder.write("files/O2.pdf", "two");
    let mut inputs = folder.inputs();
    inputs.attach = vec!["files/{{office}}.pdf".to_owned()];
    let found = checked(&inputs);
    assert_eq!(codes(&found), ["bad-attachment"]);
    assert_eq!(found.findings[0].row, Some(3));
    folder.write("files/O0.pdf", "null");
    let store = folder.store();
    let Frozen::Planned(id, _) = plan(&inputs, &store, now(), &mut |_| {}).unwrap() else {
        panic!("not planned");
    };
    assert_eq!(
        store.frozen_file(id, 1, "files/O0.pdf").unwrap().unwrap(),
        b"null"
    );
}

#[test]
fn shared_mode_names_the_field_that_differs() {
    let folder = Folder::new(&staff(3, 2));
    let mut inputs = folder.inputs();
    inputs.mode = Mode::Shared;
    let found = checked(&inputs);
    assert_eq!(codes(&found), ["content-differs"]);
    assert!(
        found.findings[0].message.contains("office"),
        "{}",
        found.findings[0].message
    );
    folder.write("news.html.hbs", "<p>all the same</p>");
    assert!(checked(&inputs).is_sound());
}

#[test]
fn a_message_over_the_providers_size_is_found_before_sending() {
    let folder = Folder::new(&staff(2, 1));
    folder.write("big.bin", &"x".repeat(200_000));
    let mut inputs = folder.inputs();
    inputs.attach = vec!["big.bin".to_owned()];
    inputs.accounts[0].max_message_size = Some(200_000);
    let found = checked(&inputs);
    assert_eq!(
        codes(&found)[0],
        "too-large",
        "base64 makes it larger than the cap"
    );
}

#[test]
fn batches_are_days_and_follow_the_rules() {
    let folder = Folder::new(&staff(25, 25));
    let mut inputs = folder.inputs();
    inputs.accounts[0].rules = vec![Rule {
        max: 10,
        per: Duration::from_hours(24),
        unit: Unit::Recipients,
    }];
    let store = folder.store();
    let Frozen::Planned(id, _) = plan(&inputs, &store, now(), &mut |_| {}).unwrap() else {
        panic!("not planned");
    };
    let batches = store.batches(id).unwrap();
    let shares: Vec<(u64, &str)> = batches
        .iter()
        .map(|batch| (batch.recipients, batch.date.as_str()))
        .collect();
    assert_eq!(
        shares,
        [(10, "2026-12-01"), (10, "2026-12-02"), (5, "2026-12-03")]
    );
    let record = store.campaign("news").unwrap().unwrap();
    assert_eq!(record.finishes_at, Some(batches[2].ends_at));
}

#[test]
fn an_edit_after_planning_is_noticed() {
    let folder = Folder::new(&staff(3, 1));
    let store = folder.store();
    plan(&folder.inputs(), &store, now(), &mut |_| {}).unwrap();
    let record = store.campaign("news").unwrap().unwrap();
    assert!(!is_edited(&folder.inputs(), &record.fingerprint));
    folder.write("news.html.hbs", "<p>{{office}}!</p>");
    assert!(is_edited(&folder.inputs(), &record.fingerprint));
}

#[test]
fn both_extremes_are_told() {
    let folder = Folder::new(&staff(1, 1));
    let mut accounts = folder.inputs().accounts;
    accounts[0].rules = vec![Rule {
        max: 30,
        per: Duration::from_mins(1),
        unit: Unit::Messages,
    }];
    let store = folder.store();
    let outlook = Outlook::of(&store, &accounts, Calendar::always(), now()).unwrap();
    accounts[0].max_recipients_per_message = 500;
    let people = People {
        listed: 10_000,
        external: 0,
        copies: Weight::default(),
    };
    let [shared, individual] = alternatives(&people, &accounts, &outlook);
    assert_eq!((shared.messages, individual.messages), (20, 10_000));
    assert_eq!(shared.finishes_at, Some(now()));
    let hours = individual
        .finishes_at
        .unwrap()
        .duration_since(now())
        .as_secs()
        / 60;
    assert_eq!(hours, 333, "minutes");
}
