//! Every sample and starter runs as it is.

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
    assert!(names.contains(&"newsletter".to_owned()));
    for name in names {
        let home = Home::new();
        home.run(&["new", "mine", "--starter", &name]).exits(0);
        home.run(&["check", "mine"]).exits(0);
        home.run(&["rehearse", "mine"]).exits(0);
        home.run(&["new", "mine", "--starter", &name]).exits(73);
    }
    let home = Home::new();
    let unknown = home
        .run(&["new", "mine", "--starter", "newsleter"])
        .exits(2);
    assert!(unknown.err.contains("newsletter"), "{}", unknown.err);
}
