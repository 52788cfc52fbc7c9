//! What cannot be done without.

use std::collections::HashSet;
use std::fs;
use std::time::Instant;

use postroom::recipients::{Address, Columns};
use postroom::template::{Source, Sources, TemplateSet};

use super::home::{Home, Kind};

/// Seconds to parse the list, check each address, see that it comes once, and insert the rows in one transaction.
pub(crate) fn of_planning(home: &Home) -> f64 {
    let path = home.path().join("floor.db");
    for file in [&path, &home.path().join("floor.db-wal")] {
        let _ = fs::remove_file(file);
    }
    let list = home.folder(Kind::Shared).join("list.csv");
    let begin = Instant::now();
    let mut connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .unwrap();
    connection
        .pragma_update(None, "synchronous", "FULL")
        .unwrap();
    let sql =
        "CREATE TABLE t (row INTEGER PRIMARY KEY, address TEXT NOT NULL, cells TEXT NOT NULL)";
    connection.execute(sql, []).unwrap();
    let transaction = connection.transaction().unwrap();
    let mut insert = transaction
        .prepare("INSERT INTO t (row, address, cells) VALUES (?, ?, ?)")
        .unwrap();
    let mut seen: HashSet<String> = HashSet::new();
    let mut reader = csv::Reader::from_path(list).unwrap();
    let mut record = csv::StringRecord::new();
    let mut row = 0_u64;
    while reader.read_record(&mut record).unwrap() {
        row += 1;
        let address = Address::parse(record.get(0).unwrap()).unwrap();
        assert!(seen.insert(address.key()));
        let cells: Vec<&str> = record.iter().collect();
        let cells = serde_json::to_string(&cells).unwrap();
        insert.execute((row, address.as_str(), cells)).unwrap();
    }
    drop(insert);
    transaction.commit().unwrap();
    drop(connection);
    begin.elapsed().as_secs_f64()
}

/// Seconds to render every row of the list with all cores, and nothing else.
pub(crate) fn of_rendering(home: &Home) -> f64 {
    let page = fs::read_to_string(home.folder(Kind::Personal).join("news.html.hbs")).unwrap();
    let sources = Sources {
        subject: Source::new("subject", "News"),
        html: Some(Source::new("html", page)),
        ..Sources::default()
    };
    let set = TemplateSet::compile(&sources).unwrap();
    let columns = Columns::new(["email", "first_name", "office"].map(str::to_owned)).unwrap();
    let threads = std::thread::available_parallelism().unwrap().get();
    let render = |thread: usize| {
        let mut bytes = 0;
        for n in (thread..home.rows()).step_by(threads) {
            let cells = [
                format!("p{n}@contoso.com"),
                format!("P{n}"),
                "Oslo".to_owned(),
            ];
            let rendered = set.render(columns.data_of(&cells)).unwrap();
            bytes += rendered.html.unwrap().len();
        }
        bytes
    };
    let begin = Instant::now();
    let bytes: usize = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || render(thread)))
            .collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap())
            .sum()
    });
    assert!(bytes > 0);
    begin.elapsed().as_secs_f64()
}
