//! No mail is larger than it was measured to be at most.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Map;

use super::*;
use crate::message::{Definition, Files};
use crate::recipients::{Cells, Columns};
use crate::template::{Source, Sources};

fn renderer(html: bool, text: bool, attach: &[&str]) -> Renderer {
    let body = |is_there: bool| is_there.then(|| Source::new("body", "{{{body}}}"));
    let definition = Definition {
        senders: std::collections::BTreeMap::new(),
        sources: Sources {
            subject: Source::new("subject", "{{subject}}"),
            html: body(html),
            text: body(text),
            attach: attach
                .iter()
                .map(|path| Source::new("attach", *path))
                .collect(),
            ..Sources::default()
        },
        data: Map::new(),
        columns: Columns::new(["email", "subject", "body"].map(str::to_owned)).unwrap(),
        from: "Contoso Comms <comms@contoso.com>".to_owned(),
        inline: vec![("logo".to_owned(), "logo.png".to_owned())],
        list_unsubscribe: None,
        unsubscribe: None,
        internal: vec![],
        grouped: false,
        inline_css: false,
    };
    let files: Files = Arc::new(|path| match path {
        "missing.pdf" => Err(std::io::Error::other("not there")),
        _ => Ok(vec![0x5a; 40_000].into()),
    });
    Renderer::new(definition, files).unwrap()
}

fn both(
    renderer: &Renderer,
    subject: &str,
    body: &str,
) -> (Result<u64, Error>, Result<u64, Error>) {
    let address = Address::parse("ann@contoso.com").unwrap();
    let identity = Identity {
        message_id: "<0123456789abcdef0123456789abcdef@contoso.com>",
        date: jiff::Timestamp::UNIX_EPOCH,
        shared: false,
    };
    let cells = ["ann@contoso.com", subject, body].map(str::to_owned);
    let page = renderer.page(&Cells::Row(&cells)).unwrap();
    let measure = Measure::new(renderer);
    let at_most = measure.at_most(&page, &address, &identity);
    let content = renderer.compose(&page, &address, &identity);
    (at_most, content.map(|content| content.len() as u64))
}

#[test]
fn what_cannot_be_built_is_not_measured_either() {
    let (at_most, built) = both(&renderer(true, true, &["missing.pdf"]), "News", "<p>x</p>");
    assert!(at_most.is_err() && built.is_err());
    let (at_most, built) = both(&renderer(true, false, &[]), "two\nlines", "<p>x</p>");
    assert!(at_most.is_err() && built.is_err());
}

#[test]
fn files_are_counted_as_they_go_out() {
    let (at_most, built) = both(
        &renderer(true, true, &["a.pdf", "b.pdf"]),
        "News",
        "<p>x</p>",
    );
    let (at_most, built) = (at_most.unwrap(), built.unwrap());
    assert!(built > 3 * 53_000 && at_most >= built, "{at_most} {built}");
    assert!(at_most < built + 2_000, "{at_most} is far from {built}");
}

proptest! {
    #[test]
    fn nothing_is_larger_than_measured(
        subject in "[^\\x00-\\x1f\\x7f]{0,200}",
        body in prop_oneof![
            "(?s).{0,400}",
            "[=. \\r\\n\u{e4}\u{1f600}]{0,400}",
            "(<hr>|<br>|<p>|<td>|<table>|<tr>|</table>|<ul><li>|<blockquote>|a ){0,120}",
        ],
        html in any::<bool>(),
        text in any::<bool>(),
    ) {
        let (at_most, built) = both(&renderer(html, text || !html, &["a.pdf"]), &subject, &body);
        match (at_most, built) {
            (Ok(at_most), Ok(built)) => prop_assert!(built <= at_most, "{} > {}", built, at_most),
            (at_most, built) => prop_assert_eq!(at_most.is_err(), built.is_err()),
        }
    }
}
