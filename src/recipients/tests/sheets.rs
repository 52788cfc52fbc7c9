use std::io::Cursor;

use proptest::prelude::*;
use rust_xlsxwriter::{Format, Formula, Workbook, Worksheet, XlsxError};

use crate::recipients::{
    DateStyle, Item, ListOptions, ListReader, NumberStyle, ProblemKind, ReadError, SheetError,
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
    ListReader::open(Cursor::new(bytes), options).map_err(|refused| refused.error)
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
        ("yyyy-mm-dd", "2026-12-24"),
        ("yyyy\\-mm\\-dd\\Thh:mm:ss", "2026-12-24T18:05:09"),
        ("dd.mm.yyyy hh:mm", "24.12.2026 18:05"),
        ("h:mm AM/PM", "6:05 PM"),
        ("mm:ss", "05:09"),
        ("[$-409]mmmm d, yyyy", "December 24, 2026"),
        ("[$-809]ddd dd mmm", "Thu 24 Dec"),
        ("[$-407]dd.mm.yyyy", "24.12.2026"),
        // The stroke is the sign of the format's language.
        ("[$-407]dd/mm/yyyy", "24.12.2026"),
        ("[$-40C]dd/mm/yyyy", "24/12/2026"),
        ("[$-413]dd/mm/yyyy", "24-12-2026"),
        ("[$-407]d/\\ mmmm\\ yyyy", "24. Dezember 2026"),
        (
            "[$-407]dddd, \"\"d/\\ mmmm\\ yyyy",
            "Donnerstag, 24. Dezember 2026",
        ),
        ("[$-40C]dddd\\ d\\ mmmm\\ yyyy", "jeudi 24 décembre 2026"),
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
        (46_380.0, "[$-407]d. mmm yyyy", "2026-12-24"),
        (46_380.0, "[$-411]d. mmmm yyyy", "2026-12-24"),
        (46_380.0, "[$-F800]dddd, mmmm dd, yyyy", "2026-12-24"),
        (-1.0, "dd.mm.yyyy", "-1"),
        (2.0, "# ?/?", "2"),
        (5.0, "[>3]\"many\";0", "5"),
    ] {
        let notes = vec!["sheet-format"];
        assert_eq!(number(value, format), (text.to_owned(), notes), "{format}");
    }
    let notes = vec!["sheet-dates"];
    let shown_with_strokes = number(46_380.0, "m/d/yyyy");
    assert_eq!(shown_with_strokes, ("12/24/2026".to_owned(), notes));
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
    assert_eq!(reader.reading().columns, Some(3));
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

/// The cells of each row that can be written to, and the codes of the notes.
fn rows(bytes: &[u8], options: &ListOptions) -> (Vec<Vec<String>>, Vec<&'static str>) {
    let reader = open(bytes, options).unwrap();
    let notes = reader.notes().iter().map(|note| note.code).collect();
    let cells = |item| match item {
        Ok(Item::Row(row, _)) => row.cells,
        other => panic!("{other:?}"),
    };
    (reader.map(cells).collect(), notes)
}

#[test]
fn how_dates_are_written_is_the_users_word() {
    let bytes = workbook(|sheet| {
        let strokes = Format::new().set_num_format("dd/mm/yy");
        let german = Format::new().set_num_format("[$-407]dd/mm/yy");
        let short = Format::new().set_num_format_index(14);
        let timed = Format::new().set_num_format_index(22);
        for (column, name) in ["email", "a", "b", "c", "d"].into_iter().enumerate() {
            sheet.write(0, column as u16, name)?;
        }
        sheet.write(1, 0, "a@x.org")?;
        for (column, format) in (1..).zip([strokes, german, short, timed]) {
            sheet.write_number_with_format(1, column, 46_082.25, &format)?;
        }
        Ok(())
    });
    for (example, wanted) in [
        (
            "01.03.2026",
            ["01.03.26", "01.03.26", "01.03.2026", "01.03.2026 06:00"],
        ),
        (
            "3/1/2026",
            ["01/03/26", "01.03.26", "3/1/2026", "3/1/2026 06:00"],
        ),
        (
            "2026-03-01",
            ["01-03-26", "01.03.26", "2026-03-01", "2026-03-01 06:00"],
        ),
    ] {
        let options = ListOptions {
            dates: DateStyle::by_example(example),
            ..options()
        };
        let (rows, notes) = rows(&bytes, &options);
        assert_eq!(rows[0][1..], wanted);
        assert_eq!(notes, Vec::<&str>::new(), "{example}");
    }
    for wrong in [
        "",
        "1.3",
        "24.12.2026",
        "01.03.03",
        "01,03,2026",
        "1 March 2026",
    ] {
        assert_eq!(DateStyle::by_example(wrong), None, "{wrong}");
    }
    for example in DateStyle::EXAMPLES {
        assert!(DateStyle::by_example(example).is_some(), "{example}");
    }
}

#[test]
fn what_merged_cells_show_is_in_each_of_their_rows() {
    let bytes = workbook(|sheet| {
        let plain = Format::new();
        sheet.merge_range(0, 3, 1, 3, "", &plain)?;
        sheet
            .write(0, 0, "email")?
            .write(0, 1, "office")?
            .write(0, 2, "name")?;
        sheet.write(0, 3, "note")?;
        for (row, who) in (1..).zip(["a@x.org", "b@x.org", "c@x.org", "d@x.org"]) {
            sheet.write(row, 0, who)?.write(row, 2, who)?;
        }
        sheet.merge_range(1, 1, 3, 1, "Berlin", &plain)?;
        sheet.write(4, 1, "Ulm")?;
        // Beside each other: one cell with the first column's text.
        sheet.merge_range(4, 2, 4, 3, "D", &plain)?;
        // Below the list there is nobody to have it.
        sheet.merge_range(7, 0, 9, 0, "", &plain)?;
        Ok(())
    });
    let reader = open(&bytes, &options()).unwrap();
    let [note] = reader.notes() else {
        panic!("{:?}", reader.notes())
    };
    assert_eq!((note.code, note.line), ("sheet-merged", Some(2)));
    assert_eq!(
        note.message,
        "cell B2 is merged down to row 4 of the sheet, and each row beside it says 'Berlin'"
    );
    let (rows, _) = rows(&bytes, &options());
    let offices: Vec<&str> = rows.iter().map(|row| row[1].as_str()).collect();
    assert_eq!(offices, ["Berlin", "Berlin", "Berlin", "Ulm"]);
    assert_eq!(rows[3], ["d@x.org", "Ulm", "D", ""]);
    assert_eq!(rows[0][3], "", "the header's merged cell is not a person's");
}

/// A workbook with one of its parts changed.
fn changed(bytes: &[u8], part: &str, change: impl Fn(String) -> String) -> Vec<u8> {
    let mut old = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut new = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..old.len() {
        let mut file = old.by_index(at).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut content).unwrap();
        if name == part {
            let text = String::from_utf8(content).unwrap();
            let text_after = change(text.clone());
            assert_ne!(text_after, text, "{part}");
            content = text_after.into_bytes();
        }
        new.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        std::io::Write::write_all(&mut new, &content).unwrap();
    }
    new.finish().unwrap().into_inner()
}

#[test]
fn days_are_counted_from_1904_where_the_workbook_says_so() {
    let bytes = workbook(|sheet| {
        let format = Format::new().set_num_format("dd.mm.yyyy hh:mm");
        sheet
            .write(0, 0, "email")?
            .write(0, 1, "start")?
            .write(0, 2, "zero")?;
        sheet.write(1, 0, "a@x.org")?;
        sheet.write_number_with_format(1, 1, 44_620.25, &format)?;
        sheet.write_number_with_format(1, 2, 0, &format)?;
        Ok(())
    });
    let from_1904 = changed(&bytes, "xl/workbook.xml", |text| {
        text.replace("<workbookPr ", "<workbookPr date1904=\"true\" ")
    });
    let (early, _) = rows(&from_1904, &options());
    assert_eq!(early[0][1..], ["01.03.2026 06:00", "01.01.1904 00:00"]);
    let (usual, _) = rows(&bytes, &options());
    assert_eq!(usual[0][1], "28.02.2022 06:00");
}

#[test]
fn rows_that_the_spreadsheet_hides_are_read_and_said() {
    let mut workbook = Workbook::new();
    let other = workbook.add_worksheet();
    other.write(0, 0, "email").unwrap();
    other.set_row_hidden(1).unwrap();
    let sheet = workbook.add_worksheet().set_name("Staff & more").unwrap();
    sheet.write(0, 0, "email").unwrap();
    sheet.set_row_hidden(0).unwrap();
    for row in 1..=14 {
        // Row 3 of the sheet is blank: it is hidden, and nobody's.
        if row != 2 {
            sheet.write(row, 0, format!("p{row}@x.org")).unwrap();
        }
        if row != 5 {
            sheet.set_row_hidden(row).unwrap();
        }
    }
    let bytes = workbook.save_to_buffer().unwrap();
    let staff = ListOptions {
        sheet: Some("Staff & more".to_owned()),
        ..options()
    };
    let reader = open(&bytes, &staff).unwrap();
    let [note] = reader.notes() else {
        panic!("{:?}", reader.notes())
    };
    assert_eq!((note.code, note.line), ("sheet-hidden-rows", Some(2)));
    assert_eq!(
        note.message,
        "12 of 13 rows are hidden in the spreadsheet, by hand or by its filter, and are read all the same: \
         rows 1, 2, 3, 5, 6, 7, 8, 9, 10, 11 and 2 more"
    );
    assert_eq!(reader.count(), 13);
}

/// Lists that an office program wrote (see `fixtures/README.md`), as their sheets show them.
#[test]
fn lists_saved_by_an_office_program_read_as_they_are_shown() {
    let german = ListOptions {
        numbers: NumberStyle::by_example("1.234,56"),
        dates: DateStyle::by_example("01.03.2026"),
        ..options()
    };
    let (de, notes) = rows(include_bytes!("fixtures/office-de.xlsx"), &german);
    assert_eq!(notes, Vec::<&str>::new());
    assert_eq!(
        de[0],
        [
            "anna@contoso.com",
            "Jörg",
            "01.03.2026",
            "1. März 2026",
            "Sonntag, 1. März 2026",
            "01.03.26",
            "00123",
            "01067",
            "1.234,50 €",
            "12,5 %",
            "2.469,00 €",
            "Jörg 00123",
            "FALSCH",
            "08:05",
            "86282"
        ]
    );
    assert_eq!(
        de[1][8..13],
        ["-99,90 €", "50,0 %", "-199,80 €", "Zoë 00007", "WAHR"]
    );
    let french = ListOptions {
        numbers: NumberStyle::by_example("1 234,56"),
        ..options()
    };
    let (fr, notes) = rows(include_bytes!("fixtures/office-fr.xlsx"), &french);
    assert_eq!(notes, Vec::<&str>::new());
    assert_eq!(
        fr[1][2..6],
        [
            "31/12/1999",
            "31 décembre 1999",
            "vendredi, 31 décembre 1999",
            "31/12/1999"
        ]
    );
    let (days, _) = rows(include_bytes!("fixtures/office-1904.xlsx"), &german);
    assert_eq!(days[0][2..4], ["01.03.2026", "1. März 2026"]);
    let (merged, notes) = rows(include_bytes!("fixtures/office-merged.xlsx"), &german);
    let offices: Vec<&str> = merged.iter().map(|row| row[2].as_str()).collect();
    assert_eq!(offices, ["Einkauf", "Einkauf", "Einkauf", "Vertrieb"]);
    assert_eq!(notes, ["sheet-merged"]);
    let (hidden, notes) = rows(include_bytes!("fixtures/office-hidden.xlsx"), &german);
    assert_eq!((hidden.len(), hidden[0][6].as_str()), (4, "00123"));
    assert_eq!(notes, ["sheet-hidden-rows"]);
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
