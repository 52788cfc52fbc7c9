//! Previews of planned and unplanned campaigns.

use jiff::Timestamp;

use super::*;
use crate::plan::{AccountLimits, Frozen, Inputs, Mode, plan};
use crate::store::Store;

fn inputs(folder: &std::path::Path) -> Inputs {
    std::fs::write(
        folder.join("list.csv"),
        "email,name\nann@contoso.com,<Ann>\nbob@contoso.com,Bob\nkim@contoso.com,Bob\n",
    )
    .unwrap();
    std::fs::write(folder.join("mail.txt.hbs"), "Dear {{name}},\nhello\n").unwrap();
    Inputs {
        folder: folder.to_owned(),
        name: "news".to_owned(),
        accounts: vec![AccountLimits {
            name: "comms".to_owned(),
            mailbox: "comms".to_owned(),
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
        subject: "For {{name}}".to_owned(),
        html: None,
        text: Some("mail.txt.hbs".into()),
        data: None,
        attach: vec![],
        inline: vec![],
        headers: vec![],
        list_unsubscribe: None,
        unsubscribe_mailto: None,
        unsubscribe_url: None,
        suppressed: crate::recipients::SuppressedPeople::default(),
        inline_css: true,
        list: "list.csv".into(),
        address_column: None,
        filter: None,
        grouped: false,
        reading: crate::recipients::ListOptions::default(),
        internal: vec![],
        mode: Mode::Auto,
        schedule: crate::limits::Schedule::default(),
        time_zone: None,
    }
}

fn now() -> Timestamp {
    "2026-12-01T08:00:00Z".parse().unwrap()
}

#[test]
fn a_preview_before_and_after_planning_differs_in_the_message_id_alone() {
    let home = tempfile::tempdir().unwrap();
    let inputs = inputs(home.path());
    let Unplanned::Ready(before, _) = Previewer::of_folder(&inputs, now(), &mut |_| {}).unwrap()
    else {
        panic!("defective");
    };
    let path = home.path().join("store.db");
    let store = Store::open(&path).unwrap();
    assert!(matches!(
        plan(&inputs, &store, now(), &mut |_| {}),
        Ok(Frozen::Planned(..))
    ));
    let record = store.campaign("news").unwrap().unwrap();
    let after = Previewer::of_plan(&path, record).unwrap();
    assert_eq!((before.count().unwrap(), after.count().unwrap()), (2, 2));
    let (before, after) = (
        before.mail(2).unwrap().unwrap(),
        after.mail(2).unwrap().unwrap(),
    );
    assert_eq!(after.recipients, ["bob@contoso.com", "kim@contoso.com"]);
    assert_eq!(
        (after.to.as_str(), after.subject.as_str()),
        ("comms@contoso.com", "For Bob")
    );
    assert_eq!(after.text, "Dear Bob,\nhello\n");
    let text = |mail: &Mail| String::from_utf8(mail.content.clone()).unwrap();
    assert_eq!(
        text(&before).replace(&before.message_id, ""),
        text(&after).replace(&after.message_id, "")
    );
}

#[test]
fn a_folder_of_mails_has_the_same_bytes_and_a_safe_page() {
    let home = tempfile::tempdir().unwrap();
    let inputs = inputs(home.path());
    let Unplanned::Ready(previewer, _) = Previewer::of_folder(&inputs, now(), &mut |_| {}).unwrap()
    else {
        panic!("defective");
    };
    let folder = home.path().join("out");
    let exported = export(&previewer, None, &[], Kind::Mails, &folder, &mut |_, _| {}).unwrap();
    assert_eq!(exported.mails, 2);
    let first = std::fs::read(folder.join("0001.eml")).unwrap();
    assert_eq!(first, previewer.mail(1).unwrap().unwrap().content);
    let page = std::fs::read_to_string(exported.index).unwrap();
    assert!(
        page.contains("For &lt;Ann&gt;") && !page.contains("<Ann>"),
        "{page}"
    );
    assert!(matches!(
        export(&previewer, None, &[], Kind::Mails, &folder, &mut |_, _| {}),
        Err(Error::NotEmpty(_))
    ));
}

#[test]
fn on_the_page_of_a_folder_the_cases_come_first() {
    let home = tempfile::tempdir().unwrap();
    let inputs = inputs(home.path());
    let Unplanned::Ready(previewer, _) = Previewer::of_folder(&inputs, now(), &mut |_| {}).unwrap()
    else {
        panic!("defective");
    };
    let case = |row| crate::plan::Case {
        row,
        shows: vec!["<b>the longest subject".to_owned()],
    };
    let folder = home.path().join("out");
    let cases = [case(3), case(99)];
    let exported = export(
        &previewer,
        None,
        &cases,
        Kind::Mails,
        &folder,
        &mut |_, _| {},
    )
    .unwrap();
    let page = std::fs::read_to_string(exported.index).unwrap();
    let first = page.find("<a href=\"0002.eml\">Row 3</a>").unwrap();
    assert!(first < page.find("<table>").unwrap(), "{page}");
    assert!(page.contains("&lt;b&gt;the longest subject") && !page.contains("Row 99"));
}

#[test]
fn rows_and_addresses_lead_to_their_message() {
    let home = tempfile::tempdir().unwrap();
    let Unplanned::Ready(previewer, _) =
        Previewer::of_folder(&inputs(home.path()), now(), &mut |_| {}).unwrap()
    else {
        panic!("defective");
    };
    assert_eq!(previewer.number_of_row(3).unwrap(), Some(2));
    assert_eq!(previewer.number_of_row(4).unwrap(), None);
    assert_eq!(
        previewer.number_of_address("Kim@Contoso.com").unwrap(),
        Some(2)
    );
}
