//! Markdown as a mail: `CommonMark` with tables and strikethrough (<https://spec.commonmark.org/>), in a
//! page that can be read on phones and in the dark.
//!
//! The template's values are held out of the Markdown ([`crate::template::held`]), so none of them can
//! become markup, and rows that differ in their values only are read once.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use super::cache::Cache;
use super::pieces::{Manner, Pieces, gap, number};
use crate::template::held::{self, Cut};

/// Before the title, behind it, and behind the text.
const PAGE: [&str; 3] = [
    concat!(
        "<meta charset=\"utf-8\">\n",
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
        "<meta name=\"color-scheme\" content=\"light dark\">\n",
        "<meta name=\"supported-color-schemes\" content=\"light dark\">\n",
        "<title>",
    ),
    concat!(
        "</title>\n<style>\n",
        include_str!("page.css"),
        "</style>\n</head>\n<body>\n",
        "<!--[if mso]><table role=\"presentation\" width=\"640\" align=\"center\" cellpadding=\"0\" cellspacing=\"0\" ",
        "border=\"0\"><tr><td><![endif]-->\n<div class=\"page\">\n",
    ),
    "</div>\n<!--[if mso]></td></tr></table><![endif]-->\n</body>\n</html>\n",
];

/// Makes pages of Markdown.
pub(super) struct Markdown {
    /// The page's first lines.
    begin: String,
    seen: Cache<Pieces>,
}

impl Markdown {
    /// `lang` is the language that the text is written in (RFC 5646), where it is known.
    pub(super) fn new(lang: Option<&str>) -> Self {
        let mut begin = "<!doctype html>\n<html".to_owned();
        if let Some(lang) = lang {
            begin.push_str(" lang=\"");
            escape(lang, &mut begin);
            begin.push('"');
        }
        begin.push_str(">\n<head>\n");
        Self {
            begin,
            seen: Cache::default(),
        }
    }

    /// The page of a Markdown text with held values.
    pub(super) fn page(&self, markdown: &str, title: &str) -> String {
        let mut values = Vec::new();
        let mut skeleton = String::with_capacity(markdown.len());
        for cut in held::cut(markdown) {
            match cut {
                Cut::Text(text) => skeleton.push_str(text),
                // What is empty leaves no empty paragraph behind, so it must be seen.
                Cut::Value(value) if value.is_empty() => skeleton.push_str(&held::hold("")),
                Cut::Value(value) => {
                    skeleton.push_str(&gap(values.len(), Manner::Text));
                    values.push(value);
                }
            }
        }
        let made = self.seen.get_or_make(&skeleton, |skeleton| {
            Ok::<_, std::convert::Infallible>(pieces(skeleton))
        });
        let Ok(pieces) = made;
        let mut page = String::with_capacity(skeleton.len() * 2 + 4096);
        page.push_str(&self.begin);
        page.push_str(PAGE[0]);
        escape(title, &mut page);
        page.push_str(PAGE[1]);
        pieces.fill(&mut page, |number, manner, page| {
            let value = values.get(number).map(String::as_str).unwrap_or_default();
            match manner {
                Manner::Text => escape(value, page),
                Manner::Link => link(value, page),
            }
        });
        page.push_str(PAGE[2]);
        page
    }
}

fn pieces(markdown: &str) -> Pieces {
    let parser = Parser::new_ext(
        markdown,
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH,
    );
    let mut events: Vec<Event<'_>> = Vec::new();
    for event in parser {
        let event = match event {
            Event::InlineHtml(tag) => linked(&tag, false).unwrap_or(Event::InlineHtml(tag)),
            Event::Html(tag) => linked(&tag, true).unwrap_or(Event::Html(tag)),
            other => other,
        };
        if event == Event::End(TagEnd::Paragraph) && is_empty_paragraph(&mut events) {
            continue;
        }
        events.push(event);
    }
    let mut page = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut page, events.into_iter());
    Pieces::of(&page)
}

/// Takes a paragraph of empty values and blanks back, whose end comes next.
fn is_empty_paragraph(events: &mut Vec<Event<'_>>) -> bool {
    let is_empty = |text: &CowStr<'_>| {
        let mut cuts = held::cut(text);
        cuts.all(|cut| match cut {
            Cut::Text(text) => text.trim().is_empty(),
            Cut::Value(value) => value.is_empty(),
        })
    };
    let start = events.iter().rposition(|event| match event {
        Event::Text(text) => !is_empty(text),
        Event::SoftBreak | Event::HardBreak => false,
        _ => true,
    });
    match start {
        Some(start) if events.get(start) == Some(&Event::Start(Tag::Paragraph)) => {
            events.truncate(start);
            true
        }
        _ => false,
    }
}

/// `<{{url}}>` is a link, as it is with an address in the place of the value; Markdown takes it for HTML.
fn linked(tag: &str, is_block: bool) -> Option<Event<'static>> {
    let word = tag.trim().strip_prefix('<')?.strip_suffix('>')?;
    let mut cuts = held::cut(word);
    let (Some(Cut::Value(held)), None) = (cuts.next(), cuts.next()) else {
        return None;
    };
    let link = number(&held)
        .map(|(number, _)| gap(number, Manner::Link))
        .unwrap_or_default();
    Some(if is_block {
        Event::Html(CowStr::from(format!("<p>{link}</p>\n")))
    } else {
        Event::InlineHtml(CowStr::from(link))
    })
}

fn link(value: &str, into: &mut String) {
    let scheme = match value {
        _ if value.starts_with("https://")
            || value.starts_with("http://")
            || value.starts_with("mailto:") =>
        {
            ""
        }
        _ if value.contains('@') && !value.contains([':', '/']) => "mailto:",
        _ => return escape(&format!("<{value}>"), into),
    };
    into.push_str("<a href=\"");
    into.push_str(scheme);
    escape(value, into);
    into.push_str("\">");
    escape(value, into);
    into.push_str("</a>");
}

/// Writes text so that HTML shows it as it is, in an attribute too.
fn escape(text: &str, into: &mut String) {
    for part in text.split_inclusive(['&', '<', '>', '"', '\'']) {
        let Some((last, sign)) = part.char_indices().next_back() else {
            continue;
        };
        let entity = match sign {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&#x27;",
            _ => {
                into.push_str(part);
                continue;
            }
        };
        into.push_str(part.get(..last).unwrap_or_default());
        into.push_str(entity);
    }
}
