//! Few rows, and every case.

use super::*;
use crate::recipients::{Address, Row};
use crate::template::{Source, Sources, TemplateSet};

const COLUMNS: [&str; 4] = ["email", "name", "office", "language"];

/// What is chosen of people with these names, offices and languages, by a template that uses all three.
fn cases(template: &str, people: &[[&str; 3]]) -> Vec<Case> {
    let columns = Columns::new(COLUMNS.map(str::to_owned)).unwrap();
    let sources = Sources {
        subject: Source::new("subject", "News"),
        text: Some(Source::new("news.txt.hbs", template)),
        ..Sources::default()
    };
    let traced = TemplateSet::compile(&sources).unwrap().traced();
    let used = COLUMNS[1..].iter().map(|&name| name.to_owned()).collect();
    let mut cases = Cases::new(traced.branches(), &columns, &used);
    for (number, person) in (1..).zip(people) {
        let cells: Vec<String> = std::iter::once("ann@contoso.com")
            .chain(person.iter().copied())
            .map(str::to_owned)
            .collect();
        let (_, taken) = traced.trace(|set| set.render(columns.data_of(&cells)).unwrap());
        let row = Row {
            number,
            line: number + 1,
            cells,
            quoted: vec![],
        };
        let address = Address::parse("ann@contoso.com").unwrap();
        let content = Content {
            taken,
            ..Content::default()
        };
        cases.note(&Person::of(row, address), &content);
    }
    cases.finish()
}

fn rows(cases: &[Case]) -> Vec<u64> {
    cases.iter().map(|case| case.row).collect()
}

#[test]
fn one_row_is_enough_where_all_are_alike() {
    let people = vec![["Ann", "Oslo", "en"]; 1000];
    let found = cases("Dear {{name}} in {{office}}, {{language}}", &people);
    assert_eq!(rows(&found), [1]);
    assert_eq!(found[0].shows, ["what all have"]);
}

#[test]
fn every_branch_is_taken_by_as_few_rows_as_can_be() {
    let template =
        "{{#if (eq office \"Oslo\")}}O{{else if (eq office \"Rome\")}}R{{/if}}{{#if name}}N{{/if}}";
    let mut people = vec![["Ann", "Oslo", "en"]; 500];
    people.push(["", "Rome", "en"]);
    people.push(["Bob", "Bonn", "en"]);
    people.extend(vec![["Ann", "Oslo", "en"]; 500]);
    let found = cases(template, &people);
    let mut chosen = rows(&found);
    chosen.sort_unstable();
    assert_eq!(chosen, [1, 501, 502]);
    let said: Vec<&String> = found.iter().flat_map(|case| &case.shows).collect();
    for word in [
        "{{#if (eq office \"Oslo\")}} applies",
        "{{#if (eq office \"Oslo\")}} does not apply",
        "{{else if (eq office \"Rome\")}} applies",
        "{{else if (eq office \"Rome\")}} does not apply",
        "{{#if name}} does not apply",
        "an empty value",
    ] {
        assert!(
            said.iter().any(|said| *said == word),
            "{word} is not in {said:?}"
        );
    }
}

#[test]
fn the_longest_values_and_the_emptiest_row_are_among_them() {
    let people = [
        ["Ann", "Oslo", "en"],
        ["Wolfeschlegelsteinhausenbergerdorff", "Bonn", "en"],
        ["Bob", "", ""],
        ["Cy", "Llanfairpwllgwyngyll", "en"],
    ];
    let found = cases("{{name}} {{office}} {{language}}", &people);
    let shows = |row: u64| {
        let case = found.iter().find(|case| case.row == row).unwrap();
        case.shows.join(", ")
    };
    assert!(shows(2).contains("longest name"), "{found:?}");
    assert!(shows(4).contains("longest office"), "{found:?}");
    assert!(shows(3).contains("most empty values (2)"), "{found:?}");
}

#[test]
fn every_script_and_language_is_shown() {
    let people = [
        ["Ann", "Oslo", "en"],
        ["Jürgen", "Köln", "de"],
        ["Анна", "Киев", "uk"],
        ["إيمان", "Cairo", "ar"],
        ["さくら", "Tokyo", "ja"],
        ["Max", "Bonn", "DE"],
    ];
    let found = cases("{{name}} {{office}} {{language}}", &people);
    let said = found
        .iter()
        .flat_map(|case| case.shows.clone())
        .collect::<Vec<_>>()
        .join("; ");
    assert!(found.iter().all(|case| !case.shows.is_empty()));
    for word in [
        "letters with accents",
        "Cyrillic letters",
        "Arabic letters",
        "Hiragana letters",
        "language de",
        "language ja",
    ] {
        assert!(said.contains(word), "{word} is not in {said}");
    }
    assert!(
        !rows(&found).contains(&6),
        "DE is de, and nothing else is new: {found:?}"
    );
}

#[test]
fn a_list_of_many_kinds_stays_in_bounds() {
    let offices: Vec<String> = (0..5000).map(|n| format!("office {n:05}")).collect();
    let people: Vec<[&str; 3]> = offices
        .iter()
        .map(|office| ["Ann", office.as_str(), office.as_str()])
        .collect();
    let found = cases("{{name}}{{#if office}}x{{/if}}", &people);
    assert!(found.len() <= LANGUAGES + 4, "{}", found.len());
}
