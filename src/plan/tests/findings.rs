//! Each finding beyond what cannot be sent, with a campaign that must not have it.

use super::*;

fn found(folder: &Folder) -> Checked {
    checked(&folder.inputs())
}

/// The findings of this code.
fn of<'c>(checked: &'c Checked, code: &str) -> Vec<&'c Finding> {
    let all = checked.findings.iter();
    all.filter(|finding| finding.code == code).collect()
}

fn html(list: &str, html: &str) -> Checked {
    let folder = Folder::new(list);
    folder.write("news.html.hbs", html);
    found(&folder)
}

const LIST: &str =
    "email,first_name,vip\na@contoso.com,Ann,yes\nb@contoso.com,,no\nc@contoso.com, ,no\n";

#[test]
fn an_ordinary_campaign_has_nothing() {
    let checked = html(
        "email,First Name,office\na@contoso.com,Ann,Berlin\nb@contoso.com,Bob,Paris\n",
        "<p>Dear {{first_name}} in {{office}}</p>",
    );
    assert_eq!(codes(&checked), [""; 0]);
}

#[test]
fn columns_that_nobody_uses_are_a_note() {
    let checked = html(LIST, "<p>{{first_name}}</p>");
    let note = of(&checked, "columns-unused")[0];
    assert_eq!((note.severity, note.line), (Severity::Note, Some(1)));
    assert!(note.message.contains("'vip'") && !note.message.contains("first_name"));
    // The one that was meant is not called unused beside the slip.
    let slip = html("email,office\na@contoso.com,x\n", "<p>{{ofice}}</p>");
    assert_eq!(codes(&slip), ["unknown-field"]);
}

#[test]
fn empty_cells_count_where_nothing_guards_them() {
    let checked = html(LIST, "<p>{{first_name}}{{#if (eq vip \"no\")}}x{{/if}}</p>");
    let empty = of(&checked, "empty-cells");
    assert_eq!(empty.len(), 1);
    assert_eq!((empty[0].row, empty[0].line), (Some(2), Some(3)));
    assert_eq!(empty[0].column.as_deref(), Some("first_name"));
    assert!(empty[0].message.contains("2 of 3 rows: rows 2 and 3"));
    let cut = empty[0].excerpt.as_ref().unwrap();
    assert_eq!((cut.text.as_str(), cut.start), ("b@contoso.com,,no", 14));
    for guarded in [
        "{{#if first_name}}{{first_name}}{{/if}}",
        "{{#unless first_name}}x{{else}}{{first_name}}{{/unless}}",
        "{{default first_name \"colleague\"}}",
        "{{#if (and first_name (eq vip \"no\"))}}{{upper first_name}}{{/if}}",
        "{{#with first_name}}{{this}}{{/with}}",
        "{{#if (eq first_name \"Ann\")}}x{{/if}}",
    ] {
        let checked = html(LIST, &format!("<p>x{guarded}</p>"));
        assert_eq!(of(&checked, "empty-cells").len(), 0, "{guarded}");
    }
    let once = html(LIST, "<p>{{#if first_name}}x{{/if}}{{first_name}}</p>");
    assert_eq!(of(&once, "empty-cells").len(), 1);
}

#[test]
fn a_no_that_counts_as_yes() {
    let checked = html(LIST, "<p>\n {{#if vip}}x{{/if}}</p>");
    let asked = of(&checked, "if-on-text")[0];
    assert_eq!((asked.line, asked.column.as_deref()), (Some(2), Some("2")));
    assert!(asked.message.contains("rows 2 and 3"), "{}", asked.message);
    for fine in [
        "{{#if (eq vip \"yes\")}}x{{/if}}",
        "{{#if (and vip (ne vip \"no\"))}}x{{/if}}",
    ] {
        assert_eq!(of(&html(LIST, fine), "if-on-text").len(), 0, "{fine}");
    }
    // A name, in a column of names.
    let names =
        "email,name\na@contoso.com,Kim\nb@contoso.com,No\nc@contoso.com,Lee\nd@contoso.com,Park\n";
    assert_eq!(
        of(&html(names, "{{#if name}}{{name}}{{/if}}"), "if-on-text").len(),
        0
    );
    let zero = names.replace("No\n", "0\n");
    assert_eq!(
        of(&html(&zero, "{{#if (not name)}}x{{/if}}"), "if-on-text").len(),
        1
    );
}

#[test]
fn raw_cells_in_html() {
    let raw = html(LIST, "<p>{{{default vip \"x\"}}} {{{vip}}}</p>");
    assert_eq!(of(&raw, "raw-field").len(), 2);
    let folder = Folder::new(LIST);
    folder.write("news.html.hbs", "<p>{{{title}}} {{vip}}</p>");
    folder.write("news.json", "{\"title\": \"<b>x</b>\"}");
    folder.write("news.txt.hbs", "{{{vip}}}");
    let mut inputs = folder.inputs();
    inputs.data = Some("news.json".into());
    inputs.text = Some("news.txt.hbs".into());
    assert_eq!(
        of(&checked(&inputs), "raw-field").len(),
        0,
        "text, and our own values"
    );
}

#[test]
fn mistyped_domains_of_the_list() {
    let mut list = staff(20, 2);
    list.push_str("x@contso.com,X,O1\ny@gmial.com,Y,O1\nz@fabrikam.com,Z,O1\n");
    let folder = Folder::new(&list);
    let checked = found(&folder);
    let rows: Vec<_> = of(&checked, "address-near-miss")
        .iter()
        .map(|one| one.row)
        .collect();
    assert_eq!(rows, [Some(21), Some(22)]);
    // Said to be one's own, it is none.
    let mut inputs = folder.inputs();
    inputs.internal = vec!["contoso.com".into(), "contso.com".into()];
    assert_eq!(of(&super::checked(&inputs), "address-near-miss").len(), 1);
}

fn with_files(files: &[&str], ids: &[&str]) -> (Folder, Inputs) {
    let mut list = "email,office,id\n".to_owned();
    for (at, id) in ids.iter().enumerate() {
        writeln!(list, "p{at}@contoso.com,x,{id}").unwrap();
    }
    let folder = Folder::new(&list);
    for file in files {
        folder.write(file, "%PDF");
    }
    let mut inputs = folder.inputs();
    inputs.attach = vec!["slips/{{id}}.pdf".into()];
    (folder, inputs)
}

#[test]
fn a_personal_file_for_two_people() {
    let files = ["slips/a.pdf", "slips/b.pdf", "slips/c.pdf", "slips/d.pdf"];
    let (_folder, inputs) = with_files(&files, &["a", "b", "c", "d", "a"]);
    let checked = checked(&inputs);
    let shared = of(&checked, "file-shared");
    assert_eq!(shared.len(), 1);
    assert_eq!((shared[0].row, codes(&checked).len()), (Some(5), 1));
    assert!(shared[0].message.contains("row 1"), "{}", shared[0].message);
    // A file for each group is meant to be shared.
    let (_folder, inputs) = with_files(&files, &["a", "b", "c", "d", "a", "b", "c", "d"]);
    assert_eq!(codes(&super::checked(&inputs)), [""; 0]);
}

#[test]
fn files_that_nobody_gets() {
    let files = [
        "slips/a.pdf",
        "slips/b.pdf",
        "slips/.c.pdf",
        "slips/d.txt",
        "slips/e.pdf",
    ];
    let (folder, inputs) = with_files(&files, &["a", "b"]);
    let checked = checked(&inputs);
    let unused = of(&checked, "file-unused");
    assert_eq!(unused.len(), 1);
    assert!(unused[0].message.contains("e.pdf") && !unused[0].message.contains("c.pdf"));
    // The row that names it is wrong, and that is said already.
    let list = std::fs::read_to_string(folder.0.path().join("staff.csv")).unwrap();
    folder.write("staff.csv", &format!("{list}nobody,x,slip-e\n"));
    std::fs::rename(
        folder.0.path().join("slips/e.pdf"),
        folder.0.path().join("slips/slip-e.pdf"),
    )
    .unwrap();
    assert_eq!(codes(&super::checked(&inputs)), ["address"]);
}

#[test]
fn empty_files_and_idle_images() {
    let (folder, mut inputs) = with_files(&["slips/a.pdf"], &["a"]);
    folder.write("agenda.pdf", "");
    folder.write("logo.png", "png");
    inputs.attach.push("agenda.pdf".into());
    inputs.inline = vec![("logo".into(), "logo.png".into())];
    assert_eq!(codes(&checked(&inputs)), ["file-empty", "image-unused"]);
    folder.write("agenda.pdf", "%PDF");
    folder.write(
        "news.html.hbs",
        "<p>{{office}}{{#if (eq office \"y\")}}<img src=\"cid:logo\" alt=\"\">{{/if}}</p>",
    );
    assert_eq!(
        codes(&checked(&inputs)),
        [""; 0],
        "shown to some, though to nobody today"
    );
}

#[test]
fn nearly_too_large() {
    let folder = Folder::new(&staff(2, 1));
    let mut inputs = folder.inputs();
    let mut capped = |cap| {
        inputs.accounts[0].max_message_size = Some(cap);
        codes(&checked(&inputs))
    };
    assert_eq!(capped(100_000), [""; 0]);
    assert_eq!(capped(400), ["too-large", "too-large"]);
    let between = (500..3000)
        .step_by(50)
        .find(|cap| capped(*cap) == ["large"]);
    assert!(between.is_some());
}

#[test]
fn flaws_of_the_html_are_folded_and_stand_where_they_were_written() {
    let checked = html(
        &staff(300, 3),
        "<p>{{office}}</p>\n  <a href=\"{{first_name}}\">x</a><img src=\"https://x.test/{{first_name}}.png\">",
    );
    let places: Vec<_> = checked
        .findings
        .iter()
        .map(|one| (one.code, one.line, one.column.as_deref(), one.row))
        .collect();
    assert_eq!(
        places,
        [
            ("link-relative", Some(2), Some("3"), None),
            ("image-alt", Some(2), Some("33"), None)
        ]
    );
    let first = &checked.findings[0];
    assert!(
        first.message.contains("'P1'") && first.message.contains("row 1 and 299 more"),
        "{first}"
    );
    // A row counts once, however often it has it.
    let twice = html(
        "email,office\na@contoso.com,x\n",
        "{{office}}<a href='{{office}}'>x</a>{{#if office}}<a href='x'>x</a>{{/if}}<a href='x'>x</a>",
    );
    let links = of(&twice, "link-relative");
    assert!(
        links.iter().all(|link| !link.message.contains("more")),
        "{links:?}"
    );
    // From a cell, it stands in the list.
    let list = "email,office\na@contoso.com,<b>\nb@contoso.com,<img src='x'>\n";
    let cell = html(list, "<p>x{{{office}}}</p>");
    let alt = of(&cell, "image-alt")[0];
    assert_eq!(
        (alt.file.as_path(), alt.row),
        (Path::new("staff.csv"), Some(2))
    );
}

#[test]
fn people_outside_are_offered_to_leave() {
    let mut list = "email,office\n".to_owned();
    for at in 0..120 {
        writeln!(list, "p{at}@example.org,x").unwrap();
    }
    let folder = Folder::new(&list);
    assert_eq!(codes(&found(&folder)), ["unsubscribe-missing"]);
    let mut inputs = folder.inputs();
    inputs.list_unsubscribe = Some("mailto:x@contoso.com".into());
    assert_eq!(codes(&checked(&inputs)), [""; 0]);
    let few = list.lines().take(50).collect::<Vec<_>>().join("\n");
    assert_eq!(codes(&found(&Folder::new(&few))), [""; 0]);
}

#[test]
fn the_sender_of_another_domain() {
    let folder = Folder::new(&staff(2, 1));
    let mut inputs = folder.inputs();
    let mut says = |mailbox: &str| {
        inputs.accounts[0].mailbox = mailbox.into();
        codes(&checked(&inputs))
    };
    assert_eq!(
        says("comms@fabrikam.com@smtp.fabrikam.com"),
        ["from-unknown"]
    );
    assert_eq!(says("other@contoso.com@smtp.contoso.com"), [""; 0]);
    assert_eq!(
        says("postmaster@mg.contoso.com@smtp.eu.mailgun.org"),
        [""; 0]
    );
    assert_eq!(says("apikey@smtp.sendgrid.net"), [""; 0]);
    assert_eq!(says("sandbox"), [""; 0]);
}

#[test]
fn one_mistake_does_not_hide_the_others() {
    let folder = Folder::new("email,office\na@contoso.com,x\nb@contoso.com,y\nwrong,z\n");
    folder.write(
        "news.html.hbs",
        "<p>{{offic}}\n{{#if office}}\n<img src=\"https://x.test/{{office\">\n<a href=\"x.html\">x</a>{{nope}}",
    );
    let mut inputs = folder.inputs();
    inputs.from = "nobody".into();
    inputs.attach = vec!["gone.pdf".into(), "{{office}}.pdf".into()];
    let checked = checked(&inputs);
    let mut found = codes(&checked);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "address",
            "bad-address",
            "bad-attachment",
            "bad-attachment",
            "image-alt",
            "link-relative",
            "missing-file",
            "template-syntax",
            "template-syntax",
            "unknown-field",
            "unknown-field",
        ],
        "{:#?}",
        checked.findings
    );
    let unlisted = {
        std::fs::remove_file(folder.0.path().join("staff.csv")).unwrap();
        codes(&super::checked(&inputs))
    };
    assert!(unlisted.contains(&"template-syntax") && unlisted.contains(&"missing-file"));
    assert!(
        !unlisted.contains(&"unknown-field"),
        "nobody knows the columns"
    );
}

#[test]
fn many_rows_are_counted() {
    let mut list = "email,office\n".to_owned();
    for at in 0..150 {
        writeln!(list, "wrong{at},x").unwrap();
    }
    let checked = found(&Folder::new(&list));
    assert_eq!(checked.findings.len(), 101);
    assert!(checked.findings[100].message.contains("50 more rows"));
    assert_eq!(checked.rows.invalid, 150);
}

#[test]
fn a_line_is_shown_with_the_quotes_that_it_has() {
    let list = "email,\"first name\"\n\"a@contoso.com\",\"Ann \"\"A\"\"\"\nb@contoso.com,\"\"\n";
    let checked = html(list, "<p>{{first_name}}</p>");
    let empty = of(&checked, "empty-cells")[0].excerpt.as_ref().unwrap();
    assert_eq!(
        (empty.text.as_str(), empty.start, empty.length),
        ("b@contoso.com,\"\"", 14, 2)
    );
    let list = "email,name\n\"a@contoso.com\",Ann\n\"b contoso\",\"B \"\"B\"\"\"\n";
    let checked = html(list, "<p>{{name}}</p>");
    let wrong = checked.findings.iter().find(|one| one.row == Some(2));
    let shown = wrong.unwrap().excerpt.as_ref().unwrap();
    assert_eq!(
        (shown.text.as_str(), shown.start, shown.length),
        ("\"b contoso\",\"B \"\"B\"\"\"", 0, 11)
    );
}
