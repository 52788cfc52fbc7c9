use std::io::{Read, Seek, SeekFrom};

use super::lists::{last_error, open, places, rows};
use crate::recipients::{ListOptions, ListReader, Place, ProblemKind, ReadError};

#[test]
fn what_is_no_text_is_refused_with_its_place() {
    assert!(matches!(
        open(b"\xFF\xFE\0\0e\0\0\0"),
        Err(ReadError::Utf32)
    ));
    assert!(matches!(
        open(b"PK\x03\x04\x14\0"),
        Err(ReadError::Workbook)
    ));
    assert!(matches!(
        open(b"\xD0\xCF\x11\xE0\xA1\xB1"),
        Err(ReadError::Compound)
    ));
    // One stray byte in what is UTF-8 elsewhere is damage and no other encoding.
    let list = "email,name\na@x.org,Zoë\nb@x.org,M?ller\nc@x.org,Jörg\n";
    let mut list = list.as_bytes().to_vec();
    let at = list.iter().position(|byte| *byte == b'?').unwrap();
    list[at] = 0xFC;
    let error = last_error(&list);
    assert_eq!(
        error.to_string(),
        "line 3 (row 2): byte 34 is 0xFC, which is not UTF-8"
    );
    assert_eq!(at + 1, 34);
    assert!(error.remedy().contains("CSV UTF-8"));
    let cut = last_error(
        "email,name\nb@x.org,ü\na@x.org,ü"
            .as_bytes()
            .split_last()
            .unwrap()
            .1,
    );
    assert_eq!(cut.place(), Some(Place { line: 3, row: 2 }));
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

/// A beginning, and then one byte for 64 MiB.
struct Long(&'static [u8], u8, u64);

impl Read for Long {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(((64 << 20) - self.2) as usize);
        for byte in &mut buffer[..count] {
            *byte = *self.0.get(self.2 as usize).unwrap_or(&self.1);
            self.2 += 1;
        }
        Ok(count)
    }
}

impl Seek for Long {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let SeekFrom::Start(place) = to else {
            return Err(std::io::ErrorKind::Unsupported.into());
        };
        self.2 = place;
        Ok(place)
    }
}

#[test]
fn memory_does_not_grow_with_what_is_read() {
    let list = Long(b"email,name\na@x.org,\"", b'x', 0);
    let mut reader = ListReader::open(list, &ListOptions::default()).unwrap();
    let error = reader.next().unwrap().unwrap_err();
    assert!(matches!(
        error,
        ReadError::RecordTooLong(Place { line: 2, row: 1 })
    ));
    assert!(reader.next().is_none());
    let header = ListReader::open(Long(b"", b'x', 0), &ListOptions::default());
    let error = header.map_err(|refused| refused.error);
    assert!(matches!(error, Err(ReadError::RecordTooLong(_))));
    let error = ListReader::open(Long(b"email\n", b',', 0), &ListOptions::default())
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
    impl Seek for Broken {
        fn seek(&mut self, _: SeekFrom) -> std::io::Result<u64> {
            Ok(0)
        }
    }
    for workbook in [false, true] {
        let options = ListOptions {
            workbook,
            ..ListOptions::default()
        };
        let opened = ListReader::open(Broken, &options);
        let opened = opened.map_err(|refused| refused.error);
        assert!(matches!(opened, Err(ReadError::Io(_))));
    }
}
