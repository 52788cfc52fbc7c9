//! `where`: what a filter may say and which rows it means.

use proptest::prelude::*;

use crate::recipients::{Columns, Filter, Verdict, Wanted};

fn columns() -> Columns {
    Columns::new(["email", "office", "age", "Start Date", "not"].map(str::to_owned)).unwrap()
}

fn judged(filter: &str, cells: [&str; 5]) -> Verdict {
    let filter = Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    let filter = filter.for_columns(&columns()).unwrap();
    filter.judge(&cells.map(str::to_owned))
}

const ANN: [&str; 5] = ["ann@contoso.com", " Berlin ", "41", "2026-03-01", ""];

fn is_meant(filter: &str) -> bool {
    match judged(filter, ANN) {
        Verdict::Taken => true,
        Verdict::LeftOut => false,
        unclear @ Verdict::Unclear { .. } => panic!("{filter}: {unclear:?}"),
    }
}

#[test]
fn comparisons_mean_what_they_say() {
    for filter in [
        "office == 'Berlin'",
        "office = \"berlin\"",
        "office == ' BERLIN'",
        "office != 'Paris'",
        "office <> 'Paris'",
        "office in ('Paris', 'Berlin')",
        "office NOT IN ('Paris')",
        "office contains 'erl'",
        "not office contains 'x'",
        "office not contains 'x'",
        "office starts with 'ber'",
        "office ends with 'LIN'",
        "office < 'Cologne'",
        "age == 41",
        "age == '41'",
        "age == 41.0",
        "age in (40, 41)",
        "age > 9",
        "age > '9'",
        "age<=41 and age>=41",
        "[age] < 41.5",
        "age > -1",
        "start_date >= '2026-01-01'",
        "[Start Date] < '2026-03-02'",
        "[not] is empty",
        "office is not empty",
        "email ends with '@contoso.com'",
        "not not age == 41",
    ] {
        assert!(is_meant(filter), "{filter}");
        assert!(!is_meant(&format!("not ({filter})")), "not ({filter})");
    }
    assert!(!is_meant("age == '41.0'"), "in quotes it is text");
    assert!(!is_meant("office == 7"), "no number is not this number");
}

#[test]
fn and_binds_before_or_and_parentheses_before_both() {
    assert!(is_meant("age == 41 or age == 1 and age == 2"));
    assert!(!is_meant("(age == 41 or age == 1) and age == 2"));
    assert!(is_meant("not age == 1 and age == 41"));
    assert!(!is_meant("not (age == 1 or age == 41)"));
}

#[test]
fn quotes_are_written_twice_inside_their_like() {
    let cells = ["", "O'Hara's", "", "", ""];
    for filter in ["office == 'O''Hara''s'", "office == \"o'hara's\""] {
        assert_eq!(judged(filter, cells), Verdict::Taken, "{filter}");
    }
}

#[test]
fn what_cannot_be_compared_is_unclear_unless_it_does_not_matter() {
    let cells = |age, start| ["", "Berlin", age, start, ""];
    let number = Verdict::Unclear {
        column: 2,
        wanted: Wanted::Number,
    };
    for age in ["", "n/a", "1,234", "41 years"] {
        assert_eq!(judged("age > 18", cells(age, "")), number, "{age}");
        assert_eq!(judged("not age > 18", cells(age, "")), number, "{age}");
    }
    let date = Verdict::Unclear {
        column: 3,
        wanted: Wanted::Date,
    };
    for start in ["", "1.3.2026", "2026-02-30", "03/01/2026", "2026-03-01x"] {
        let found = judged("start_date < '2026-06-01'", cells("1", start));
        assert_eq!(found, date, "{start}");
    }
    assert_eq!(
        judged(
            "start_date <= '2026-03-01'",
            cells("1", "2026-03-01 17:30:00")
        ),
        Verdict::Taken,
        "by day"
    );
    let decided = [
        ("age > 18 or office == 'Berlin'", Verdict::Taken),
        ("age > 18 and office == 'Paris'", Verdict::LeftOut),
        ("age is not empty and age > 18", Verdict::LeftOut),
    ];
    for filter in [
        "age > 18 and office == 'Berlin'",
        "office == 'Berlin' and age > 18",
        "age > 18 or office == 'Paris'",
        "office == 'Paris' or not (age > 18 and start_date is empty)",
    ] {
        assert_eq!(judged(filter, cells("", "")), number, "{filter}");
    }
    for (filter, verdict) in decided {
        assert_eq!(judged(filter, cells("", "")), verdict, "{filter}");
    }
}

#[test]
fn what_is_no_filter_is_told_with_its_place_and_what_to_write() {
    for (filter, at, word) in [
        ("office", 7, "a comparison"),
        ("office ==", 10, "the filter ends"),
        ("office == Berlin", 11, "'Berlin'"),
        ("'Berlin' == office", 1, "a column's name"),
        ("First Name == 'x'", 7, "[First Name]"),
        ("office == 'Berlin", 11, "closing quote"),
        ("office == ‘Berlin’", 11, "straight quotes"),
        ("[office == 'x'", 1, "closing bracket"),
        ("[ ] == 'x'", 1, "no name"),
        ("größe == 'x' && a == 1", 14, "and"),
        ("(office == 'x'", 15, "')'"),
        ("office == 'x')", 14, "'and' or 'or'"),
        ("office == 'x' age > 1", 15, "'and' or 'or'"),
        ("office in 'x'", 11, "parentheses"),
        ("office in ('x' 'y')", 16, "','"),
        ("office in ()", 12, "text in quotes"),
        ("office is 'x'", 11, "'empty'"),
        ("office contains ''", 17, "text in quotes"),
        ("age > 1,5", 8, "'and' or 'or'"),
        ("age > 1.234", 7, "two ways"),
        ("start_date > 2026-01-01", 14, "dates too, in quotes"),
        ("start_date > '1.3.2026'", 14, "2026-12-31"),
        ("start_date > '2026-02-30'", 14, "2026-12-31"),
        ("age > '1.234'", 7, "12.5"),
        ("not == 'x'", 5, "a column's name"),
        ("and", 1, "brackets"),
        ("{{office}} == 'x'", 1, "name alone"),
    ] {
        let refused = Filter::parse(filter).expect_err(filter);
        assert_eq!(refused.at, at, "{filter}: {refused}");
        let said = format!("{refused} {}", refused.remedy);
        assert!(said.contains(word), "{filter}: {said}");
    }
}

#[test]
fn depth_and_length_have_an_end() {
    let deep = |n: usize| format!("{}age == 1{}", "(".repeat(n), ")".repeat(n));
    assert!(Filter::parse(&deep(64)).is_ok());
    assert!(Filter::parse(&deep(65)).is_err());
    assert!(Filter::parse(&deep(4000)).is_err());
    assert!(Filter::parse(&format!("{} age == 1", "not ".repeat(2000))).is_err());
    let wide = vec!["age == 1"; 800].join(" or ");
    let filter = Filter::parse(&wide).unwrap();
    filter.for_columns(&columns()).unwrap().judge(&[]);
    assert!(Filter::parse(&format!("{wide} or {wide}")).is_err());
}

#[test]
fn every_unknown_column_is_named_with_the_nearest() {
    let filter = Filter::parse("offcie == 'x' or (age > 1 and zzz is empty)").unwrap();
    let unknown = filter.for_columns(&columns()).unwrap_err();
    let found: Vec<_> = unknown
        .iter()
        .map(|column| (column.name.as_str(), column.at, column.nearest.as_deref()))
        .collect();
    assert_eq!(found, [("offcie", 1, Some("office")), ("zzz", 31, None)]);
}

/// Words that come close to filters.
fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "office",
        "age",
        "[Start Date]",
        "==",
        "!=",
        "<",
        ">=",
        "in",
        "not",
        "and",
        "or",
        "(",
        ")",
        ",",
        "'x'",
        "\"\"",
        "12.5",
        "-3",
        "is",
        "empty",
        "contains",
        "starts",
        "ends",
        "with",
        "'2026-01-01'",
        "'",
        "[",
        "é",
    ]);
    prop::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
}

/// Filters that are well formed.
fn filters() -> impl Strategy<Value = String> {
    let one = prop::sample::select(vec![
        "office == 'Berlin'",
        "age >= 18",
        "age in (1, 'x')",
        "[Start Date] < '2026-06-01'",
        "office is empty",
        "office not contains 'a'",
    ]);
    one.prop_map(str::to_owned)
        .prop_recursive(6, 40, 3, |inner| {
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} and {b}")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) or ({b})")),
                inner.prop_map(|a| format!("not ({a})")),
            ]
        })
}

proptest! {
    #[test]
    fn any_text_is_a_filter_or_is_refused_inside_it(text in prop_oneof![any::<String>(), words()]) {
        if let Err(refused) = Filter::parse(&text) {
            prop_assert!((1..=text.chars().count() + 1).contains(&refused.at));
            prop_assert!(!refused.message.is_empty() && !refused.remedy.is_empty());
        }
    }

    #[test]
    fn any_cells_can_be_judged_and_not_is_the_opposite(
        filter in filters(),
        cells in prop::collection::vec(prop_oneof![any::<String>(), r"[-0-9., ]{0,9}", Just("Berlin".to_owned())], 0..6),
    ) {
        let judge = |text: &str| {
            Filter::parse(text).unwrap().for_columns(&columns()).unwrap().judge(&cells)
        };
        let opposite = match judge(&filter) {
            Verdict::Taken => Verdict::LeftOut,
            Verdict::LeftOut => Verdict::Taken,
            unclear @ Verdict::Unclear { .. } => unclear,
        };
        prop_assert_eq!(judge(&format!("not ({filter})")), opposite);
    }
}
