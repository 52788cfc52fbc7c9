use crate::recipients::{Columns, ColumnsError};

fn columns(names: &[&str]) -> Columns {
    Columns::new(names.iter().map(|name| (*name).to_owned())).unwrap()
}

#[test]
fn a_column_is_reached_by_its_name_and_its_alias() {
    let columns = columns(&[" First Name ", "E-Mail", "ÉTAGE n°", "(Büro) ", "office"]);
    assert_eq!(
        columns.names(),
        ["First Name", "E-Mail", "ÉTAGE n°", "(Büro)", "office"]
    );
    for (field, at) in [
        ("First Name", 0),
        ("first_name", 0),
        ("e_mail", 1),
        ("étage_n", 2),
        ("büro", 3),
        ("office", 4),
    ] {
        assert_eq!(columns.index_of(field), Some(at), "{field}");
    }
    assert_eq!(columns.index_of("first name"), None);
    let fields: Vec<_> = columns.fields().collect();
    assert_eq!(
        fields,
        [
            "First Name",
            "first_name",
            "E-Mail",
            "e_mail",
            "ÉTAGE n°",
            "étage_n",
            "(Büro)",
            "büro",
            "office"
        ]
    );
}

#[test]
fn an_alias_that_two_columns_share_stands_for_neither_unless_one_is_named_so() {
    let shared = columns(&["First Name", "First-Name"]);
    assert_eq!(shared.index_of("first_name"), None);
    assert_eq!(shared.index_of("First-Name"), Some(1));
    let literal = columns(&["First Name", "First-Name", "first_name"]);
    assert_eq!(literal.index_of("first_name"), Some(2));
    assert_eq!(
        literal
            .fields()
            .filter(|field| *field == "first_name")
            .count(),
        1
    );
}

#[test]
fn a_header_that_cannot_be_used_is_refused() {
    let refused =
        |names: &[&str]| Columns::new(names.iter().map(|name| (*name).to_owned())).unwrap_err();
    assert_eq!(refused(&[]), ColumnsError::None);
    assert_eq!(
        refused(&["email", " "]),
        ColumnsError::Unnamed { column: 2 }
    );
    let duplicate = ColumnsError::Duplicate {
        name: "a".into(),
        first: 1,
        second: 3,
    };
    assert_eq!(refused(&["a", "b", "a "]), duplicate);
    assert_eq!(
        refused(&["a\u{1b}"]),
        ColumnsError::Control {
            column: 1,
            found: '\u{1b}'
        }
    );
}

#[test]
fn all_that_is_wrong_with_a_header_is_said_at_once() {
    let names = ["email", "", "a", "a", "b", "a", " "];
    let error = Columns::new(names.map(str::to_owned)).unwrap_err();
    let each: Vec<String> = error.each().iter().map(ToString::to_string).collect();
    assert_eq!(
        each,
        [
            "column 2 has no name",
            "columns 3 and 4 are both named 'a'",
            "columns 3 and 6 are both named 'a'",
            "column 7 has no name"
        ]
    );
}

#[test]
fn a_misspelt_field_is_answered_with_the_nearest() {
    let columns = columns(&["email", "First Name", "office"]);
    assert_eq!(columns.nearest("firstname").as_deref(), Some("first_name"));
    assert_eq!(columns.nearest("OFICE").as_deref(), Some("office"));
    assert_eq!(columns.nearest("salary").as_deref(), None);
}

#[test]
fn a_row_is_known_under_every_name_and_survives_being_frozen() {
    let columns = columns(&["email", "First Name"]);
    let data = columns.data_of(&["a@x.org".into(), " Anna ".into()]);
    assert_eq!(data.len(), 3);
    assert_eq!(data["first_name"], " Anna ");
    assert_eq!(data["First Name"], " Anna ");
    let frozen = serde_json::to_string(&columns).unwrap();
    assert_eq!(frozen, r#"["email","First Name"]"#);
    assert_eq!(serde_json::from_str::<Columns>(&frozen).unwrap(), columns);
    assert!(serde_json::from_str::<Columns>(r#"["a","a"]"#).is_err());
}
