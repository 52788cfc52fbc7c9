//! What a report looks like, and where it is written.

use crate::home::Home;
use crate::server::Server;

/// A campaign of three, of whom one is refused.
fn sent(home: &Home) -> Server {
    let server = Server::start(home, &["--refuse", "p2@*"]);
    home.account(&server, "");
    home.campaign("t", 3, true);
    home.run(&["send", "news", "--yes"]).exits(1);
    server
}

#[test]
fn a_table_ends_with_what_it_comes_to_and_why() {
    let home = Home::new();
    let _server = sent(&home);
    let table = home.run(&["report", "news"]).exits(0).out;
    let lines: Vec<&str> = table.lines().collect();
    let column = lines[0].find("email").unwrap();
    for (line, address) in lines[1..4].iter().zip(["p1@", "p2@", "p3@"]) {
        assert!(line[column..].starts_with(address), "{table}");
    }
    assert!(table.contains("3 rows: 2 sent, 1 refused"), "{table}");
    assert!(table.contains("→ "), "{table}");
    let only = home
        .run(&["report", "news", "--outcome", "refused"])
        .exits(0)
        .out;
    assert!(only.contains("p2@") && !only.contains("p1@"), "{only}");
    let nobody = home
        .run(&["report", "news", "--outcome", "in-doubt,filtered"])
        .exits(0);
    assert!(nobody.err.contains("no row"), "{nobody:?}");
    home.run(&["report", "news", "--outcome", "lost"]).exits(2);
}

#[test]
fn a_spreadsheet_gets_what_its_region_expects() {
    let home = Home::new();
    let _server = sent(&home);
    let run = |args: &[&str], locale: &str| {
        let output = home.command(args).env("LANG", locale).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let excel = ["report", "news", "--excel"];
    assert!(run(&excel, "de_DE.UTF-8").starts_with("\u{feff}row;email;outcome;sent_at"));
    assert!(run(&excel, "en_US.UTF-8").starts_with("\u{feff}row,email,outcome,sent_at"));
    let given = ["report", "news", "--excel=tab"];
    assert!(run(&given, "de_DE.UTF-8").starts_with("\u{feff}row\temail"));
    let plain = ["report", "news", "--format", "csv"];
    let header = "row,email,outcome,sent_at,account,batch,message_id,attempts,reply";
    assert_eq!(run(&plain, "de_DE.UTF-8").lines().next(), Some(header));
    home.run(&["report", "news", "--excel", "--format", "html"])
        .exits(2);
}

#[test]
fn a_file_is_private_and_replaced_only_when_asked() {
    let home = Home::new();
    let _server = sent(&home);
    let out = ["report", "news", "--out", "report.csv"];
    let told = home.run(&out).exits(0);
    assert_eq!(told.out, "");
    assert!(told.err.contains("3 rows"), "{told:?}");
    let path = home.path("report.csv");
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .starts_with("row,email")
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    std::fs::write(&path, "mine").unwrap();
    let refused = home.run(&out).exits(73);
    assert!(refused.err.contains("--force"), "{refused:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    let forced = ["report", "news", "--out", "report.csv", "--force", "--json"];
    let told = home.run(&forced).exits(0).json();
    assert_eq!((&told["rows"], &told["format"]), (&3.into(), &"csv".into()));
    home.run(&["report", "news", "--out", "nowhere/report.csv"])
        .exits(73);
    home.run(&["report", "news", "--out", "news", "--force"])
        .exits(73);
    let left: Vec<_> = std::fs::read_dir(home.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().starts_with(".postroom")),
        "{left:?}"
    );
}

#[test]
fn a_page_tells_of_the_campaign_and_runs_nothing() {
    let home = Home::new();
    let server = Server::start(&home, &["--refuse", "*"]);
    home.account(&server, "");
    home.campaign("t", 2, true);
    home.write("news/staff.csv", "email,first_name\n\"\"\"<script>alert(1)</script>\"\"@contoso.com\",A\nb@contoso.com,B\nb@contoso.com,B\n");
    let ended = home.run(&["send", "news", "--yes"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    home.run(&["report", "news", "--out", "news.html"]).exits(0);
    let page = std::fs::read_to_string(home.path("news.html")).unwrap();
    assert!(page.starts_with("<!doctype html>"), "{page}");
    assert!(!page.contains("<script"), "{page}");
    for outside in ["http://", "https://", "src=", "url(", "@import"] {
        let own = page.replace("https://learn.microsoft.com", "");
        assert!(!own.contains(outside), "{outside}");
    }
    for there in [
        "<dt>Refused</dt><dd>2</dd>",
        "&lt;script&gt;",
        "Rows of the list",
        "duplicate",
        "Planned and done",
    ] {
        assert!(page.contains(there), "{there}: {page}");
    }
    home.run(&["report", "news", "--format", "html", "--outcome", "sent"])
        .exits(2);
}

#[test]
fn a_page_of_many_counts_them_and_lists_some() {
    let home = Home::new();
    home.campaign("sandbox", 3, false);
    let mut list = String::from("email,first_name\nfirst@contoso.com,F\n");
    list.push_str(&"first@contoso.com,F\n".repeat(4_000));
    home.write("news/staff.csv", list);
    home.run(&["plan", "news"]).exits(0);
    let page = home
        .run(&["report", "news", "--format", "html"])
        .exits(0)
        .out;
    assert!(
        page.contains("These are the first 1,000 of 4,000"),
        "{}",
        page.len()
    );
    assert!(page.len() < 1_000_000, "{}", page.len());
}

#[test]
fn a_file_name_that_says_another_format_is_refused() {
    let home = Home::new();
    home.campaign("sandbox", 2, true);
    home.run(&["plan", "news"]).exits(0);
    for name in ["news.docx", "news.XLSX", "news.pdf"] {
        let refused = home.run(&["report", "news", "--out", name]).exits(2);
        for format in [".html", ".csv", ".json", "--format"] {
            assert!(refused.err.contains(format), "{format}: {}", refused.err);
        }
        assert!(!home.path(name).exists());
    }
    for more in [&["--format", "csv"][..], &["--excel"]] {
        let report = ["report", "news", "--force", "--out", "news.dat"];
        home.run(&[&report[..], more].concat()).exits(0);
        let text = std::fs::read_to_string(home.path("news.dat")).unwrap();
        assert!(text.contains("email"), "{text}");
    }
    home.run(&["report", "news", "--out", "table"]).exits(0);
}
