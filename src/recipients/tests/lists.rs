use std::io::Cursor;

use crate::recipients::{
    AddressError, ColumnsError, Item, ListOptions, ListReader, ProblemKind, ReadError, RowProblem,
};

pub(super) fn open(list: &[u8]) -> Result<ListReader<Cursor<&[u8]>>, ReadError> {
    ListReader::open(Cursor::new(list), &ListOptions::default()).map_err(|refused| refused.error)
}

fn items(list: &str) -> Vec<Item> {
    open(list.as_bytes())
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

/// Number, line and address of each row, or its problems.
pub(super) fn rows(list: &str) -> Vec<Result<(u64, u64, String), Vec<RowProblem>>> {
    let row = |item| match item {
        Item::Row(row, address) => Ok((row.number, row.line, address.to_string())),
        Item::Invalid(_, problems) => Err(problems),
    };
    items(list).into_iter().map(row).collect()
}

pub(super) fn places(list: &str) -> Vec<(u64, u64)> {
    rows(list)
        .into_iter()
        .map(|row| row.map(|(number, line, _)| (number, line)).unwrap())
        .collect()
}

/// The error that ends the list.
pub(super) fn last_error(list: &[u8]) -> ReadError {
    match open(list).unwrap().last() {
        Some(Err(error)) => error,
        _ => panic!("the list was read to its end"),
    }
}

#[test]
fn rows_and_lines_are_counted_over_blank_lines_and_line_breaks() {
    let list = "\n\nemail,note\n\na@x.org,\"two\nlines\"\n,\n  , \nb@x.org,x\n\n";
    assert_eq!(places(list), [(1, 5), (2, 9)]);
    assert_eq!(places(&list.replace('\n', "\r\n")), [(1, 5), (2, 9)]);
    assert_eq!(places(&list.replace('\n', "\r")), [(1, 5), (2, 9)]);
    assert_eq!(places("email\na@x.org"), [(1, 2)]);
}

#[test]
fn a_byte_order_mark_does_not_count() {
    let reader = open(b"\xEF\xBB\xBFemail,name\na@x.org,A\n").unwrap();
    assert_eq!(reader.columns().names(), ["email", "name"]);
    assert_eq!(reader.count(), 1);
}

#[test]
fn the_delimiter_is_taken_from_the_header() {
    let delimiter = |header: &str| open(format!("{header}\n").as_bytes()).unwrap().delimiter();
    assert_eq!(delimiter("email,name"), b',');
    assert_eq!(delimiter("email;name"), b';');
    assert_eq!(delimiter("email\tname"), b'\t');
    assert_eq!(delimiter("email|name"), b'|');
    assert_eq!(delimiter("sep=;\r\nemail;a,b"), b';');
    assert_eq!(delimiter("email"), b',');
    assert_eq!(delimiter("\"a, b, c\";email"), b';');
    assert_eq!(delimiter("turnover, net, in k;email"), b';');
    assert_eq!(delimiter("\"two\nlines,\",email"), b',');
    let tab = ListOptions {
        delimiter: Some(b'\t'),
        ..ListOptions::default()
    };
    assert_eq!(
        ListReader::open(Cursor::new(b"email\ta,b,c\n"), &tab)
            .unwrap()
            .columns()
            .len(),
        2
    );
    let quote = ListOptions {
        delimiter: Some(b'"'),
        ..ListOptions::default()
    };
    assert!(matches!(
        ListReader::open(Cursor::new(b"email\n"), &quote).map_err(|refused| refused.error),
        Err(ReadError::Delimiter(b'"'))
    ));
}

#[test]
fn a_list_without_header_rows_or_anything_is_refused() {
    assert!(matches!(open(b""), Err(ReadError::Empty)));
    assert!(matches!(
        open(b"\xEF\xBB\xBF\r\n \r\n,,\n"),
        Err(ReadError::Empty)
    ));
    assert!(matches!(
        last_error(b"email,name\n\n,\n"),
        ReadError::NoRows
    ));
    let error = open(b"anna@x.org,Anna\nbert@x.org,Bert\n").unwrap_err();
    assert!(matches!(error, ReadError::NoHeader { found } if found == "anna@x.org"));
    let unnamed = open(b"email,name,\n").unwrap_err();
    assert!(matches!(
        unnamed,
        ReadError::Columns(ColumnsError::Unnamed { column: 3 }, _)
    ));
}

#[test]
fn the_column_of_addresses_is_found_or_named() {
    let column = |header: &str, wanted: Option<&str>| {
        let address_column = wanted.map(str::to_owned);
        let options = ListOptions {
            address_column,
            ..ListOptions::default()
        };
        ListReader::open(Cursor::new(header), &options)
            .map(|reader| reader.address_column().to_owned())
            .map_err(|refused| refused.error)
    };
    for header in [
        "name,EMAIL",
        "name,E-Mail",
        "name,Mail",
        "name,Address",
        "name, Email Address ",
    ] {
        let name = header.split_once(',').unwrap().1.trim();
        assert_eq!(column(header, None).unwrap(), name);
    }
    assert_eq!(column("address,email,mail", None).unwrap(), "email");
    assert_eq!(
        column("email,Work Mail", Some("work_mail")).unwrap(),
        "Work Mail"
    );
    assert_eq!(
        column("email,Work Mail", Some("WORK MAIL")).unwrap(),
        "Work Mail"
    );
    assert!(matches!(
        column("Email,EMAIL", None),
        Err(ReadError::AmbiguousAddressColumn { .. })
    ));
    assert_eq!(column("Email,EMAIL", Some("EMAIL")).unwrap(), "EMAIL");
    let error = column("name,emails", None).unwrap_err();
    assert!(
        error.to_string().ends_with("the columns are: name, emails"),
        "{error}"
    );
    assert!(error.remedy().contains("address = \"emails\""));
    let error = column("name,email", Some("emial")).unwrap_err();
    assert!(
        matches!(error, ReadError::NoAddressColumn { nearest: Some(nearest), .. } if nearest == "email")
    );
}

#[test]
fn a_bad_row_is_a_finding_and_reading_goes_on() {
    let list = "email,name\na@x.org\nb@x.org,B,,\n,C\nd@x,D\nx y@x.org,\u{7}\n e@x.org ,E\n";
    let rows = rows(list);
    let problem = |at: usize| rows[at].as_ref().unwrap_err()[0].clone();
    assert_eq!(
        problem(0).kind,
        ProblemKind::Ragged {
            cells: 1,
            columns: 2,
            extra: None
        }
    );
    assert_eq!(problem(0).column.as_deref(), Some("name"));
    assert_eq!(
        problem(1).kind,
        ProblemKind::Ragged {
            cells: 4,
            columns: 2,
            extra: Some(String::new())
        }
    );
    assert_eq!(
        (problem(1).row, problem(1).line, problem(1).found.as_str()),
        (2, 3, "b@x.org,B,,")
    );
    assert_eq!(problem(2).kind, ProblemKind::Address(AddressError::Empty));
    assert_eq!(problem(2).column.as_deref(), Some("email"));
    assert_eq!(
        (problem(3).found.as_str(), problem(3).code()),
        ("d@x", "address")
    );
    let both = rows[4].as_ref().unwrap_err();
    assert_eq!(both.len(), 2);
    assert_eq!(
        (both[0].column.as_deref(), &both[0].kind),
        (Some("name"), &ProblemKind::Control('\u{7}'))
    );
    assert_eq!(both[1].kind, ProblemKind::Address(AddressError::Space));
    assert_eq!(rows[5], Ok((6, 7, "e@x.org".to_owned())));
}

#[test]
fn other_cells_are_kept_as_they_are() {
    let Item::Row(row, _) = items("email,First Name\na@x.org,\" A \t\r\n\"\"B\"\"\"\n").remove(0)
    else {
        panic!("not a row");
    };
    assert_eq!(row.cells[1], " A \t\r\n\"B\"");
    let reader = open(b"email,First Name\n").unwrap();
    assert_eq!(row.data(reader.columns())["first_name"], " A \t\r\n\"B\"");
}

/// Encoding, delimiter, number of columns.
type Decided = (&'static str, Option<char>, Option<usize>);

/// What was decided about a list that is refused: encoding, delimiter, number of columns.
fn as_far(list: &[u8]) -> (&'static str, Option<Decided>) {
    let refused = ListReader::open(Cursor::new(list), &ListOptions::default()).unwrap_err();
    let reading = refused.reading.map(|reading| {
        let encoding = reading.encoding.map_or("", |encoding| encoding.name);
        (encoding, reading.delimiter, reading.columns)
    });
    (refused.error.code(), reading)
}

#[test]
fn a_refused_list_says_how_far_it_was_read_and_how() {
    for (list, code, reading) in [
        (
            &b"email;name;name\n"[..],
            "header",
            Some(("UTF-8", Some(';'), Some(3))),
        ),
        (
            b"a@x.org\tAnna\n",
            "header-missing",
            Some(("UTF-8", Some('\t'), Some(2))),
        ),
        (
            b"who,name\n",
            "address-column",
            Some(("UTF-8", Some(','), Some(2))),
        ),
        (b"", "list-empty", Some(("UTF-8", Some(','), None))),
        (
            b"email,\"name\" x\na@x.org,A\n",
            "quotes",
            Some(("UTF-8", Some(','), None)),
        ),
        (
            b"\xEF\xBB\xBFemail,na\xFFme\n",
            "list-encoding",
            Some(("UTF-8", Some(','), None)),
        ),
        (b"PK\x03\x04", "list-workbook", None),
    ] {
        assert_eq!(as_far(list), (code, reading), "{list:?}");
    }
}

#[test]
fn a_guess_is_shown_though_the_list_is_refused() {
    let list = b"wer;Stra\xdfe;Stra\xdfe\nann@x.org;K\xf6nigsstra\xdfe;x\n";
    let refused = ListReader::open(Cursor::new(list), &ListOptions::default()).unwrap_err();
    assert_eq!(refused.notes.len(), 1);
    assert_eq!(refused.notes[0].code, "list-encoding-guessed");
    let reading = refused.reading.unwrap();
    assert_eq!(reading.encoding.unwrap().name, "windows-1252");
}
