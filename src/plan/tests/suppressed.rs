//! People who are never written to, and ways to ask for that.

use super::*;
use crate::recipients::{Subject, SuppressedPeople};

fn without(folder: &Folder, who: &[&str]) -> Inputs {
    let keys = who.iter().map(|text| Subject::parse(text).unwrap().key());
    Inputs {
        suppressed: SuppressedPeople::of(keys),
        ..folder.inputs()
    }
}

fn outcomes(store: &Store, id: i64) -> Vec<String> {
    let mut outcomes = Vec::new();
    let done: Result<(), crate::store::Error> = store.report(id, |row| {
        outcomes.push(row.outcome);
        Ok(())
    });
    done.unwrap();
    outcomes
}

#[test]
fn who_is_suppressed_is_counted_and_gets_no_message() {
    let folder = Folder::new(
        "email,office\nann@x.org,Berlin\nBob@Partner.example,Berlin\nANN@x.org,Rome\nkim@x.org,Berlin\n",
    );
    let inputs = without(&folder, &["ANN@x.org", "@partner.example"]);
    let store = folder.store();
    let Frozen::Planned(id, checked) = plan(&inputs, &store, now(), &mut |_| {}).unwrap() else {
        panic!("not planned");
    };
    assert_eq!(codes(&checked), ["duplicate"]);
    let rows = &checked.rows;
    assert_eq!(
        (rows.listed, rows.planned, rows.suppressed, rows.duplicate),
        (4, 1, 2, 1)
    );
    assert_eq!((checked.messages, checked.shared_messages), (1, 0));
    let record = store.campaign("news").unwrap().unwrap();
    assert_eq!(store.row_counts(&record).unwrap(), checked.rows);
    assert_eq!(
        outcomes(&store, id),
        ["suppressed", "suppressed", "duplicate", "pending"]
    );
    assert_eq!(store.recipient_counts(id).unwrap().total(), 3);
}

#[test]
fn nothing_of_theirs_is_rendered_or_blamed() {
    let folder = Folder::new("email,office,amount\nann@x.org,Berlin,many\nkim@x.org,Berlin,2\n");
    folder.write("news.html.hbs", "<p>{{number amount}}</p>");
    assert!(!checked(&folder.inputs()).is_sound());
    assert!(checked(&without(&folder, &["ann@x.org"])).is_sound());
}

#[test]
fn all_rows_of_a_person_are_suppressed() {
    let folder = Folder::new("email,office\nann@x.org,Berlin\nkim@x.org,Rome\nann@x.org,Paris\n");
    folder.write("news.html.hbs", "<p>{{#each rows}}{{office}}{{/each}}</p>");
    let inputs = Inputs {
        grouped: true,
        ..without(&folder, &["ann@x.org"])
    };
    let store = folder.store();
    let Frozen::Planned(id, checked) = plan(&inputs, &store, now(), &mut |_| {}).unwrap() else {
        panic!("not planned");
    };
    let rows = &checked.rows;
    assert_eq!((rows.planned, rows.suppressed, rows.grouped), (1, 1, 1));
    assert_eq!(
        outcomes(&store, id),
        ["suppressed", "pending", "suppressed"]
    );
}

#[test]
fn with_nobody_left_there_is_nothing_to_plan() {
    let folder = Folder::new("email,office\nann@x.org,Berlin\nkim@x.org,Rome\n");
    let found = checked(&without(&folder, &["@x.org"]));
    assert_eq!(codes(&found), ["all-suppressed"]);
    assert!(!found.is_sound());
}

#[test]
fn copies_to_somebody_on_the_list_are_errors_that_name_the_key() {
    let folder =
        Folder::new("email,office,boss\nann@x.org,Berlin,kim@x.org\nbob@x.org,Rome,tom@x.org\n");
    folder.write("campaign.toml", "[message]\nbcc = [\"{{boss}}\"]\n");
    let inputs = Inputs {
        bcc: vec!["{{boss}}".to_owned()],
        ..without(&folder, &["kim@x.org"])
    };
    let found = checked(&inputs);
    assert_eq!(codes(&found), ["suppressed-copy"]);
    let finding = &found.findings[0];
    assert_eq!(
        (finding.file.as_path(), finding.line),
        (Path::new("campaign.toml"), Some(2))
    );
    assert!(finding.message.contains("kim@x.org"), "{finding:?}");
    // The boss who is not on the list has the mail's copy.
    let other = Inputs {
        bcc: vec!["{{boss}}".to_owned()],
        ..without(&folder, &["zoe@x.org"])
    };
    assert!(checked(&other).is_sound());
    let to = Inputs {
        to: Some("kim@x.org".to_owned()),
        ..without(&folder, &["kim@x.org"])
    };
    assert_eq!(codes(&checked(&to)), ["suppressed-copy"]);
}

#[test]
fn unsubscribing_takes_one_click_where_the_address_tells_who_asks() {
    let folder = Folder::new("email,office\nann@x.org,Berlin\nkim+a@x.org,Berlin\n");
    let of = |url: &str| Inputs {
        unsubscribe_mailto: Some("leave@x.org".to_owned()),
        unsubscribe_url: Some(url.to_owned()),
        ..folder.inputs()
    };
    let personal = checked(&of("https://x.org/leave?who={{urlencode email}}"));
    assert_eq!(codes(&personal), [""; 0]);
    assert_eq!(personal.messages, 2, "each has an address of their own");
    let general = checked(&of("https://x.org/leave"));
    assert_eq!(codes(&general), ["unsubscribe-not-personal"]);
    assert!(general.is_sound());
    assert_eq!(general.messages, 1);
    // What comes of it is looked at row by row.
    let broken = checked(&of("https://x.org/leave/{{office}} {{email}}"));
    assert_eq!(codes(&broken), ["bad-header", "bad-header"]);
    assert_eq!(broken.findings[0].row, Some(1));
    let unknown = checked(&of("https://x.org/leave/{{ofice}}"));
    assert!(codes(&unknown).contains(&"unknown-field"), "{unknown:?}");
}
