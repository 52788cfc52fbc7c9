//! Every sample and starter runs as it is.

use mail_parser::MessageParser;

use crate::home::{Home, repository};

fn folders(of: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(repository().join(of))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn every_sample_is_sound_and_can_be_rehearsed() {
    let names = folders("samples");
    assert!(names.len() >= 2);
    for name in names {
        let home = Home::new();
        let folder = repository().join("samples").join(&name);
        let folder = folder.to_str().unwrap();
        let found = home.run(&["check", folder, "--json"]).exits(0).json();
        if found["recipients"]["planned"].as_u64().unwrap() > 10_000 {
            // Tens of thousands take too long without optimisation.
            continue;
        }
        let rehearsed = home.run(&["rehearse", folder, "--json"]).exits(0).json();
        assert_eq!(rehearsed["breaches"].as_array().unwrap().len(), 0);
        let planned = found["recipients"]["planned"].as_u64().unwrap();
        let received = rehearsed["received"]["recipients"].as_u64().unwrap();
        assert_eq!(
            received + rehearsed["refused"].as_u64().unwrap(),
            planned,
            "{name}"
        );
    }
}

#[test]
fn the_staff_newsletter_is_partly_personal() {
    let home = Home::new();
    let folder = repository().join("samples/staff-newsletter");
    let folder = folder.to_str().unwrap();
    let plan = home.run(&["plan", folder, "--json"]).exits(0).json();
    assert_eq!(plan["recipients"]["listed"], 1203);
    assert_eq!(plan["recipients"]["duplicate"], 3);
    assert_eq!(plan["recipients"]["planned"], 1200);
    // Who is outside shares no message with the others: a rule counts them.
    assert_eq!(plan["messages"], 310);
    let text = home.run(&["rehearse", folder]).exits(0).out;
    for word in ["messages", "recipients", "refused", "days", "Maildir"] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn every_starter_can_be_begun_with_and_is_never_written_over_anything() {
    let names = folders("templates");
    for name in [
        "announcement",
        "documents",
        "invitation",
        "letter",
        "newsletter",
    ] {
        assert!(names.contains(&name.to_owned()), "{name}");
    }
    for name in names {
        let home = Home::new();
        home.run(&["new", "mine", "--starter", &name]).exits(0);
        let found = home.run(&["check", "mine", "--json"]).exits(0).json();
        assert_eq!(
            found["findings"].as_array().unwrap().len(),
            0,
            "{name}: {found}"
        );
        assert_eq!(found["recipients"]["planned"], 3, "{name}");
        home.run(&["rehearse", "mine"]).exits(0);
        home.run(&["new", "mine", "--starter", &name]).exits(73);
    }
    let home = Home::new();
    let unknown = home
        .run(&["new", "mine", "--starter", "newsleter"])
        .exits(2);
    assert!(unknown.err.contains("newsletter"), "{}", unknown.err);
}

/// What every HTML part of a starter has, whatever it is written in.
#[test]
fn every_starter_reads_well_on_phones_in_the_dark_and_aloud() {
    for name in ["announcement", "documents", "invitation", "newsletter"] {
        let home = Home::new();
        home.run(&["new", "mine", "--starter", name]).exits(0);
        home.run(&["preview", "mine", "--row", "1", "--out", "out"])
            .exits(0);
        let mut mails = std::fs::read_dir(home.path("out"))
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mail = mails
            .find(|path| path.extension().is_some_and(|kind| kind == "eml"))
            .unwrap();
        let bytes = std::fs::read(mail).unwrap();
        let html = MessageParser::default()
            .parse(&bytes)
            .unwrap()
            .body_html(0)
            .unwrap()
            .into_owned();
        for part in [
            "lang=\"en\"",
            "name=\"viewport\"",
            "content=\"light dark\"",
            "@media (prefers-color-scheme: dark)",
            "!important",
            "role=\"presentation\"",
            "[if mso",
        ] {
            assert!(html.contains(part), "{name}: {part}\n{html}");
        }
        for tag in html.split("<img").skip(1) {
            assert!(
                tag.split('>').next().unwrap().contains("alt=\""),
                "{name}: {tag}"
            );
        }
    }
}
