//! What is wrong gives way, and everything else stays where it is.

use std::collections::BTreeSet;

use super::*;
use crate::template::{Known, Mended, UNKNOWN, mend, tag_length};

fn mended(html: &str) -> Mended {
    let fields: BTreeSet<String> = ["name", "office"].map(str::to_owned).into();
    let known = Known {
        fields: &fields,
        grouped: false,
    };
    let sources = Sources {
        html: Some(Source::new("news.html.hbs", html)),
        attach: vec![Source::new("attach", "{{nmae}}.pdf")],
        ..Sources::default()
    };
    mend(&sources, known, &Map::new())
}

fn html(mended: &Mended) -> &str {
    &mended.sources.html.as_ref().unwrap().text
}

#[test]
fn tags_give_way_to_a_value_that_nobody_knows() {
    let mended = mended("a\n {{nmae}} {{uper name}} {{> foot}} {{name}}");
    let blank = |length: usize| format!("{UNKNOWN}{}", " ".repeat(length - 1));
    let expected = format!("a\n {} {} {} {{{{name}}}}", blank(8), blank(13), blank(10));
    assert_eq!(html(&mended), expected);
    assert_eq!(mended.problems.len(), 4, "the attachment's, too");
    assert!(mended.sources.attach.is_empty() && !mended.is_partial);
}

#[test]
fn a_sound_set_stays_as_it_is() {
    let text = "{{#if name}}{{name}}{{else}}\u{e4}{{/if}}";
    let mended = mended(text);
    assert_eq!(html(&mended), text);
    assert!(mended.errors.is_empty());
}

#[test]
fn a_wrong_block_shows_all_of_its_branches() {
    let mended = mended("{{#if (eq nope 1)}}a{{else}}b{{#if name}}c{{/if}}{{/if}}d");
    assert_eq!(mended.problems.len(), 2);
    let shown: String = html(&mended).split_whitespace().collect();
    assert_eq!(shown, "ab{{#ifname}}c{{/if}}d");
}

#[test]
fn each_syntax_error_is_said_and_no_echo_of_it() {
    let mended = mended("{{}}\n{{#each rows}\n{{title}}\n{{else}}{{/each}}\n{{name == 1}}{{/if}}");
    let places: Vec<_> = (mended.errors.iter())
        .map(|error| (error.line, error.column))
        .collect();
    assert_eq!(places[..2], [(1, 1), (2, 1)], "{:?}", mended.errors);
    let html = html(&mended);
    assert!(TemplateSet::compile(&mended.sources).is_ok(), "{html}");
    let nonsense = "{{".repeat(500);
    self::mended(&nonsense);
    self::mended("{{#a}}".repeat(400).as_str());
}

#[test]
fn the_length_of_a_tag() {
    assert_eq!(tag_length("\u{e4} {{name}} x", 1, 3), Some(8));
    assert_eq!(tag_length("a\n<p {{name\">", 2, 4), Some(6));
    assert_eq!(tag_length("no tag", 1, 1), None);
    assert_eq!(tag_length("x", 9, 9), None);
}
