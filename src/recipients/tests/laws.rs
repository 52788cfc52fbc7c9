use std::io::{Cursor, Read, Seek, SeekFrom};

use proptest::prelude::*;

use crate::recipients::{Address, Duplicates, Item, ListOptions, ListReader, Mailbox};

fn written(delimiter: u8, rows: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).unwrap();
    }
    writer.into_inner().unwrap()
}

/// Any text that a cell may hold.
fn cell() -> impl Strategy<Value = String> {
    let plain = proptest::char::any().prop_filter("no control", |c| !c.is_control());
    let odd = prop_oneof![
        Just(','),
        Just(';'),
        Just('"'),
        Just('\n'),
        Just('\r'),
        Just('\t'),
        Just(' ')
    ];
    proptest::collection::vec(prop_oneof![plain, odd], 0..24).prop_map(String::from_iter)
}

fn local() -> impl Strategy<Value = String> {
    prop_oneof![
        r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,12}(\.[a-zA-Z0-9_-]{1,12}){0,3}",
        r#""[a-zA-Z0-9 @,;.]{1,20}""#,
    ]
}

fn domain() -> impl Strategy<Value = String> {
    r"([a-zA-Z0-9]([a-zA-Z0-9-]{0,10}[a-zA-Z0-9])?\.){1,4}[a-z]{2,8}"
        .prop_filter("no punycode", |domain| {
            !domain.to_lowercase().contains("xn--")
        })
}

/// A reader that hands over few bytes at a time, so that every border falls everywhere.
pub(super) struct Trickle<'a>(pub(super) Cursor<&'a [u8]>, pub(super) usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(buffer.len());
        self.0.read(&mut buffer[..count])
    }
}

impl Seek for Trickle<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

proptest! {
    #[test]
    fn any_cell_survives(
        cells in proptest::collection::vec((cell(), cell()), 1..12),
        delimiter in prop_oneof![Just(b','), Just(b';'), Just(b'\t')],
        step in 1_usize..40,
    ) {
        let mut rows = vec![vec!["Note".to_owned(), "email".to_owned(), "more".to_owned()]];
        rows.extend(cells.iter().map(|(a, b)| vec![a.clone(), "a@x.org".to_owned(), b.clone()]));
        let bytes = written(delimiter, &rows);
        let reader = ListReader::open(Trickle(Cursor::new(&bytes), step), &ListOptions::default()).unwrap();
        prop_assert_eq!(reader.delimiter(), delimiter);
        let mut line = 2;
        for (at, (item, (a, b))) in reader.zip(&cells).enumerate() {
            let Ok(Item::Row(row, address)) = item else { panic!("{item:?}") };
            prop_assert_eq!(row.number, at as u64 + 1);
            prop_assert_eq!(row.line, line);
            prop_assert_eq!(&row.cells, &[a.clone(), "a@x.org".to_owned(), b.clone()]);
            prop_assert_eq!(address.as_str(), "a@x.org");
            let text = format!("{a},{b}").replace("\r\n", "\n").replace('\r', "\n");
            line += 1 + text.matches('\n').count() as u64;
        }
        prop_assert_eq!(ListReader::open(Cursor::new(&bytes), &ListOptions::default()).unwrap().count(), cells.len());
    }

    #[test]
    fn well_formed_addresses_are_accepted_and_understood_by_the_sender(local in local(), domain in domain()) {
        let address = Address::parse(&format!("{local}@{domain}")).unwrap();
        prop_assert_eq!(address.local(), local.as_str());
        prop_assert_eq!(address.domain(), domain.to_lowercase());
        let ascii = address.to_ascii().unwrap();
        prop_assert!(ascii.parse::<lettre::Address>().is_ok(), "{}", ascii);
        prop_assert_eq!(&Address::parse(&ascii).unwrap(), &address);
    }

    #[test]
    fn a_person_is_the_same_in_any_case(local in local(), domain in domain()) {
        let text = format!("{local}@{domain}");
        let address = Address::parse(&text).unwrap();
        let key = address.key();
        prop_assert_eq!(&key.to_lowercase(), &key);
        prop_assert_eq!(&Address::parse(&text.to_uppercase()).unwrap().key(), &key);
        if let Ok(again) = Address::parse(&key) {
            prop_assert_eq!(again.key(), key);
        }
        let mut duplicates = Duplicates::new();
        prop_assert_eq!(duplicates.first_row(&address, 1), None);
        prop_assert_eq!(duplicates.first_row(&Address::parse(&text.to_lowercase()).unwrap(), 2), Some(1));
    }

    #[test]
    fn what_is_accepted_is_clean_and_stays_as_it_is(text in "(\\PC|[@.,;<>\"\\\\ \r\n\u{0}-]){0,40}") {
        for text in [text.clone(), format!("{text}@x.org"), format!("a@{text}"), format!("a@{text}.org")] {
            if let Ok(address) = Address::parse(&text) {
                prop_assert!(!address.as_str().contains(char::is_control));
                prop_assert!(address.as_str().len() <= 254);
                prop_assert!(address.domain().is_ascii());
                let again = Address::parse(address.as_str()).unwrap();
                prop_assert_eq!(again.as_str(), address.as_str());
                prop_assert_eq!(again.key(), address.key());
            }
        }
        for text in [text.clone(), format!("{text}<a@x.org>"), format!("\"{text}\" <a@x.org>")] {
            if let Ok(Mailbox { name: Some(name), .. }) = Mailbox::parse(&text) {
                prop_assert!(!name.is_empty() && !name.contains(char::is_control));
            }
        }
    }

    #[test]
    fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..200), step in 1_usize..9) {
        let mut list = b"email,name\n".to_vec();
        list.extend_from_slice(&bytes);
        for list in [&bytes, &list] {
            if let Ok(reader) = ListReader::open(Trickle(Cursor::new(list), step), &ListOptions::default()) {
                let items: Vec<_> = reader.collect();
                prop_assert!(items.iter().rev().skip(1).all(Result::is_ok));
            }
        }
    }

    #[test]
    fn no_text_is_too_odd(text in "([\"\r\n,;\t a@.x]|\\PC){0,80}", step in 1_usize..9) {
        let list = format!("email,name\n{text}");
        let whole: Vec<_> = ListReader::open(Cursor::new(&list), &ListOptions::default()).unwrap().map(|item| format!("{item:?}")).collect();
        let trickled: Vec<_> = ListReader::open(Trickle(Cursor::new(list.as_bytes()), step), &ListOptions::default()).unwrap().map(|item| format!("{item:?}")).collect();
        prop_assert_eq!(whole, trickled);
    }
}
