//! Lists of recipients as text, in whatever encoding.

use std::io::Cursor;

use postroom::recipients::{Address, Charset, Item, ListOptions, ListReader, Reading};

/// Whatever stands in a list: rows are counted one by one, a row that is taken has all its cells and a good
/// address, and what was read reads the same when it is written out in UTF-8.
pub fn lists(data: &[u8]) {
    let mut read = read(data, &ListOptions::default());
    if read.is_none() {
        read = self::read(
            data,
            &ListOptions {
                encoding: Charset::named("windows-1252"),
                ..ListOptions::default()
            },
        );
    }
    let Some((columns, rows)) = read else {
        return;
    };
    let mut written = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Always)
        .from_writer(Vec::new());
    for cells in std::iter::once(&columns).chain(&rows) {
        written.write_record(cells).expect("memory takes all");
    }
    let written = written.into_inner().expect("memory takes all");
    let again = self::read(
        &written,
        &ListOptions {
            encoding: Charset::named("utf-8"),
            delimiter: Some(b','),
            ..ListOptions::default()
        },
    );
    if !rows.is_empty() {
        assert_eq!(again, Some((columns, rows)), "reads otherwise once written");
    }
}

/// The columns, and the cells of rows that can be written to; none when there are no rows to be had.
pub(super) fn read(data: &[u8], options: &ListOptions) -> Option<(Vec<String>, Vec<Vec<String>>)> {
    let mut list = match ListReader::open(Cursor::new(data), options) {
        Ok(list) => list,
        Err(refused) => {
            assert!(!refused.to_string().is_empty() && !refused.error.remedy().is_empty());
            return None;
        }
    };
    let Reading { columns, .. } = list.reading();
    let names = list.columns().names().to_vec();
    assert_eq!(*columns, Some(names.len()));
    let at = list.columns().index_of(list.address_column());
    let at = at.expect("the column of addresses is one of the columns");
    let (mut rows, mut count, mut line) = (Vec::new(), 0, 0);
    let mut failed = false;
    for item in list.by_ref() {
        assert!(!failed, "it goes on after an error");
        let row = match &item {
            Ok(Item::Row(row, address)) => {
                assert_eq!(row.cells.len(), names.len());
                let cell = row.cells.get(at).expect("a row has all cells");
                assert_eq!(Address::parse(cell).as_ref(), Ok(address));
                rows.push(row.cells.clone());
                row
            }
            Ok(Item::Invalid(row, problems)) => {
                assert!(!problems.is_empty());
                row
            }
            Err(error) => {
                assert!(!error.remedy().is_empty());
                failed = true;
                continue;
            }
        };
        count += 1;
        assert_eq!(row.number, count, "rows are counted one by one");
        assert!(row.line > line, "lines go forward");
        line = row.line;
    }
    Some((names, rows))
}
