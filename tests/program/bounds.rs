//! Input without bounds: it is refused with a remedy, in memory that does not grow with it.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::process::Command;

use zip::write::SimpleFileOptions;

use crate::home::{Ended, Home};

/// Address space for a whole `check`, in KiB.
const ROOM: u64 = 1 << 20;

/// `check` in bounded memory: exits with this code, says this, and does not crash.
fn refused(home: &Home, code: i32, words: &[&str]) -> Ended {
    let whole = home.command(&["check", "news"]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -v $0; exec \"$@\"", &ROOM.to_string()])
        .arg(whole.get_program())
        .args(whole.get_args())
        .current_dir(home.path(""))
        .env_clear()
        // Else each thread reserves some, and machines have many.
        .env("MALLOC_ARENA_MAX", "2");
    for (name, value) in whole.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let end = Ended::of(&command.output().unwrap()).exits(code);
    assert!(!end.err.contains("panicked"), "{}", end.err);
    let said = format!("{}{}", end.out, end.err);
    for word in words {
        assert!(said.contains(word), "{word} in {said}");
    }
    end
}

fn campaign() -> Home {
    let home = Home::new();
    home.campaign("sandbox", 2, true);
    home
}

/// With this line under `[message]`.
fn with(home: &Home, line: &str) {
    let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    home.write(
        "news/campaign.toml",
        toml.replace("[recipients]", &format!("{line}\n[recipients]")),
    );
}

/// A file that claims to be so large and takes no room.
fn hollow(home: &Home, name: &str, size: u64) {
    File::create(home.path(name))
        .unwrap()
        .set_len(size)
        .unwrap();
}

#[test]
fn cells_rows_and_headers_without_end() {
    let home = campaign();
    let long = "all work and no play ".repeat(2 << 20);
    home.write("news/staff.csv", format!("email,name\na@x.test,\"{long}"));
    refused(&home, 65, &["larger than 1 MiB", "close every quote"]);
    home.write("news/staff.csv", format!("email,name\na@x.test,{long}\n"));
    refused(&home, 65, &["larger than 1 MiB"]);
    let columns: String = (0..1_000_000).fold(String::new(), |mut text, n| {
        write!(text, ",c{n}").unwrap();
        text
    });
    home.write("news/staff.csv", format!("email{columns}\n"));
    refused(&home, 65, &["more than 4096 cells"]);
}

#[test]
fn workbooks_that_burst() {
    let home = campaign();
    let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    home.write(
        "news/campaign.toml",
        toml.replace("staff.csv", "staff.xlsx"),
    );
    let mut file = zip::ZipWriter::new(File::create(home.path("news/staff.xlsx")).unwrap());
    file.start_file("xl/sharedStrings.xml", SimpleFileOptions::default())
        .unwrap();
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..130 {
        file.write_all(&zeros).unwrap();
    }
    file.finish().unwrap();
    assert!(home.path("news/staff.xlsx").metadata().unwrap().len() < 1 << 20);
    refused(&home, 65, &["unpacks to more than 128 MiB", "new workbook"]);
}

#[test]
fn files_that_are_far_too_large() {
    let home = campaign();
    with(&home, "data = \"news.json\"");
    hollow(&home, "news/news.json", 4 << 30);
    refused(&home, 65, &["news.json", "larger than 16 MiB", "help"]);
    home.write("news/news.json", "{}");
    hollow(&home, "news/news.txt.hbs", 4 << 30);
    refused(&home, 65, &["news.txt.hbs", "larger than 16 MiB"]);

    let home = campaign();
    home.write("news/partials/a.hbs", "");
    hollow(&home, "news/partials/a.hbs", 4 << 30);
    refused(&home, 65, &["a.hbs", "larger than 16 MiB"]);

    let home = campaign();
    with(
        &home,
        "inline = { logo = \"logo.png\" }\nattach = [\"a.pdf\", \"{{first_name}}.pdf\"]",
    );
    for name in ["news/logo.png", "news/a.pdf", "news/P1.pdf", "news/P2.pdf"] {
        hollow(&home, name, 2 << 30);
    }
    let end = refused(&home, 65, &["logo.png", "a.pdf", "P2.pdf"]);
    assert_eq!(
        end.out.matches("larger than 256 MiB").count(),
        4,
        "{}",
        end.out
    );

    hollow(&home, "news/campaign.toml", 100 << 20);
    refused(&home, 78, &["campaign.toml", "larger than 1 MiB"]);
}

#[cfg(target_os = "linux")]
#[test]
fn pipes_folders_and_devices_are_no_files() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let pipe = |home: &Home, name: &str| {
        let path = home.path(name);
        let _ = std::fs::remove_file(&path);
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    };
    let home = campaign();
    with(
        &home,
        "data = \"news.json\"\nattach = [\"a.pdf\", \"files\"]\ninline = { logo = \"logo.png\" }",
    );
    home.write("news/partials/own.hbs", "");
    home.write("news/files/x", "");
    for name in [
        "staff.csv",
        "news.txt.hbs",
        "news.json",
        "partials/a.hbs",
        "a.pdf",
        "logo.png",
    ] {
        pipe(&home, &format!("news/{name}"));
    }
    let end = refused(
        &home,
        65,
        &[
            "staff.csv",
            "news.txt.hbs",
            "news.json",
            "a.hbs",
            "a.pdf",
            "logo.png",
            "files",
        ],
    );
    assert_eq!(end.out.matches("is not a file").count(), 7, "{}", end.out);
    pipe(&home, "news/campaign.toml");
    refused(&home, 78, &["campaign.toml", "is not a file"]);

    let home = campaign();
    std::fs::remove_file(home.path("news/staff.csv")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", home.path("news/staff.csv")).unwrap();
    refused(
        &home,
        65,
        &["staff.csv", "leads out of the campaign's folder"],
    );
    home.run(&["suppress", "import", "/dev/zero"]).exits(65);
}

/// Nothing of the machine gets into a mail because somebody has put a link into the folder.
#[cfg(unix)]
#[test]
fn no_link_leads_out_of_the_folder() {
    let home = campaign();
    home.write("secret.txt", "the secret of the house");
    with(&home, "html = \"news.html.hbs\"\ndata = \"news.json\"");
    home.write("news/partials/own.hbs", "own");
    for name in ["news.html.hbs", "news.json", "partials/own.hbs"] {
        let path = home.path(&format!("news/{name}"));
        let _ = std::fs::remove_file(&path);
        std::os::unix::fs::symlink(home.path("secret.txt"), path).unwrap();
    }
    home.write("news/news.txt.hbs", "{{> own}}");
    let end = refused(&home, 65, &["news.html.hbs", "news.json", "own.hbs"]);
    assert_eq!(
        end.out
            .matches("leads out of the campaign's folder")
            .count(),
        3,
        "{}",
        end.out
    );
    assert!(!end.out.contains("the secret"), "{}", end.out);
    // A link that stays inside is as good as the file.
    let home = campaign();
    std::fs::rename(home.path("news/news.txt.hbs"), home.path("news/other")).unwrap();
    std::os::unix::fs::symlink("other", home.path("news/news.txt.hbs")).unwrap();
    home.run(&["check", "news"]).exits(0);
}

#[test]
fn templates_come_to_an_end() {
    let numbers: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let data = format!("{{\"a\":[{}]}}", numbers.join(","));
    let inside = |body: &str| {
        let open = "{{#each @root.a}}".repeat(5);
        format!("{open}{body}{}", "{{/each}}".repeat(5))
    };
    for (template, word) in [
        (inside(""), "goes on and on"),
        (inside("x"), "goes on and on"),
        (
            inside("all work and no play makes Jack a dull boy"),
            "over 10 MiB",
        ),
        (
            format!(
                "{{{{#> kept}}}}{}{{{{/kept}}}}",
                inside("all work and no play")
            ),
            "goes on and on",
        ),
        ("{{> p30}}".to_owned(), "goes on and on"),
        ("{{> self}}".to_owned(), "includes itself"),
    ] {
        let home = Home::new();
        home.campaign("sandbox", 1, true);
        with(&home, "data = \"news.json\"");
        home.write("news/news.json", &data);
        home.write("news/partials/kept.hbs", "{{#if first_name}}{{/if}}");
        home.write("news/partials/p0.hbs", "");
        for n in 1..=30 {
            let twice = format!("{{{{> p{}}}}}", n - 1).repeat(2);
            home.write(&format!("news/partials/p{n}.hbs"), twice);
        }
        if template.contains("self") {
            home.write("news/partials/self.hbs", "x{{> self}}");
        }
        home.write(
            "news/news.txt.hbs",
            format!("Dear {{{{first_name}}}} {template}"),
        );
        refused(&home, 65, &[word, "help"]);
    }
}

#[test]
fn what_is_nested_too_deep() {
    let deep =
        |open: &str, close: &str, times: usize| open.repeat(times) + "x" + &close.repeat(times);
    let home = campaign();
    home.write(
        "news/news.txt.hbs",
        deep("{{#if first_name}}", "{{/if}}", 20_000),
    );
    refused(&home, 65, &["news.txt.hbs", "nested", "help"]);
    home.write(
        "news/news.txt.hbs",
        format!("{{{{upper {}}}}}", deep("(upper ", ")", 20_000)),
    );
    refused(&home, 65, &["news.txt.hbs", "nested", "help"]);

    let home = campaign();
    with(&home, "data = \"news.json\"");
    home.write(
        "news/news.json",
        format!("{{\"a\":{}}}", "[".repeat(1 << 20)),
    );
    refused(&home, 65, &["news.json", "cannot be read", "help"]);

    let home = campaign();
    let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    let nested = deep("(", ")", 900).replace('x', "office == 'x'");
    home.write(
        "news/campaign.toml",
        format!("{toml}where = \"{nested}\"\n"),
    );
    refused(&home, 78, &["where", "parentheses"]);
    home.write(
        "news/campaign.toml",
        format!("{toml}where = {}\n", "[".repeat(100_000)),
    );
    refused(&home, 78, &["campaign.toml"]);
}

/// Nobody writes such bodies; whatever is said of them, the program does not crash on them.
#[test]
fn bodies_nested_too_deep_are_refused_or_taken() {
    let deep = |open: &str, close: &str| open.repeat(5_000) + "x" + &close.repeat(5_000);
    for (name, body) in [
        (
            "news.html.hbs",
            format!(
                "<!doctype html><html lang=\"en\"><title>N</title>{}</html>",
                deep("<div>", "</div>")
            ),
        ),
        (
            "news.html.hbs",
            format!(
                "<style>p{{color:red}}</style>{}",
                deep("<table><tr><td>", "</td></tr></table>")
            ),
        ),
        (
            "news.html.hbs",
            format!("<style>{}</style>", deep("@media all{", "}")),
        ),
        ("news.md.hbs", deep("> ", "")),
        ("news.md.hbs", deep("[", "](x)")),
        ("news.md.hbs", deep("*a **b ", "** c*")),
        (
            "news.mjml.hbs",
            format!(
                "<mjml><mj-body>{}</mj-body></mjml>",
                deep("<mj-section>", "</mj-section>")
            ),
        ),
        (
            "news.mjml.hbs",
            format!(
                "<mjml><mj-body><mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section></mj-body></mjml>",
                deep("<b>", "</b>")
            ),
        ),
    ] {
        let home = campaign();
        with(&home, &format!("html = \"{name}\""));
        let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
        home.write(
            "news/campaign.toml",
            toml.replace("text = \"news.txt.hbs\"\n", ""),
        );
        home.write(&format!("news/{name}"), body.as_bytes());
        let end = home.run(&["check", "news"]);
        assert!(
            [0, 65].contains(&end.code),
            "{name} {}: {end:.600?}",
            &body[..80]
        );
    }
}

#[test]
fn a_header_of_a_megabyte() {
    let home = campaign();
    with(
        &home,
        "data = \"news.json\"\nheaders = { \"X-Long\" = \"{{long}}\" }",
    );
    home.write(
        "news/news.json",
        format!("{{\"long\":\"{}\"}}", "x".repeat(1 << 20)),
    );
    refused(&home, 65, &["X-Long", "help"]);
}
