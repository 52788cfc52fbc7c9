use std::fmt::Write as _;
use std::io::Cursor;

use proptest::prelude::*;

use super::lists::{last_error, open};
use crate::recipients::{Charset, Item, ListOptions, ListReader, Note, Place, ReadError};

fn in_encoding(label: &str, text: &str) -> Vec<u8> {
    let charset = Charset::named(label).unwrap();
    match charset.name() {
        "UTF-16LE" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "UTF-16BE" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => {
            let (bytes, _, lost) = charset.0.encode(text);
            assert!(!lost, "{text} in {label}");
            bytes.into_owned()
        }
    }
}

/// The name of the encoding, the delimiter, the cells of the rows, and what was noted.
fn read(bytes: &[u8]) -> (&'static str, char, Vec<Vec<String>>, Vec<Note>) {
    let reader = open(bytes).unwrap();
    let reading = reader.reading().clone();
    let notes = reader.notes().to_vec();
    let cells = reader.map(|item| match item.unwrap() {
        Item::Row(row, _) => row.cells,
        item @ Item::Invalid(..) => panic!("{item:?}"),
    });
    let cells = cells.collect();
    let name = reading.encoding.unwrap().name;
    (name, reading.delimiter.unwrap(), cells, notes)
}

const GERMAN: &str = "Name;E-Mail;Eintritt;Gehalt\r\n\
    Jörg Müller;j@x.org;01.02.2019;1.234,50 €\r\n\
    Änne Größe;a@x.org;24.12.2020;980,00 €\r\n";
const FRENCH: &str = "Prénom;E-mail;Prix\r\n\
    François Lefèvre;f@x.org;12,50 €\r\n\
    Chloé Sacré-Cœur;c@x.org;\"1 250,00 €\"\r\n";
const POLISH: &str = "Imię;Email\r\nŁukasz Wójcik;l@x.org\r\nAgnieszka Gdańska;a@x.org\r\nŚwiętosława Żółć;s@x.org\r\n";
const RUSSIAN: &str = "Имя;Email\r\nИван Иванов;i@x.org\r\nОльга Петрова;o@x.org\r\n";
const JAPANESE: &str = "名前,email\r\n田中太郎,t@x.org\r\n東京スズキ,s@x.org\r\n";

#[test]
fn lists_as_spreadsheets_of_many_countries_save_them() {
    for (label, text, delimiter) in [
        ("windows-1252", GERMAN, ';'),
        ("windows-1252", FRENCH, ';'),
        ("windows-1250", POLISH, ';'),
        ("windows-1251", RUSSIAN, ';'),
        ("shift_jis", JAPANESE, ','),
    ] {
        let (name, found, cells, notes) = read(&in_encoding(label, text));
        assert_eq!(name, Charset::named(label).unwrap().name());
        assert_eq!(found, delimiter);
        assert_eq!(cells, read(text.as_bytes()).2, "{label}");
        assert_eq!(notes[0].code, "list-encoding-guessed");
        assert!(notes[0].remedy.contains(name), "{}", notes[0].remedy);
    }
    let (name, delimiter, cells, notes) = read(
        format!(
            "\u{feff}{}",
            GERMAN
                .replace(';', ",")
                .replace("4,5", "45")
                .replace("0,0", "0")
        )
        .as_bytes(),
    );
    assert_eq!((name, delimiter, cells.len()), ("UTF-8", ',', 2));
    assert!(notes.is_empty());
}

#[test]
fn a_guess_is_said_with_its_reason_and_a_cell() {
    let reader = |bytes: &[u8]| {
        let reader = open(bytes).unwrap();
        (reader.reading().clone(), reader.notes().to_vec())
    };
    let (reading, notes) = reader(&in_encoding("windows-1252", GERMAN));
    assert_eq!(
        reading.encoding.unwrap().because,
        "byte 0xF6 in line 2 is not UTF-8 and the text reads as Western European"
    );
    assert_eq!((reading.columns, notes[0].line), (Some(4), Some(2)));
    assert!(
        notes[0].message.contains("'Jörg Müller'"),
        "{}",
        notes[0].message
    );
    // Macintosh line ends count as lines, too.
    let (reading, _) = reader(&in_encoding("windows-1252", &GERMAN.replace("\r\n", "\r")));
    assert!(reading.encoding.unwrap().because.contains("line 2"));
}

#[test]
fn the_first_odd_letter_may_come_late() {
    let mut list = "email,name\n".to_owned();
    for row in 0..60_000 {
        writeln!(list, "p{row}@x.org,Ann").unwrap();
    }
    list.push_str("z@x.org,Jörg Größe\n");
    let (name, _, cells, notes) = read(&in_encoding("windows-1252", &list));
    assert_eq!(name, "windows-1252");
    assert_eq!(cells[60_000][1], "Jörg Größe");
    assert!(
        notes[0].message.contains("'Jörg Größe'"),
        "{}",
        notes[0].message
    );
    assert_eq!(notes[0].line, Some(60_002));
}

#[test]
fn utf_16_is_read_with_and_without_a_mark() {
    let text = GERMAN.replace(';', "\t");
    for label in ["utf-16le", "utf-16be"] {
        let bare = in_encoding(label, &text);
        let marked = in_encoding(label, &format!("\u{feff}{text}"));
        let (name, delimiter, cells, notes) = read(&marked);
        assert_eq!((name.to_lowercase().as_str(), delimiter), (label, '\t'));
        assert!(notes.is_empty());
        assert_eq!(cells, read(text.as_bytes()).2);
        let guessed = read(&bare);
        assert_eq!((guessed.0, &guessed.2), (name, &cells));
        assert_eq!(guessed.3[0].code, "list-encoding-guessed");
        // Half a character at the end.
        let cut = last_error(bare.split_last().unwrap().1);
        let offset = bare.len() as u64 - 2;
        assert!(
            matches!(&cut, ReadError::NotText { offset: at, .. } if *at == offset),
            "{cut:?} {offset}"
        );
    }
    let mut lone = in_encoding("utf-16le", "\u{feff}email\na@x.org\nb@x.org\n");
    let at = lone.len() - 6;
    lone[at..at + 2].copy_from_slice(&[0x00, 0xD8]);
    let error = last_error(&lone);
    assert_eq!(error.place(), Some(Place { line: 3, row: 2 }));
    assert!(
        matches!(error, ReadError::NotText { offset, .. } if offset == at as u64),
        "{error}"
    );
}

#[test]
fn what_fits_two_encodings_is_settled_by_the_user() {
    let bytes = in_encoding("windows-1250", "email,name\na@x.org,Dvořák\n");
    let error = open(&bytes).unwrap_err();
    assert_eq!(error.code(), "list-encoding");
    assert!(error.to_string().contains("'Dvořák'"), "{error}");
    assert!(
        error.remedy().contains("encoding = \"windows-1250\""),
        "{}",
        error.remedy()
    );
    let options = ListOptions {
        encoding: Charset::named("CP1250"),
        ..ListOptions::default()
    };
    let mut reader = ListReader::open(Cursor::new(&bytes), &options).unwrap();
    assert!(reader.notes().is_empty());
    let Some(Ok(Item::Row(row, _))) = reader.next() else {
        panic!()
    };
    assert_eq!(row.cells[1], "Dvořák");
    // Where both read the same there is nothing to settle.
    assert_eq!(read(b"email,name\na@x.org,J\xF6rg\n").2[0][1], "Jörg");
}

#[test]
fn a_byte_that_the_encoding_has_no_character_for_is_refused() {
    let mut bytes = in_encoding("windows-1252", GERMAN);
    let at = bytes.iter().position(|byte| *byte == 0xC4).unwrap();
    bytes[at] = 0x81;
    let error = last_error(&bytes);
    assert_eq!(
        error.to_string(),
        format!(
            "line 3 (row 2): byte {} is 0x81, which is not windows-1252",
            at + 1
        )
    );
}

const LABELS: [&str; 12] = [
    "utf-8",
    "utf-16le",
    "utf-16be",
    "windows-1252",
    "windows-1250",
    "windows-1251",
    "iso-8859-15",
    "macintosh",
    "shift_jis",
    "gbk",
    "euc-kr",
    "big5",
];

proptest! {
    #[test]
    fn any_text_comes_back_in_every_encoding_that_can_hold_it(
        text in "([a-zéöüßœ€łšžЖяαω田中東京가나]|\\PC){0,30}",
        step in 1_usize..9,
    ) {
        for label in LABELS {
            let charset = Charset::named(label).unwrap();
            let list = format!("email;name\na@x.org;x\nb@x.org;\"{}\"\n", text.replace('"', "\"\""));
            let bytes = if label.starts_with("utf-16") {
                in_encoding(label, &list)
            } else {
                // Some encodings write two characters as the same bytes.
                let (bytes, _, lost) = charset.0.encode(&list);
                if lost || charset.0.decode_without_bom_handling(&bytes).0 != list {
                    continue;
                }
                bytes.into_owned()
            };
            let options = ListOptions { encoding: Some(charset), ..ListOptions::default() };
            let input = super::laws::Trickle(Cursor::new(&bytes), step);
            let last = ListReader::open(input, &options).unwrap().last();
            let Some(Ok(Item::Row(row, _))) = last else { panic!("{label} {last:?}") };
            prop_assert_eq!(&row.cells[1], &text);
        }
    }

    #[test]
    fn no_bytes_are_too_odd_in_any_encoding(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        step in 1_usize..9,
    ) {
        let mut list = b"email;name\n".to_vec();
        list.extend_from_slice(&bytes);
        for encoding in LABELS.map(Charset::named).into_iter().chain([None]) {
            for workbook in [false, true] {
                let options = ListOptions { workbook, encoding, ..ListOptions::default() };
                let input = super::laws::Trickle(Cursor::new(&list), step);
                if let Ok(reader) = ListReader::open(input, &options) {
                    let items: Vec<_> = reader.collect();
                    prop_assert!(items.iter().rev().skip(1).all(Result::is_ok));
                }
            }
        }
    }
}
