use std::io::Cursor;

use proptest::prelude::*;
use rust_xlsxwriter::{Format, Formula, Workbook, Worksheet, XlsxError};

use crate::recipients::{
    Item, ListOptions, ListReader, NumberStyle, ProblemKind, ReadError, SheetError,
};

fn workbook(fill: impl FnOnce(&mut Worksheet) -> Result<(), XlsxError>) -> Vec<u8> {
    let mut workbook = Workbook::new();
    fill(workbook.add_worksheet()).unwrap();
    workbook.save_to_buffer().unwrap()
}

fn options() -> ListOptions {
    ListOptions {
        workbook: true,
        ..ListOptions::default()
    }
}

fn open<'a>(
    bytes: &'a [u8],
    options: &ListOptions,
) -> Result<ListReader<Cursor<&'a [u8]>>, ReadError> {
    ListReader::open(Cursor::new(bytes), options)
}

/// The second cell of the only row, and the codes of the notes.
fn shown(fill: impl FnOnce(&mut Worksheet)) -> (String, Vec<&'static str>) {
    let bytes = workbook(|sheet| {
        sheet.write(0, 0, "email")?.write(0, 1, "what")?;
        sheet.write(1, 0, "a@x.org")?;
        fill(sheet);
        Ok(())
    });
    let mut reader = open(&bytes, &options()).unwrap();
    let notes = reader.notes().iter().map(|note| note.code).collect();
    let Some(Ok(Item::Row(row, _))) = reader.next() else {
        panic!("no row")
    };
    (row.cells[1].clone(), notes)
}

fn number(value: f64, format: &str) -> (String, Vec<&'static str>) {
    shown(|sheet| {
        let format = Format::new().set_num_format(format);
        sheet
            .write_number_with_format(1, 1, value, &format)
            .unwrap();
    })
}

#[test]
fn numbers_are_read_as_their_format_shows_them() {
    for (value, format, text) in [
        (42.0, "General", "42"),
        (123_456_789_012.0, "General", "123456789012"),
        (7.0, "00000", "00007"),
        (0.5, "0%", "50%"),
        (0.0725, "0 %", "7 %"),
        (-5.0, "0", "-5"),
        (1.0, "0\" days\"", "1 days"),
        (491_234_567.0, "00 00 00 00 00", "04 91 23 45 67"),
        (12.0, "#,##0", "12"),
        (-3.0, "0;(0)", "(3)"),
        (0.0, "0;-0;\"none\"", "none"),
        (3.0, "[Red]0", "3"),
        (1_500_000.0, "0,,\" M\"", "2 M"),
        (5.0, "0 [$€-407]", "5 €"),
    ] {
        assert_eq!(number(value, format), (text.to_owned(), vec![]), "{format}");
    }
    for (value, format, text) in [
        (1234.5, "#,##0.00", "1,234.50"),
        (1234.5, "#,##0.00 \"€\"", "1,234.50 €"),
        (1234.5, "#,##0.00\\ [$€-407]", "1,234.50 €"),
        (1.005, "0.00", "1.01"),
        (0.1 + 0.2, "General", "0.3"),
        (2.5, "0.0#", "2.5"),
        (0.075, "0.0%", "7.5%"),
        (1234.0, "#,##0", "1,234"),
        (
            1234.5,
            "_-* #,##0.00\\ \"€\"_-;-* #,##0.00\\ \"€\"_-",
            "1,234.50 €",
        ),
    ] {
        let notes = vec!["sheet-numbers"];
        assert_eq!(number(value, format), (text.to_owned(), notes), "{format}");
    }
}

#[test]
fn how_numbers_are_divided_is_the_users_word() {
    let bytes = workbook(|sheet| {
        let format = Format::new().set_num_format("#,##0.00");
        sheet.write(0, 0, "email")?.write(0, 1, "pay")?;
        sheet.write(1, 0, "a@x.org")?;
        sheet.write_number_with_format(1, 1, 1234.5, &format)?;
        Ok(())
    });
    for (example, text) in [("1.234,56", "1.234,50"), ("1 234,56", "1 234,50")] {
        let options = ListOptions {
            numbers: NumberStyle::by_example(example),
            ..options()
        };
        let mut reader = open(&bytes, &options).unwrap();
        assert!(reader.notes().is_empty());
        let Some(Ok(Item::Row(row, _))) = reader.next() else {
            panic!()
        };
        assert_eq!(row.cells[1], text);
    }
    for wrong in ["1234", "1.234.56", "1x234,56", ""] {
        assert_eq!(NumberStyle::by_example(wrong), None);
    }
}

#[test]
fn dates_are_read_as_their_format_shows_them() {
    // 24 December 2026, 18:05:09.
    let moment = 46_380.0 + (18.0 * 3600.0 + 5.0 * 60.0 + 9.0) / 86_400.0;
    for (format, text) in [
        ("dd.mm.yyyy", "24.12.2026"),
        ("dd.mm.yyyy;@", "24.12.2026"),
        ("d.m.yy", "24.12.26"),
        ("m/d/yyyy", "12/24/2026"),
        ("yyyy-mm-dd", "2026-12-24"),
        ("yyyy\\-mm\\-dd\\Thh:mm:ss", "2026-12-24T18:05:09"),
        ("dd.mm.yyyy hh:mm", "24.12.2026 18:05"),
        ("h:mm AM/PM", "6:05 PM"),
        ("mm:ss", "05:09"),
        ("[$-409]mmmm d, yyyy", "December 24, 2026"),
        ("[$-809]ddd dd mmm", "Thu 24 Dec"),
        ("[$-407]dd.mm.yyyy", "24.12.2026"),
    ] {
        assert_eq!(
            number(moment, format),
            (text.to_owned(), vec![]),
            "{format}"
        );
    }
    assert_eq!(number(1.5, "[h]:mm").0, "36:00");
    assert_eq!(number(0.75, "hh:mm").0, "18:00");
}

#[test]
fn what_cannot_be_shown_exactly_is_said() {
    for (value, format, text) in [
        (46_380.0, "d. mmmm yyyy", "2026-12-24"),
        (46_380.0, "[$-407]d. mmmm yyyy", "2026-12-24"),
        (46_380.0, "[$-F800]dddd, mmmm dd, yyyy", "2026-12-24"),
        (-1.0, "dd.mm.yyyy", "-1"),
        (2.0, "# ?/?", "2"),
        (5.0, "[>3]\"many\";0", "5"),
    ] {
        let notes = vec!["sheet-format"];
        assert_eq!(number(value, format), (text.to_owned(), notes), "{format}");
    }
    let date = Format::new().set_num_format_index(14);
    let (text, notes) = shown(|sheet| {
        sheet.write_number_with_format(1, 1, 46_380, &date).unwrap();
    });
    assert_eq!((text.as_str(), notes), ("2026-12-24", vec!["sheet-format"]));
}

#[test]
fn texts_truths_and_formulas_are_read_as_they_stand() {
    assert_eq!(
        shown(|sheet| drop(sheet.write_string(1, 1, "00123"))).0,
        "00123"
    );
    assert_eq!(
        shown(|sheet| drop(sheet.write_boolean(1, 1, true))).0,
        "TRUE"
    );
    let formula = Formula::new("=1+1").set_result("2");
    assert_eq!(
        shown(|sheet| drop(sheet.write_formula(1, 1, formula))).0,
        "2"
    );
}

#[test]
fn rows_and_lines_are_those_of_the_sheet() {
    let bytes = workbook(|sheet| {
        // The list begins in C3.
        sheet
            .write(2, 2, "email")?
            .write(2, 3, "name")?
            .write(2, 4, "n")?;
        sheet.write(3, 2, "a@x.org")?;
        sheet.write_string_with_format(4, 3, "", &Format::new().set_bold())?;
        sheet.write(6, 2, "b@x.org")?.write(6, 3, " Bob ")?;
        sheet.write(7, 2, "c@x.org")?.write(7, 5, "beyond")?;
        sheet.write(8, 2, "d@x.org")?;
        let missing = Formula::new("=NA()").set_result("#N/A");
        sheet.write_formula(8, 3, missing)?;
        sheet.write(9, 0, "left")?.write(9, 2, "e@x.org")?;
        Ok(())
    });
    let reader = open(&bytes, &options()).unwrap();
    assert_eq!(reader.reading().sheet.as_deref(), Some("Sheet1"));
    assert_eq!(reader.reading().columns, 3);
    let items: Vec<_> = reader.map(Result::unwrap).collect();
    let Item::Row(row, _) = &items[1] else {
        panic!()
    };
    assert_eq!((row.number, row.line), (2, 7));
    assert_eq!(row.cells, ["b@x.org", " Bob ", ""]);
    let problem = |at: usize| match &items[at] {
        Item::Invalid(_, problems) => problems[0].clone(),
        item @ Item::Row(..) => panic!("{item:?}"),
    };
    assert_eq!(problem(2).cell.as_deref(), Some("F8"));
    assert!(matches!(
        problem(2).kind,
        ProblemKind::Ragged {
            cells: 4,
            columns: 3,
            ..
        }
    ));
    assert_eq!(
        problem(3).kind,
        ProblemKind::CellError {
            shown: "#N/A".to_owned()
        }
    );
    assert_eq!(
        (problem(3).cell.as_deref(), problem(3).column.as_deref()),
        (Some("D9"), Some("name"))
    );
    assert_eq!(
        problem(4).kind,
        ProblemKind::Outside {
            cell: "A10".to_owned()
        }
    );
    assert_eq!(items.len(), 5);
}

#[test]
fn the_sheet_is_the_first_or_the_one_named() {
    let mut workbook = Workbook::new();
    for (name, header) in [("Notes", "mail"), ("Staff 2026", "email")] {
        let sheet = workbook.add_worksheet().set_name(name).unwrap();
        sheet.write(0, 0, header).unwrap();
        sheet.write(1, 0, "a@x.org").unwrap();
    }
    let bytes = workbook.save_to_buffer().unwrap();
    let named = |sheet: Option<&str>| {
        let sheet = sheet.map(str::to_owned);
        let reader = open(&bytes, &ListOptions { sheet, ..options() });
        reader.map(|reader| reader.address_column().to_owned())
    };
    assert_eq!(named(None).unwrap(), "mail");
    assert_eq!(named(Some("staff 2026")).unwrap(), "email");
    let error = named(Some("Staf")).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the sheets are: Notes, Staff 2026"),
        "{error}"
    );
    assert!(error.remedy().contains("Staff 2026"), "{}", error.remedy());
    let text = ListOptions {
        sheet: Some("Staff".to_owned()),
        ..ListOptions::default()
    };
    assert!(matches!(
        open(b"email\n", &text),
        Err(ReadError::Sheet(SheetError::TextHasNone))
    ));
}

#[test]
fn what_is_no_workbook_or_bursts_is_refused() {
    let refused = |bytes: &[u8]| open(bytes, &options()).unwrap_err();
    assert!(matches!(
        refused(b"email\na@x.org\n"),
        ReadError::Sheet(SheetError::NoWorkbook)
    ));
    assert!(matches!(
        refused(b""),
        ReadError::Sheet(SheetError::NoWorkbook)
    ));
    assert!(matches!(
        refused(b"\xD0\xCF\x11\xE0\xA1\xB1"),
        ReadError::Compound
    ));
    let packed = |parts: &[(&str, Vec<u8>)]| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in parts {
            let options = zip::write::SimpleFileOptions::default();
            zip.start_file(*name, options).unwrap();
            std::io::Write::write_all(&mut zip, content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let ods = packed(&[("content.xml", vec![])]);
    assert!(matches!(
        refused(&ods),
        ReadError::Sheet(SheetError::OpenDocument)
    ));
    let bomb = packed(&[("xl/styles.xml", vec![b' '; 9 << 20])]);
    assert!(bomb.len() < 100_000);
    assert!(matches!(
        refused(&bomb),
        ReadError::Sheet(SheetError::Bursting { mib: 8, .. })
    ));
    let claim = b"<sst uniqueCount=\"99999999999999\"><si/></sst>".to_vec();
    let claim = packed(&[("xl/sharedStrings.xml", claim)]);
    assert!(matches!(
        refused(&claim),
        ReadError::Sheet(SheetError::Bursting { .. })
    ));
    let other = packed(&[("readme.txt", b"hello".to_vec())]);
    assert!(matches!(
        refused(&other),
        ReadError::Sheet(SheetError::Damaged(_))
    ));
}

proptest! {
    #[test]
    fn no_workbook_is_too_odd(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6)) {
        let mut bytes = workbook(|sheet| {
            sheet.write(0, 0, "email")?;
            sheet.write(1, 0, "a@x.org")?;
            Ok(())
        });
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(reader) = open(&bytes, &options()) {
            let _ = reader.count();
        }
    }

    #[test]
    fn no_number_format_is_too_odd(format in "([#0?.,%;\\[\\]$\"\\\\_*@/yMmdhsAPE+ -]|\\PC){1,12}", value in any::<f64>()) {
        use crate::recipients::sheet::shown;
        let _ = shown(&format, value);
        let _ = shown(&format, value % 3_000_000.0);
    }
}
