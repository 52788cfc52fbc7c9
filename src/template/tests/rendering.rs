use proptest::prelude::*;
use serde_json::json;

use super::super::{Rendered, Source, Sources, merge};
use super::{failure, html, object, rendered, set, with_partials};

#[test]
fn only_html_is_escaped() {
    let part = |name: &str| Source::new(name, "{{x}}");
    let sources = Sources {
        subject: part("subject"),
        language: crate::template::Language::Html,
        html: Some(Source::new("html", "{{x}}|{{{x}}}|{{> p}}|{{upper x}}")),
        text: Some(Source::new("text", "{{x}}|{{> p}}")),
        headers: vec![("X-Team".to_owned(), part("header"))],
        to: Some(part("to")),
        reply_to: Some(part("reply")),
        cc: vec![part("cc")],
        bcc: vec![part("bcc")],
        attach: vec![part("attach")],
        partials: vec![Source::new("p", "{{x}}")],
    };
    let name = "Tom & O'Brien";
    let out = set(&sources).render(object(json!({ "x": name }))).unwrap();
    let escaped = "Tom &amp; O&#x27;Brien";
    assert_eq!(
        out.html.unwrap(),
        format!("{escaped}|{name}|{escaped}|TOM &amp; O&#x27;BRIEN")
    );
    assert_eq!(out.text.unwrap(), format!("{name}|{name}"));
    assert_eq!(out.subject, name);
    assert_eq!(out.headers, [("X-Team".to_owned(), name.to_owned())]);
    assert_eq!(
        (out.to.as_deref(), out.reply_to.as_deref()),
        (Some(name), Some(name))
    );
    assert_eq!(
        (out.cc, out.bcc, out.attach),
        (
            vec![name.to_owned()],
            vec![name.to_owned()],
            vec![name.to_owned()]
        )
    );
}

#[test]
fn helpers_do_what_they_say() {
    let data = json!({
        "name": "zoë", "blank": "  ", "points": "42", "few": "9", "list": ["a", "b"], "null": null,
        "day": "2026-12-31", "german": "1.2.2026", "at": "2026-12-31T18:05:00Z", "money": "-1234567.345", "office": "Berlin",
    });
    for (template, expected) in [
        (
            "{{upper name}} {{capitalize name}} {{lower \"ÄB\"}} {{trim blank}}.",
            "ZOË Zoë äb .",
        ),
        (
            "{{default blank \"x\"}} {{default null \"y\"}} {{default name \"z\"}}",
            "x y zoë",
        ),
        (
            "{{#if (eq points 42)}}yes{{/if}}{{#if (ne points \"42\")}}no{{/if}}",
            "yes",
        ),
        ("{{#if (lt few points)}}by size{{/if}}", "by size"),
        ("{{#if (gt blank 1)}}more{{else}}not{{/if}}", "not"),
        (
            "{{#if (and (ge points 42) (not (eq office \"Bonn\")))}}both{{/if}}",
            "both",
        ),
        (
            "{{#if (or (eq office \"Bonn\") (le points 42))}}one{{/if}}",
            "one",
        ),
        (
            "{{#eq office \"Berlin\"}}block{{else}}other{{/eq}}",
            "block",
        ),
        (
            "{{date day \"%d.%m.%Y\"}} {{date german \"%A\"}} {{date at \"%H:%M\"}}",
            "31.12.2026 Sunday 18:05",
        ),
        (
            "{{number money}} {{number points decimals=0}}",
            "-1,234,567.35 42",
        ),
        (
            "{{number money thousands=\".\" decimal=\",\" decimals=1}}",
            "-1.234.567,3",
        ),
        (
            "{{number 999.995}} {{number \"-0.001\"}} {{number 0.5 decimals=0}}",
            "1,000.00 0.00 1",
        ),
        (
            "{{join list \" + \"}} {{join list}} {{len name}} {{len list}}",
            "a + b a, b 3 2",
        ),
        ("{{default (lookup list 1) \"-\"}}", "b"),
    ] {
        assert_eq!(rendered(template, data.clone()), expected, "{template}");
    }
}

#[test]
fn what_a_helper_cannot_read_is_named() {
    for (template, named) in [
        ("{{date when \"%d\"}}", "{{date}} cannot read 'soon'"),
        (
            "{{date \"12/31/2026\" \"%d\"}}",
            "{{date}} cannot read '12/31/2026'",
        ),
        (
            "{{date \"31.02.2026\" \"%d\"}}",
            "{{date}} cannot read '31.02.2026'",
        ),
        (
            "{{date \"2026-01-01\" \"%Q\"}}",
            "{{date}} cannot use the format \"%Q\"",
        ),
        ("{{number when}}", "{{number}} cannot read 'soon'"),
        (
            "{{number \"1.234,50\"}}",
            "{{number}} cannot read '1.234,50'",
        ),
        (
            "{{number 1 decimals=99}}",
            "{{number}} cannot write 99 decimals",
        ),
        ("{{join when}}", "{{join}} cannot read 'soon'"),
        ("{{#if (gt when 3)}}{{/if}}", "{{gt}} cannot read 'soon'"),
        ("{{upper list}}", "{{upper}} cannot read '[1]'"),
    ] {
        let error = failure(
            &format!("<p>\n {template}"),
            json!({ "when": "soon", "list": [1] }),
        );
        assert_eq!(error.reason, named, "{template}");
        assert_eq!(
            (error.part.as_str(), error.line, error.column),
            ("news.html.hbs", Some(2), Some(2))
        );
        assert!(!error.hint.is_empty());
    }
}

#[test]
fn a_field_without_a_value_is_an_error_with_its_place() {
    let sources = with_partials(html("Hello\n  {{> foot}}"), &[("foot", "x\n{{team}}")]);
    let error = set(&sources).render(object(json!({}))).unwrap_err();
    assert_eq!((error.part.as_str(), error.line), ("foot", Some(2)));
    assert!(error.reason.contains("'team'"), "{error}");
    assert!(error.to_string().starts_with("foot, line 2"), "{error}");
}

#[test]
fn columns_may_be_called_like_helpers() {
    let data = json!({ "date": "today", "len": "7", "items": [{ "date": "x" }] });
    assert_eq!(
        rendered(
            "{{date}} {{len}} {{#each items}}{{date}}{{/each}} {{upper date}}",
            data
        ),
        "today 7 x TODAY"
    );
}

#[test]
fn the_programs_log_is_out_of_reach() {
    let error = failure("{{log \"secret\"}}", json!({}));
    assert!(error.reason.contains("log"), "{error}");
}

#[test]
fn a_part_cannot_grow_without_end() {
    let list: Vec<_> = (0..3000).collect();
    let error = failure(
        "{{#each list}}{{#each ../list}}all work and no play makes Jack a dull boy{{/each}}{{/each}}",
        json!({ "list": list }),
    );
    assert!(error.reason.contains("10 MiB"), "{error}");
}

#[test]
fn a_part_that_writes_nothing_comes_to_an_end_too() {
    let list: Vec<_> = (0..100).collect();
    let loops = "{{#each @root.list}}".repeat(5) + &"{{/each}}".repeat(5);
    let error = failure(&loops, json!({ "list": list }));
    assert!(error.reason.contains("on and on"), "{error}");
    assert!(error.hint.contains("{{#each}}"), "{error:?}");
    // What a list of a hundred thousand people needs is far from it.
    let list: Vec<_> = (0..100_000).collect();
    let one = "{{#each list}}{{#if this}}x{{/if}}{{/each}}";
    assert_eq!(rendered(one, json!({ "list": list })).len(), 99_999);
}

#[test]
fn the_recipients_fields_win() {
    let data = object(json!({ "team": "all", "title": "News" }));
    let merged = merge(&data, object(json!({ "team": "sales" })));
    assert_eq!(merged, object(json!({ "team": "sales", "title": "News" })));
}

#[test]
fn the_digest_tells_where_text_stands() {
    let base = Rendered {
        subject: "ab".to_owned(),
        ..Rendered::default()
    };
    let others = [
        Rendered {
            subject: "a".to_owned(),
            text: Some("b".to_owned()),
            ..Rendered::default()
        },
        Rendered {
            subject: "ab".to_owned(),
            text: Some(String::new()),
            ..Rendered::default()
        },
        Rendered {
            subject: "ab".to_owned(),
            cc: vec!["x".to_owned()],
            ..Rendered::default()
        },
        Rendered {
            subject: "ab".to_owned(),
            bcc: vec!["x".to_owned()],
            ..Rendered::default()
        },
        Rendered {
            subject: "ab".to_owned(),
            attach: vec!["x".to_owned()],
            ..Rendered::default()
        },
        Rendered {
            subject: "ab".to_owned(),
            headers: vec![("x".to_owned(), String::new())],
            ..Rendered::default()
        },
    ];
    let mut digests: Vec<_> = others.iter().chain([&base]).map(Rendered::digest).collect();
    assert_eq!(base.digest(), base.clone().digest());
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), others.len() + 1);
}

proptest! {
    #[test]
    fn any_value_stays_as_it_is_outside_html(value in "\\PC*") {
        let sources = Sources { subject: Source::new("subject", "[{{x}}]"), ..Sources::default() };
        let out = set(&sources).render(object(json!({ "x": value.clone() }))).unwrap();
        prop_assert_eq!(out.subject, format!("[{value}]"));
    }

    #[test]
    fn helpers_never_panic_and_give_the_same_twice(value in any::<String>(), number in any::<f64>()) {
        let set = set(&html(
            "{{upper x}}{{capitalize x}}{{trim x}}{{default x 1}}{{len x}}{{#if (eq x n)}}a{{/if}}{{#if (ne n x)}}b{{/if}}",
        ));
        let data = object(json!({ "x": value.clone(), "n": number }));
        prop_assert_eq!(set.render(data.clone()).unwrap(), set.render(data.clone()).unwrap());
        for risky in ["{{date x \"%F\"}}", "{{number x}}", "{{number n}}", "{{#if (lt x n)}}{{/if}}", "{{date \"2026-01-01\" x}}"] {
            let set = super::set(&html(risky));
            prop_assert_eq!(set.render(data.clone()), set.render(data.clone()));
        }
    }

    #[test]
    fn plain_decimals_are_written_exactly(whole in 0_u32..2_000_000_000, cents in 0_u32..100) {
        let text = format!("{whole}.{cents:02}");
        prop_assert_eq!(rendered("{{number x thousands=\"\"}}", json!({ "x": text.clone() })), text);
    }
}

#[test]
fn a_length_is_that_of_a_list_or_text_unless_a_value_is_called_so() {
    let data =
        json!({"news": ["a", "b"], "none": [], "title": "Grüße", "parcel": {"length": "4 m"}});
    let text = "{{news.length}} {{title.length}} {{parcel.length}} {{#if none.length}}some{{else}}none{{/if}} \
                {{#if (gt news.length 1)}}many{{/if}} {{#each news}}{{this.length}}{{@root.news.length}}{{/each}}";
    assert_eq!(rendered(text, data), "2 5 4 m none many 1212");
}
