//! `where`: rows that the campaign is not for.

use super::*;
use crate::recipients::Filter;
use proptest::prelude::*;

fn filtered(folder: &Folder, filter: &str) -> Inputs {
    Inputs {
        filter: Some(Filter::parse(filter).unwrap()),
        ..folder.inputs()
    }
}

#[test]
fn a_row_that_is_left_out_is_counted_and_nothing_else_is_asked_of_it() {
    let folder = Folder::new(
        "email,office,age\nann@x.org,Berlin,1\n,Paris,1\nnot an address,PARIS,1\nbob@x.org,Paris,\u{7}\n\
         ann@x.org,paris,2\nkim@x.org, berlin ,1\n",
    );
    let inputs = filtered(&folder, "office == 'Berlin'");
    let store = folder.store();
    let Frozen::Planned(id, checked) = plan(&inputs, &store, now(), &mut |_| {}).unwrap() else {
        panic!("not planned");
    };
    assert_eq!(codes(&checked), [""; 0]);
    let counts = (
        checked.rows.listed,
        checked.rows.planned,
        checked.rows.filtered,
    );
    assert_eq!(counts, (6, 2, 4));
    let record = store.campaign("news").unwrap().unwrap();
    assert_eq!(store.row_counts(&record).unwrap(), checked.rows);
    let mut outcomes = Vec::new();
    let done: Result<(), crate::store::Error> = store.report(id, |row| {
        outcomes.push((row.email, row.outcome));
        Ok(())
    });
    done.unwrap();
    assert_eq!(outcomes[1], (String::new(), "filtered".to_owned()));
    assert_eq!(outcomes[4], ("ann@x.org".to_owned(), "filtered".to_owned()));
    assert_eq!(outcomes[5].1, "pending");
}

#[test]
fn rows_are_filtered_before_they_are_duplicates() {
    let folder = Folder::new("email,office\nann@x.org,Paris\nANN@x.org,Berlin\nann@x.org,Berlin\n");
    let found = checked(&filtered(&folder, "office == 'Berlin'"));
    assert_eq!(codes(&found), ["duplicate"]);
    assert!(found.findings[0].message.contains("row 2"), "{found:?}");
    let grouped = Inputs {
        grouped: true,
        ..filtered(&folder, "office == 'Berlin'")
    };
    let rows = checked(&grouped).rows;
    assert_eq!((rows.planned, rows.grouped, rows.filtered), (1, 1, 1));
}

#[test]
fn a_row_whose_cells_are_in_doubt_stays_an_error() {
    let folder = Folder::new("email,office\nann@x.org,Berlin\nbob@x.org,Paris,x\nnobody,Berlin\n");
    let found = checked(&filtered(&folder, "office == 'Berlin'"));
    assert_eq!(codes(&found), ["ragged-row", "address"]);
    assert_eq!((found.rows.invalid, found.rows.filtered), (2, 0));
}

#[test]
fn a_cell_that_cannot_be_compared_is_told() {
    let folder =
        Folder::new("email,office,age\nann@x.org,x,41\nbob@x.org,x,\u{202e}many\nkim@x.org,x,\n");
    let found = checked(&filtered(&folder, "age >= 18"));
    assert_eq!(codes(&found), ["filter-not-a-number"; 2]);
    assert_eq!(found.findings[0].row, Some(2));
    assert_eq!(found.findings[0].column.as_deref(), Some("age"));
    assert!(found.findings[0].message.contains("many"), "{found:?}");
    assert_eq!((found.rows.planned, found.rows.filtered), (1, 2));
    assert!(found.is_sound());
}

#[test]
fn a_filter_that_leaves_nobody_or_names_no_column_is_an_error() {
    let folder = Folder::new(&staff(3, 1));
    let nobody = checked(&filtered(&folder, "office == 'Paris'"));
    assert_eq!(codes(&nobody), ["filter-excludes-all"]);
    assert_eq!(nobody.findings[0].file, Path::new("campaign.toml"));
    let unknown = checked(&filtered(&folder, "offcie == 'Paris' and FirstName == 'x'"));
    assert_eq!(codes(&unknown), ["unknown-field"; 2]);
    let remedies: Vec<_> = unknown.findings.iter().map(|found| &found.remedy).collect();
    assert!(remedies[0].contains("'office'"), "{remedies:?}");
    assert!(!unknown.is_sound());
}

#[test]
fn another_filter_is_an_edit() {
    let folder = Folder::new(&staff(3, 3));
    let store = folder.store();
    let inputs = filtered(&folder, "office == 'O1'");
    plan(&inputs, &store, now(), &mut |_| {}).unwrap();
    let record = store.campaign("news").unwrap().unwrap();
    assert!(!is_edited(&inputs, &record.fingerprint));
    assert!(is_edited(
        &filtered(&folder, "office == 'O2'"),
        &record.fingerprint
    ));
    assert!(is_edited(&folder.inputs(), &record.fingerprint));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_row_is_one_thing(rows in prop::collection::vec((0_u8..5, 0_u8..3), 1..40), group: bool) {
        let mut list = "email,office\n".to_owned();
        for (who, what) in &rows {
            let email = if *who == 0 { "nobody".to_owned() } else { format!("p{who}@x.org") };
            writeln!(list, "{email},{what}").unwrap();
        }
        let folder = Folder::new(&list);
        let inputs = Inputs { grouped: group, ..filtered(&folder, "office != 0") };
        let counts = checked(&inputs).rows;
        let left_out = rows.iter().filter(|(_, what)| *what == 0).count() as u64;
        let invalid = rows.iter().filter(|(who, what)| *who == 0 && *what != 0).count() as u64;
        prop_assert_eq!((counts.filtered, counts.invalid), (left_out, invalid));
        let all = counts.planned + counts.grouped + counts.duplicate + counts.invalid + counts.filtered;
        prop_assert_eq!(all, rows.len() as u64);
    }
}
