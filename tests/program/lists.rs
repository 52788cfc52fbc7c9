//! Lists as they come: how they are read is said, and the bad rows can be had as a file.

use std::fmt::Write as _;

use crate::home::Home;

fn campaign(list: &str, content: impl AsRef<[u8]>) -> Home {
    let home = Home::new();
    home.campaign("sandbox", 3, true);
    home.write(&format!("news/{list}"), content);
    let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    home.write("news/campaign.toml", toml.replace("staff.csv", list));
    home
}

#[test]
fn how_a_list_is_read_is_said() {
    let list = b"email;first_name\nann@contoso.com;J\xf6rg\nbob@contoso.com;G\xf6tz\n";
    let home = campaign("staff.csv", list);
    let said = home.run(&["check", "news"]).exits(0);
    let line = "staff.csv: windows-1252, because byte 0xF6 in line 2 is not UTF-8 and the text reads as Western European; `;` between 2 columns";
    assert!(said.out.lines().any(|said| said == line), "{}", said.out);
    assert!(said.out.contains("'Jörg'"), "{}", said.out);
    let json = home.run(&["check", "news", "--json"]).exits(0).json();
    assert_eq!(json["findings"][0]["code"], "list-encoding-guessed");
    assert_eq!(json["list"]["encoding"], "windows-1252");
    assert_eq!(
        (&json["list"]["delimiter"], &json["list"]["columns"]),
        (&";".into(), &2.into())
    );
    let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    let said = toml.replace("[recipients]", "[recipients]\nencoding = \"windows-1252\"");
    home.write("news/campaign.toml", said);
    let json = home.run(&["check", "news", "--json"]).exits(0).json();
    assert_eq!(json["findings"], serde_json::json!([]));
}

#[test]
fn a_workbook_is_planned_like_a_list() {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet().set_name("Staff").unwrap();
    for (row, cells) in [
        ["email", "first_name"],
        ["ann@contoso.com", "Ann"],
        ["bob@contoso.com", "Bob"],
    ]
    .iter()
    .enumerate()
    {
        for (column, cell) in cells.iter().enumerate() {
            sheet.write(row as u32, column as u16, *cell).unwrap();
        }
    }
    let home = campaign("staff.xlsx", workbook.save_to_buffer().unwrap());
    let said = home.run(&["check", "news"]).exits(0);
    assert!(
        said.out
            .contains("staff.xlsx: the sheet 'Staff' with 2 columns"),
        "{}",
        said.out
    );
    home.run(&["plan", "news"]).exits(0);
    let shown = home
        .run(&["preview", "news", "--to", "bob@contoso.com"])
        .exits(0);
    assert!(shown.out.contains("Bob"), "{}", shown.out);
}

#[test]
fn all_bad_rows_go_into_the_reject_file_and_it_can_be_used_again() {
    let mut list = "email;first_name\nann@contoso.com;Ann\n".to_owned();
    for row in 0..250 {
        writeln!(list, "bad{row};Zo\u{eb}").unwrap();
    }
    list.push_str("bob@contoso.com;Bob;=1+1\n");
    let home = campaign("staff.csv", &list);
    let said = home
        .run(&["check", "news", "--rejects", "bad.csv"])
        .exits(65);
    assert!(said.err.contains("251 rows with errors"), "{}", said.err);
    let written = std::fs::read_to_string(home.path("bad.csv")).unwrap();
    let mut lines = written.lines();
    assert_eq!(lines.next(), Some("\u{feff}reason;email;first_name"));
    assert_eq!(lines.clone().count(), 251);
    let first = lines.next().unwrap();
    assert!(
        first.starts_with("an @ is missing") && first.ends_with(";bad0;Zoë"),
        "{first}"
    );
    let ragged = lines.last().unwrap();
    assert!(ragged.ends_with(";bob@contoso.com;Bob;'=1+1"), "{ragged}");
    // Nothing is overwritten.
    home.run(&["check", "news", "--rejects", "bad.csv"])
        .exits(73);
    assert_eq!(
        std::fs::read_to_string(home.path("bad.csv")).unwrap(),
        written
    );
    // Mended, it is a list.
    let mended = written.replace(";bad", ";good@x").replace(";'=1+1", "");
    let mended: String = mended
        .lines()
        .map(|line| line.replace(";Zo", ".org;Zo") + "\n")
        .collect();
    home.write("news/staff.csv", mended);
    let said = home
        .run(&["check", "news", "--rejects", "none.csv"])
        .exits(0);
    assert!(
        said.err.contains("none.csv was not written"),
        "{}",
        said.err
    );
    assert!(!home.path("none.csv").exists());
}

#[test]
fn everything_wrong_with_a_header_is_said_at_once() {
    let home = campaign(
        "staff.csv",
        "email,first_name,,first_name,\nann@contoso.com,Ann,,,\n",
    );
    let json = home.run(&["check", "news", "--json"]).exits(65).json();
    let columns: Vec<_> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["column"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(columns, ["first_name", "3", "5"], "those with a name first");
}

#[test]
fn how_a_list_was_read_is_said_of_a_refused_one_too() {
    let list = b"wer;Stra\xdfe;Stra\xdfe\nann@contoso.com;K\xf6nigsstra\xdfe;x\n";
    let home = campaign("staff.csv", list);
    let said = home.run(&["check", "news"]).exits(65);
    let line = "staff.csv: windows-1252, because byte 0xDF in line 1 is not UTF-8 and the text reads as Western European; `;` between 3 columns";
    assert!(said.out.lines().any(|said| said == line), "{}", said.out);
    assert!(said.out.contains("'Straße'"), "{}", said.out);
    let json = home.run(&["check", "news", "--json"]).exits(65).json();
    let list = &json["list"];
    assert_eq!(list["encoding"], "windows-1252");
    assert_eq!(
        (&list["delimiter"], &list["columns"]),
        (&";".into(), &3.into())
    );
    let findings = json["findings"].as_array().unwrap();
    assert!(
        findings.iter().any(|one| one["code"] == "header"),
        "{findings:?}"
    );

    let home = campaign(
        "staff.csv",
        b"\xEF\xBB\xBFemail;na\xFFme\nann@contoso.com;x\n",
    );
    let said = home.run(&["check", "news"]).exits(65);
    let line =
        "staff.csv: UTF-8, because its first bytes are the mark of UTF-8; `;` between the cells";
    assert!(said.out.lines().any(|said| said == line), "{}", said.out);
    let json = home.run(&["check", "news", "--json"]).exits(65).json();
    assert_eq!(json["list"]["columns"], serde_json::Value::Null);

    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet().set_name("Staff").unwrap();
    sheet.write(0, 0, "who").unwrap();
    sheet.write(0, 1, "name").unwrap();
    let home = campaign("staff.xlsx", workbook.save_to_buffer().unwrap());
    let said = home.run(&["check", "news"]).exits(65);
    let line = "staff.xlsx: the sheet 'Staff' with 2 columns";
    assert!(said.out.lines().any(|said| said == line), "{}", said.out);
}
