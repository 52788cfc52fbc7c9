//! The preview page and the report in a real browser.
//!
//! Without `POSTROOM_TEST_BROWSER` these tests say that they did nothing; with it they must succeed, and a
//! browser that is missing is a failure.

#![expect(clippy::print_stderr, reason = "a test that does nothing says so")]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::home::{Home, repository};
use crate::previews::copy;
use crate::served::Served;
use crate::server::Server;

/// Where the scripts and their packages lie; none where no browser is to be tried.
fn scripts() -> Option<PathBuf> {
    if std::env::var_os("POSTROOM_TEST_BROWSER").is_none_or(|value| value.is_empty()) {
        eprintln!("skipped: POSTROOM_TEST_BROWSER is not set (.ci/browser/run prepares it)");
        return None;
    }
    let given = std::env::var_os("POSTROOM_TEST_BROWSER_SCRIPTS").map(PathBuf::from);
    Some(given.unwrap_or_else(|| repository().join(".ci/browser")))
}

/// Where screenshots are kept.
fn artifacts() -> PathBuf {
    let given = std::env::var_os("POSTROOM_TEST_ARTIFACTS").map(PathBuf::from);
    given.unwrap_or_else(|| repository().join("target/screenshots"))
}

fn play(what: &str, served: &Served, folder: &str, home: &Home) {
    let Some(scripts) = scripts() else { return };
    let output = Command::new("node")
        .arg(scripts.join("page.mjs"))
        .args([what, &served.address])
        .arg(home.path(folder))
        .arg(artifacts())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_browser_shows_the_page_and_follows_what_is_saved() {
    if scripts().is_none() {
        return;
    }
    let home = Home::new();
    let folder = home.path("staff-news");
    copy(&repository().join("samples/staff-newsletter"), &folder);
    let served = Served::start(&home, &["staff-news"]);
    play("tour", &served, "staff-news", &home);
    served.ends_well();
}

#[test]
fn a_browser_runs_nothing_of_a_hostile_campaign() {
    if scripts().is_none() {
        return;
    }
    let home = Home::new();
    let attack = "<img src=x onerror=alert(1)><script>document.title='taken';alert(2)</script>";
    home.write(
        "hostile/staff.csv",
        format!("email,name\na@contoso.com,{attack}\nb@contoso.com,\"</div>{attack}\"\n"),
    );
    home.write(
        "hostile/mail.html.hbs",
        "<!doctype html><html><head><meta http-equiv=refresh content=\"0;url=http://elsewhere.invalid/refresh\">\
         <link rel=stylesheet href=http://elsewhere.invalid/sheet.css><base href=http://elsewhere.invalid/>\
         <style>@import url(http://elsewhere.invalid/import.css);body{background:url(http://elsewhere.invalid/b.png)}</style>\
         <script>parent.document.title='taken';top.location='http://elsewhere.invalid/script';alert(3)</script></head>\
         <body onload=\"alert(4)\"><p id=there>{{{name}}}</p><img src=http://elsewhere.invalid/a.png onerror=alert(5)>\
         <svg onload=alert(6)><script>alert(7)</script></svg><iframe src=http://elsewhere.invalid/frame></iframe>\
         <a target=_top href=http://elsewhere.invalid/link>link</a>\
         <form action=http://elsewhere.invalid/form><input name=a><button>send</button></form></body></html>",
    );
    home.write(
        "hostile/campaign.toml",
        "account = \"sandbox\"\n[message]\nfrom = \"comms@contoso.com\"\nsubject = \"For {{name}}\"\n\
         html = \"mail.html.hbs\"\n[recipients]\nfile = \"staff.csv\"\n",
    );
    let served = Served::start(&home, &["hostile"]);
    play("hostile", &served, "hostile", &home);
    served.ends_well();
}

#[test]
fn a_browser_shows_and_prints_a_report() {
    let Some(scripts) = scripts() else { return };
    let home = Home::new();
    let server = Server::start(&home, &["--refuse", "p*7@*"]);
    home.account(&server, "");
    home.campaign("t", 60, true);
    let list = home.path("news/staff.csv");
    let text = std::fs::read_to_string(&list).unwrap();
    let attack = "\"\"\"<img src=x onerror=alert(1)>\"\"@contoso.com\",X\n";
    std::fs::write(&list, text + "p1@contoso.com,P1\n" + attack).unwrap();
    home.run(&["send", "news", "--yes", "--max", "40"]);
    for (name, max) in [("report-half", "0"), ("report", "100")] {
        home.run(&["send", "news", "--yes", "--max", max]);
        let file = format!("{name}.html");
        home.run(&["report", "news", "--out", &file]).exits(0);
        let output = Command::new("node")
            .arg(scripts.join("report.mjs"))
            .arg(home.path(&file))
            .arg(artifacts())
            .arg(name)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
