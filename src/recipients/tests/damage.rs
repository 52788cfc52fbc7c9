use std::io::Read;

use super::lists::{last_error, open, places, rows};
use crate::recipients::{Item, ListOptions, ListReader, Place, ProblemKind, ReadError};

#[test]
fn other_encodings_are_refused_and_never_guessed() {
    let utf16 = |bytes: &[u8]| matches!(open(bytes), Err(ReadError::Utf16));
    assert!(utf16(b"\xFF\xFEe\0m\0"));
    assert!(utf16(b"\xFE\xFF\0e\0m"));
    assert!(matches!(
        open(b"PK\x03\x04\x14\0"),
        Err(ReadError::Workbook)
    ));
    let unmarked = open(b"e\0m\0a\0i\0l\0").unwrap_err();
    assert!(matches!(
        unmarked,
        ReadError::Nul {
            place: Place { line: 1, row: 0 },
            offset: 1
        }
    ));
    let error = last_error(b"email,name\na@x.org,A\nb@x.org,M\xFCller\nc@x.org,C\n");
    assert_eq!(
        error.to_string(),
        "line 3 (row 2): byte 31 is 0xFC, which is not UTF-8"
    );
    assert!(error.remedy().contains("CSV UTF-8"));
    let cut = last_error("email,name\na@x.org,ü".as_bytes().split_last().unwrap().1);
    assert_eq!(cut.place(), Some(Place { line: 2, row: 1 }));
    let nul = last_error(b"email,name\na@x.org,\0\n");
    assert!(matches!(
        nul,
        ReadError::Nul {
            place: Place { line: 2, row: 1 },
            offset: 19
        }
    ));
}

#[test]
fn a_damaged_byte_far_into_the_list_is_found_in_its_line_after_the_rows_before_it() {
    let mut list = b"email,name\n".to_vec();
    for row in 0..20_000 {
        list.extend_from_slice(format!("person{row}@example.org,Zoë\n").as_bytes());
    }
    list.extend_from_slice(b"last@example.org,Zo\xEB\n");
    let items: Vec<_> = open(&list).unwrap().collect();
    assert_eq!(items.len(), 20_001);
    let place = items.last().unwrap().as_ref().unwrap_err().place();
    assert_eq!(
        place,
        Some(Place {
            line: 20_002,
            row: 20_001
        })
    );
}

#[test]
fn a_quote_that_swallows_rows_is_noticed() {
    let open_quote = last_error(b"email,name\na@x.org,A\nb@x.org,\"B\nc@x.org,C\n");
    assert!(matches!(
        open_quote,
        ReadError::OpenQuote(Place { line: 3, row: 2 })
    ));
    // Two unclosed quotes: by count of cells the first row looks whole, and b@x.org would be lost.
    let rows = rows("email,name\na@x.org,\"A\nb@x.org,\"B\"\nc@x.org,C\n");
    let problems = rows[0].as_ref().unwrap_err();
    assert_eq!(
        (problems[0].line, &problems[0].kind),
        (2, &ProblemKind::StrayQuote(3))
    );
    assert_eq!(places("email,size\na@x.org,6\" wide\n"), [(1, 2)]);
    assert!(matches!(
        open(b"email,\"na\"me\n"),
        Err(ReadError::HeaderQuote(Place { line: 1, row: 0 }))
    ));
}

#[test]
fn memory_does_not_grow_with_what_is_read() {
    let endless = std::io::repeat(b'x').take(1 << 40);
    let list = b"email,name\na@x.org,\"".chain(endless);
    let mut reader = ListReader::open(list, &ListOptions::default()).unwrap();
    let error = reader.next().unwrap().unwrap_err();
    assert!(matches!(
        error,
        ReadError::RecordTooLong(Place { line: 2, row: 1 })
    ));
    assert!(reader.next().is_none());
    let header = ListReader::open(std::io::repeat(b'x'), &ListOptions::default());
    assert!(matches!(header, Err(ReadError::RecordTooLong(_))));
    let commas = b"email\n".chain(std::io::repeat(b','));
    let error = ListReader::open(commas, &ListOptions::default())
        .unwrap()
        .last()
        .unwrap()
        .unwrap_err();
    assert!(matches!(error, ReadError::TooManyCells(_)));
    let blank = format!("email\n{}a@x.org\n", "\n".repeat(3 << 20));
    assert_eq!(places(&blank), [(1, (3 << 20) + 2)]);
}

#[test]
fn a_record_of_the_largest_size_is_read() {
    let header: Vec<_> = (1..4096).map(|column| format!("c{column}")).collect();
    let cells = vec!["x"; 4095].join(",");
    let list = format!("email,{}\na@x.org,{cells}", header.join(","));
    assert_eq!(places(&list), [(1, 2)]);
    let long = format!("email,name\na@x.org,{}", "x".repeat((1 << 20) - 7));
    assert_eq!(places(&long), [(1, 2)]);
    assert!(matches!(
        last_error(format!("{long}x").as_bytes()),
        ReadError::RecordTooLong(_)
    ));
}

#[test]
fn a_reader_that_fails_ends_the_list_with_its_error() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("cable pulled"))
        }
    }
    let list = b"email\na@x.org\n".chain(Broken);
    let items: Vec<_> = ListReader::open(list, &ListOptions::default())
        .unwrap()
        .collect();
    assert!(matches!(
        items[..],
        [Ok(Item::Row(..)), Err(ReadError::Io(_))]
    ));
}
