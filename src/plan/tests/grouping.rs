//! `duplicates = "group"`: all rows of a person in one message.

use super::*;
use crate::store::ReportRow;
use proptest::prelude::*;

fn grouped(folder: &Folder) -> Inputs {
    Inputs {
        grouped: true,
        ..folder.inputs()
    }
}

fn planned(inputs: &Inputs, store: &Store) -> (i64, Checked) {
    match plan(inputs, store, now(), &mut |_| {}).unwrap() {
        Frozen::Planned(id, checked) => (id, checked),
        Frozen::Defective(checked) => panic!("not planned: {checked:?}"),
    }
}

fn report(store: &Store, id: i64) -> Vec<ReportRow> {
    let mut rows = Vec::new();
    let done: Result<(), crate::store::Error> = store.report(id, |row| {
        rows.push(row);
        Ok(())
    });
    done.unwrap();
    rows
}

/// Ann has three rows, Bob one.
const SCATTERED: &str = "email,name,file\nann@contoso.com,Ann,a\nbob@contoso.com,Bob,b\nANN@contoso.com,Ann,c\n\
                         ann@CONTOSO.com,Ann,a\n";

fn scattered() -> Folder {
    let folder = Folder::new(SCATTERED);
    folder.write(
        "news.html.hbs",
        "<p>{{name}} {{file}}:{{#each rows}} {{name}} {{file}}{{/each}}</p>",
    );
    folder
}

/// The HTML of a message, by its number.
fn html(folder: &Folder, store: &Store, id: i64, number: u64) -> String {
    let record = store.campaign("news").unwrap().unwrap();
    let renderer = frozen_renderer(&folder.0.path().join("store.db"), &record, "comms").unwrap();
    let message = store.message(id, number).unwrap().unwrap();
    let page = renderer
        .page_of_frozen(&message.recipients[0].cells)
        .unwrap();
    assert_eq!(page.digest, message.digest);
    page.rendered.html.unwrap()
}

#[test]
fn scattered_rows_of_a_person_go_into_one_message() {
    let folder = scattered();
    let store = folder.store();
    let (id, checked) = planned(&grouped(&folder), &store);
    assert_eq!(checked.messages, 2);
    assert_eq!(
        (
            checked.rows.listed,
            checked.rows.planned,
            checked.rows.grouped
        ),
        (4, 2, 2)
    );
    assert_eq!(checked.rows.duplicate, 0);
    assert_eq!(
        html(&folder, &store, id, 1),
        "<p>Ann a: Ann a Ann c Ann a</p>"
    );
    assert_eq!(html(&folder, &store, id, 2), "<p>Bob b: Bob b</p>");
    let record = store.campaign("news").unwrap().unwrap();
    assert_eq!(store.row_counts(&record).unwrap(), checked.rows);
    let numbers: Vec<_> = (1..=5)
        .map(|row| store.message_of_row(id, row).unwrap())
        .collect();
    assert_eq!(numbers, [Some(1), Some(2), Some(1), Some(1), None]);
}

#[test]
fn a_further_row_is_reported_as_its_person_is() {
    let folder = scattered();
    let store = folder.store();
    let (id, _) = planned(&grouped(&folder), &store);
    let rows = report(&store, id);
    let numbers: Vec<u64> = rows.iter().map(|row| row.row).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert_eq!(rows[2].email, "ANN@contoso.com", "as the list has it");
    for further in [2, 3] {
        let as_first = ReportRow {
            row: rows[0].row,
            email: rows[0].email.clone(),
            first: rows[further].first.filter(|first| *first != 1),
            ..rows[further].clone()
        };
        assert_eq!(as_first, rows[0]);
    }
    assert!(rows[2].message_id.is_some() && rows[2].message_id != rows[1].message_id);
}

#[test]
fn grouping_is_part_of_what_was_planned() {
    let folder = scattered();
    folder.write("news.html.hbs", "<p>{{name}}</p>");
    let store = folder.store();
    planned(&folder.inputs(), &store);
    let record = store.campaign("news").unwrap().unwrap();
    assert!(!is_edited(&folder.inputs(), &record.fingerprint));
    assert!(is_edited(&grouped(&folder), &record.fingerprint));
    // What earlier versions froze and fingerprinted knows nothing of grouping.
    assert!(!record.definition.contains("grouped"));
}

#[test]
fn every_row_has_its_attachment_and_each_file_comes_once() {
    let folder = scattered();
    for file in ["a", "b", "c"] {
        folder.write(&format!("files/{file}.pdf"), file);
    }
    let store = folder.store();
    let mut inputs = grouped(&folder);
    inputs.attach = vec!["files/{{file}}.pdf".to_owned()];
    let (id, _) = planned(&inputs, &store);
    let record = store.campaign("news").unwrap().unwrap();
    let renderer = frozen_renderer(&folder.0.path().join("store.db"), &record, "comms").unwrap();
    let message = store.message(id, 1).unwrap().unwrap();
    let page = renderer
        .page_of_frozen(&message.recipients[0].cells)
        .unwrap();
    let attached: Vec<_> = page.attachments().collect();
    assert_eq!(attached, ["files/a.pdf", "files/c.pdf"]);
    let frozen = store.frozen_file(id, 1, "files/c.pdf").unwrap();
    assert_eq!(frozen.unwrap(), b"c");
}

#[test]
fn equal_groups_share_a_message_and_others_do_not() {
    let folder = Folder::new(
        "email,office\na@x.org,1\nb@x.org,1\na@x.org,2\nb@x.org,2\nc@x.org,2\nc@x.org,1\n",
    );
    folder.write("news.html.hbs", "{{#each rows}}{{office}} {{/each}}");
    let checked = checked(&grouped(&folder));
    assert_eq!((checked.messages, checked.shared_messages), (2, 1));
    assert_eq!((checked.rows.planned, checked.rows.grouped), (3, 3));
}

#[test]
fn a_person_whose_mail_cannot_be_made_takes_all_of_their_rows_along() {
    let folder = scattered();
    folder.write("news.html.hbs", "{{#each rows}}{{number name}}{{/each}}");
    let found = checked(&grouped(&folder));
    assert!(!found.is_sound());
    assert_eq!((found.rows.invalid, found.rows.grouped), (4, 0));
}

#[test]
fn rows_are_known_only_where_they_are_grouped() {
    let folder = scattered();
    assert_eq!(codes(&checked(&folder.inputs()))[0], "unknown-field");
    assert!(checked(&grouped(&folder)).is_sound());
}

#[test]
fn rows_that_differ_in_what_the_first_one_decides_are_told() {
    let folder = Folder::new(
        "email,name,file\nann@x.org,Ann,a\nbob@x.org,Bob,b\nANN@x.org, Ann ,c\nann@x.org,Anne\u{202e},d\n\
         bob@x.org,Bob,e\nann@x.org,Anna,f\n",
    );
    folder.write(
        "news.html.hbs",
        "{{email}} {{name}} {{#each rows}}{{file}}{{/each}}",
    );
    let found = checked(&grouped(&folder));
    assert_eq!(codes(&found), ["rows-differ"], "{found:?}");
    let finding = &found.findings[0];
    assert_eq!(
        (finding.row, finding.column.as_deref()),
        (Some(4), Some("name"))
    );
    for word in ["'Ann'", "'Anne\\u{202e}'", "row 1", "ann@x.org"] {
        assert!(finding.message.contains(word), "{}", finding.message);
    }
    assert!(found.is_sound());
    folder.write("news.html.hbs", "{{#each rows}}{{name}}{{/each}}");
    assert_eq!(codes(&checked(&grouped(&folder))), [""; 0]);
}

#[test]
fn a_column_that_is_hidden_by_the_rows_is_told() {
    let folder = Folder::new("email,rows\nann@x.org,1\nann@x.org,2\n");
    folder.write("news.html.hbs", "{{#each rows}}{{email}} {{/each}}");
    assert_eq!(codes(&checked(&grouped(&folder))), ["rows-hidden"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_row_counts_once(rows in prop::collection::vec((0_u8..6, 0_u8..3), 1..40), group: bool) {
        let mut list = "email,name,file\n".to_owned();
        for (who, what) in &rows {
            // One in six has no address.
            let email = if *who == 0 { "nobody".to_owned() } else { format!("p{who}@x.org") };
            writeln!(list, "{email},P,{what}").unwrap();
        }
        let folder = Folder::new(&list);
        folder.write("news.html.hbs", "{{file}}");
        let inputs = Inputs { grouped: group, ..folder.inputs() };
        let counts = checked(&inputs).rows;
        prop_assert_eq!(counts.listed, rows.len() as u64);
        let all = counts.planned + counts.grouped + counts.duplicate + counts.invalid + counts.filtered;
        prop_assert_eq!(all, counts.listed);
        prop_assert_eq!(if group { counts.duplicate } else { counts.grouped }, 0);
    }
}

/// Ann has three rows and Bob one; Ann's second has no office and no file, her third says no.
const UNEVEN: &str = "email,name,office,away,file\nann@contoso.com,Ann,Berlin,,a\nbob@contoso.com,Bob,Ulm,,b\n\
                      ann@contoso.com,Ann,,,missing\nann@contoso.com,Ann,Bonn,no,c\n";

fn findings_of(html: &str, attach: &[&str]) -> Vec<Finding> {
    let folder = Folder::new(UNEVEN);
    folder.write("news.html.hbs", html);
    for file in ["a", "b", "c"] {
        folder.write(&format!("files/{file}.txt"), file);
    }
    let inputs = Inputs {
        attach: attach.iter().map(|path| (*path).to_owned()).collect(),
        ..grouped(&folder)
    };
    check(&inputs, now(), &mut |_| {}, &mut |_| {})
        .unwrap()
        .findings
}

fn of_code<'f>(findings: &'f [Finding], code: &str) -> Vec<&'f Finding> {
    findings.iter().filter(|one| one.code == code).collect()
}

#[test]
fn a_missing_file_is_told_at_the_row_that_names_it() {
    let found = findings_of("<p>{{name}}</p>", &["files/{{file}}.txt"]);
    let [missing] = of_code(&found, "bad-attachment")[..] else {
        panic!("{found:?}")
    };
    assert_eq!((missing.row, missing.line), (Some(3), Some(4)));
    assert_eq!(missing.column.as_deref(), Some("file"));
    let excerpt = missing.excerpt.as_ref().unwrap();
    assert!(excerpt.text.ends_with("missing"), "{excerpt:?}");
    // The files of the others of that person's rows lie there for somebody.
    assert_eq!(of_code(&found, "file-unused"), Vec::<&Finding>::new());
}

#[test]
fn cells_of_further_rows_are_looked_at_where_the_mail_shows_them() {
    let empty = |html: &str| {
        let found = findings_of(html, &[]);
        let found = of_code(&found, "empty-cells");
        found
            .iter()
            .map(|one| (one.row, one.message.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(empty("<p>{{name}} {{office}}</p>"), []);
    let said = (
        Some(3),
        "'office' is empty in 1 of 4 rows: row 3".to_owned(),
    );
    assert_eq!(
        empty("<p>{{#each rows}}{{name}} {{office}}{{/each}}</p>"),
        std::slice::from_ref(&said)
    );
    assert_eq!(
        empty("<p>{{office}}{{#each rows}}{{office}}{{/each}}</p>"),
        [said]
    );
    assert_eq!(
        empty("<p>{{#each rows}}{{#if office}}{{office}}{{/if}}{{/each}}</p>"),
        []
    );

    let asked = |html: &str| {
        let found = findings_of(html, &[]);
        let found = of_code(&found, "if-on-text");
        found
            .iter()
            .map(|one| one.message.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        asked("<p>{{#if away}}{{name}}{{/if}}</p>"),
        Vec::<String>::new()
    );
    let said =
        asked("<p>{{#if away}}{{name}}{{/if}}{{#each rows}}{{#if away}}x{{/if}}{{/each}}</p>");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].starts_with("'away' says \"no\" in row 4, "),
        "{said:?}"
    );
}
