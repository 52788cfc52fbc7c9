//! Lists, frames and keys of the page.

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::frame::{Dark, framed};
use super::guard::{Keys, Verdict};
use super::list::{Fate, List};
use super::pieces::CHANGED;
use crate::recipients::Columns;

fn show(html: &str, dark: bool) -> super::frame::Framed {
    framed(html, dark, None, &|cid| {
        (cid == "logo").then(|| "data:image/png;base64,AAAA".to_owned())
    })
}

#[test]
fn a_search_in_a_million_rows_gives_the_first_ones_and_the_count_of_all() {
    let names = ["email", "First Name", "office"].map(str::to_owned);
    let mut list = List::new(&Columns::new(names).unwrap());
    let cells = |n: u64, office: &str| {
        [
            format!("p{n}@contoso.com"),
            format!("P{n}"),
            office.to_owned(),
        ]
    };
    for n in 1..=1_000_000 {
        let office = if n % 2 == 0 { "Oslo" } else { "Köln" };
        list.push(
            n,
            &format!("p{n}@contoso.com"),
            &cells(n, office),
            Fate::Mail,
        );
    }
    let hits = list.search("oslo", 200);
    assert_eq!((hits.count, hits.lines.len()), (500_000, 200));
    let hits = list.search("P999999 KÖLN", 200);
    assert_eq!((hits.count, hits.lines.len()), (1, 1));
    assert_eq!(list.row_of("P1000000@Contoso.com"), Some(1_000_000));
    assert_eq!(list.lines(999_999, 100).len(), 1);
    assert_eq!(list.row(500_000).unwrap().place, 499_999);
    assert!(list.row(0).is_none() && list.row(1_000_001).is_none());
}

#[test]
fn a_row_that_gets_nothing_is_no_ones_mail() {
    let mut list = List::new(&Columns::new(["email".to_owned()]).unwrap());
    list.push(
        1,
        "a@contoso.com",
        &["a@contoso.com\u{1f}x".to_owned()],
        Fate::LeftOut("invalid"),
    );
    list.push(
        2,
        "a@contoso.com",
        &["a@contoso.com".to_owned()],
        Fate::Mail,
    );
    assert_eq!(list.row_of("a@contoso.com"), Some(2));
    assert_eq!(list.row(1).unwrap().cells, ["a@contoso.com\u{fffd}x"]);
}

#[test]
fn pictures_of_the_mail_are_in_the_frame_and_nothing_else_is() {
    let html = "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\
        <html><head><title>a &amp; b</title><link rel=stylesheet href=https://e.invalid/s.css>\
        <style>td > a{background:url('https://e.invalid/bg.png')}</style></head>\
        <body background=cid:logo><img src=\"cid:logo\"><img src=\"cid:gone\"><img src=https://e.invalid/1.png>\
        <img src=//e.invalid/2.png srcset=\"https://e.invalid/3.png 2x\"><img src=data:image/gif,x>\
        <p title='a \"b\"'>1 &lt; 2 cid:logo</p><a href=https://e.invalid/page>link</a></body></html>";
    let framed = show(html, false);
    assert_eq!(framed.remote, 5, "{}", framed.html);
    assert!(
        framed
            .html
            .starts_with("<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"")
    );
    assert!(framed.html.contains(
        "<body background=\"data:image/png;base64,AAAA\"><img src=\"data:image/png;base64,AAAA\">"
    ));
    assert!(
        framed
            .html
            .contains("<p title=\"a &quot;b&quot;\">1 &lt; 2 cid:logo</p>"),
        "{}",
        framed.html
    );
    assert!(
        framed.html.contains("td > a{background:url(\"\")}"),
        "{}",
        framed.html
    );
    let fetched = framed
        .html
        .replace("<a href=\"https://e.invalid/page\">", "");
    assert!(!fetched.contains("e.invalid"), "{fetched}");
    assert!(framed.html.contains("<base target=\"_blank\">"));
}

#[test]
fn the_dark_is_the_mails_own() {
    let html =
        |head: &str| format!("<!doctype html><html><head>{head}</head><body>x</body></html>");
    let rules = html(
        "<meta name=color-scheme content=\"light dark\"><style>@media (prefers-color-scheme: dark){p{color:red}}</style>",
    );
    let dark = show(&rules, true);
    assert_eq!(dark.dark, Dark::Rules);
    assert!(
        dark.html.contains("@media (min-width: 0){p{color:red}}")
            && dark.html.contains("content=\"dark\"")
    );
    assert!(
        show(&rules, false)
            .html
            .contains("@media (max-width: -1px)")
    );
    let stays = show(&html("<meta name=color-scheme content=light>"), true);
    assert_eq!(stays.dark, Dark::StaysLight);
    assert!(stays.html.contains("content=\"light\""), "{}", stays.html);
    assert_eq!(show(&html(""), true).dark, Dark::Silent);
}

#[test]
fn what_was_edited_is_marked() {
    let html = |word: &str| {
        format!(
            "<html><body><p id=a>one</p><div><h2 class=x>{word}</h2><p>three</p></div></body></html>"
        )
    };
    let framed = framed(&html("new"), false, Some(&html("old")), &|_| None);
    assert!(
        framed
            .html
            .contains(&format!("<h2 class=\"x\" id=\"{CHANGED}\">new</h2>")),
        "{}",
        framed.html
    );
    let same = super::frame::framed(&html("old"), false, Some(&html("old")), &|_| None);
    assert!(!same.html.contains("id=\"postroom"));
}

#[test]
fn the_opening_address_works_once() {
    let keys = Keys::new(1234).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:1234"));
    let opening = keys
        .opening()
        .replace("http://127.0.0.1:1234", "")
        .parse()
        .unwrap();
    let judge = || keys.judge(&Method::GET, &opening, &headers);
    assert_eq!(judge(), Verdict::Forward);
    assert!(matches!(judge(), Verdict::Refused(StatusCode::GONE, _)));
    let page = keys.path().parse().unwrap();
    assert_eq!(keys.judge(&Method::GET, &page, &headers), Verdict::Welcome);
}
