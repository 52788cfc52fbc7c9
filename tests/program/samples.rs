//! Every sample and starter runs as it is.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use jiff::Timestamp;
use mail_parser::MessageParser;
use postroom::config::{Accounts, Campaign, Sender};
use postroom::plan::{self, Inputs};
use postroom::recipients::{Cells, Item};
use postroom::template::{Arm, Branch};

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
        let findings = found["findings"].as_array().unwrap().iter();
        let to_mend = findings.filter(|finding| finding["severity"] != "note");
        assert_eq!(to_mend.count(), 0, "{name}: {found}");
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

/// The rows that are shown first take every way through the sample's branches that any of its rows takes, and
/// nothing that hangs on the list is left out: seen by rendering each of them by itself.
#[test]
fn the_cases_of_every_sample_and_starter_cover_its_branches() {
    let samples = folders("samples").into_iter().map(|name| ("samples", name));
    let starters = folders("templates")
        .into_iter()
        .map(|name| ("templates", name));
    for (place, name) in samples.chain(starters) {
        let folder = repository().join(place).join(&name);
        let inputs = inputs(&folder);
        let checked =
            plan::check(&inputs, Timestamp::UNIX_EPOCH, &mut |_| {}, &mut |_| {}).unwrap();
        let (ready, findings) = plan::open(&inputs);
        assert!(findings.is_empty(), "{name}: {findings:?}");
        let mut ready = ready.unwrap();
        let renderer = ready.renderer.take().unwrap();
        let traced = renderer.templates().traced();
        let chosen: HashSet<u64> = checked.cases.iter().map(|case| case.row).collect();
        let (mut of_all, mut of_chosen) = (BTreeSet::new(), BTreeSet::new());
        for item in ready.list.by_ref() {
            let Item::Row(row, _) = item.unwrap() else {
                continue;
            };
            let (_, taken) = renderer
                .traced_page(&traced, &Cells::Row(&row.cells))
                .unwrap();
            of_all.extend(taken.iter().copied());
            if chosen.contains(&row.number) {
                of_chosen.extend(taken);
            }
        }
        assert_eq!(of_chosen, of_all, "{name}");
        assert!(
            chosen.len() <= 20,
            "{name}: {} rows are not few",
            chosen.len()
        );
        // A condition that asks a column holds for somebody, and for somebody else it does not.
        for (number, branch) in traced.branches().iter().enumerate() {
            let columns = &renderer.definition().columns;
            let words: Vec<&str> = words_of(branch).filter(|word| *word != "else").collect();
            let asks_the_list = matches!(words.first(), Some(&("if" | "unless")))
                && words.iter().any(|word| columns.index_of(word).is_some());
            for entered in [true, false] {
                let arm = Arm {
                    branch: number,
                    entered,
                };
                assert!(
                    !asks_the_list || of_chosen.contains(&arm),
                    "{name}: nobody shows {} {entered}",
                    branch.tag
                );
            }
        }
    }
}

/// The words of a branch's tag.
fn words_of(branch: &Branch) -> impl Iterator<Item = &str> {
    branch
        .tag
        .split([' ', '{', '}', '(', ')', '#'])
        .filter(|word| !word.is_empty())
}

fn inputs(folder: &Path) -> Inputs {
    let campaign = Campaign::load(folder).unwrap();
    let nowhere = tempfile::tempdir().unwrap();
    let accounts = Accounts::load(&nowhere.path().join("accounts.toml")).unwrap();
    let senders: Vec<Sender> = (campaign.accounts.iter())
        .map(|name| Sender::of(accounts.get(name).unwrap()).unwrap())
        .collect();
    campaign.inputs(&senders)
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
