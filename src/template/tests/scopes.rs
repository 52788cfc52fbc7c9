//! What a name means inside blocks and partials, and that every part is checked and rendered alike.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Known, ProblemKind, Source, Sources};
use super::{html, object, rendered, set, with_partials};

fn data() -> Value {
    json!({
        "name": "Zoë", "title": "News", "office": "Bonn",
        "items": [{ "head": "a", "tags": ["x", "y"] }, { "head": "b", "tags": [] }],
        "offices": { "Berlin": { "phone": "1" }, "Bonn": { "phone": "2", "title": "Rhein" } },
    })
}

#[test]
fn names_are_looked_up_from_where_they_stand() {
    for (template, expected) in [
        (
            "{{#each items}}{{head}}{{../title}}{{@root.name}} {{/each}}",
            "aNewsZoë bNewsZoë ",
        ),
        (
            "{{#each items}}{{#each tags}}{{../head}}{{this}}{{@../index}}{{@index}}{{../../name}} {{/each}}{{/each}}",
            "ax00Zoë ay01Zoë ",
        ),
        (
            "{{#if name}}{{title}}{{#with offices}}{{Bonn.phone}}{{../title}}{{/with}}{{/if}}",
            "News2News",
        ),
        (
            "{{#each items as |item n|}}{{n}}{{item.head}}{{#each item.tags as |tag|}}{{tag}}{{n}}{{/each}} {{/each}}",
            "0ax0y0 1b ",
        ),
        (
            "{{#with offices.Bonn as |here|}}{{here.phone}}{{here.title}}{{@root.title}}{{/with}}",
            "2RheinNews",
        ),
        (
            "{{#each offices}}{{@key}}={{phone}};{{/each}}",
            "Berlin=1;Bonn=2;",
        ),
        (
            "{{#each offices as |place town|}}{{town}}={{place.phone}};{{/each}}",
            "Berlin=1;Bonn=2;",
        ),
        (
            "{{#with (lookup offices office)}}{{phone}}{{title}}{{../office}}{{/with}}",
            "2RheinBonn",
        ),
        (
            "{{lookup (lookup offices office) \"phone\"}} {{offices.Berlin.phone}} {{items.[1].head}}",
            "2 1 b",
        ),
    ] {
        assert_eq!(rendered(template, data()), expected, "{template}");
    }
}

#[test]
fn partials_see_what_is_around_them_and_what_they_are_given() {
    let partials = [
        ("item", "{{head}}{{mark}}{{@root.title}};"),
        ("page", "<{{> @partial-block}}|{{> side}}>"),
        ("deep", "{{#each tags}}{{> leaf leaf=this}}{{/each}}"),
        ("leaf", "{{leaf}}{{@root.office}}."),
    ];
    for (template, expected) in [
        (
            "{{#each items}}{{> item mark=@index}}{{/each}}",
            "a0News;b1News;",
        ),
        (
            "{{#each items}}{{> item this mark=\"!\"}}{{/each}}",
            "a!News;b!News;",
        ),
        ("{{> item items.[1] mark=name}}", "bZoëNews;"),
        ("{{#each items}}{{> deep}}{{/each}}", "xBonn.yBonn."),
        (
            "{{#> page}}{{#*inline \"side\"}}{{title}}{{/inline}}{{name}}{{/page}}",
            "<Zoë|News>",
        ),
        ("{{#> nowhere}}{{name}}{{/nowhere}}", "Zoë"),
    ] {
        let sources = with_partials(html(template), &partials);
        let set = set(&sources);
        let fields = ["name", "office"].map(str::to_owned).into();
        let known = Known {
            fields: &fields,
            grouped: false,
        };
        assert_eq!(set.check(known, &object(data())), [], "{template}");
        let out = set.render(object(data())).unwrap();
        assert_eq!(out.html.as_deref(), Some(expected), "{template}");
    }
}

#[test]
fn a_missing_partial_is_found_before_and_told_while_rendering() {
    let sources = with_partials(html("{{#if never}}{{> foter}}{{/if}}"), &[("footer", "x")]);
    let fields = ["never".to_owned()].into();
    let known = Known {
        fields: &fields,
        grouped: false,
    };
    let found = set(&sources).check(known, &object(json!({})));
    let [problem] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (problem.kind, problem.column),
        (ProblemKind::UnknownPartial, Some(14))
    );
    assert_eq!(problem.nearest.as_deref(), Some("footer"));
    let error = set(&sources)
        .render(object(json!({ "never": "x" })))
        .unwrap_err();
    assert_eq!(error.reason, "there is no partial 'foter' here");
    assert!(set(&sources).render(object(json!({ "never": "" }))).is_ok());
}

/// All parts with the same text, each called by its place.
fn everywhere(text: &str) -> Sources {
    let part = |name: &str| Source::new(name, text);
    Sources {
        subject: part("subject"),
        language: crate::template::Language::Html,
        html: Some(part("html")),
        text: Some(part("text")),
        headers: vec![("X-Team".to_owned(), part("header"))],
        to: Some(part("to")),
        reply_to: Some(part("reply_to")),
        cc: vec![part("cc")],
        bcc: vec![part("bcc")],
        attach: vec![part("attach")],
        partials: vec![Source::new("p", "{{#if true}}{{x}}{{/if}}")],
    }
}

#[test]
fn no_part_is_left_unchecked() {
    for text in [
        "{{#if missing}}x{{/if}}",
        "{{#each missing}}x{{/each}}",
        "{{#if x}}{{else}}{{missing}}{{/if}}",
    ] {
        let fields = BTreeSet::from(["x".to_owned()]);
        let known = Known {
            fields: &fields,
            grouped: false,
        };
        let found = set(&everywhere(text)).check(known, &object(json!({})));
        let parts: Vec<_> = found.iter().map(|problem| problem.part.as_str()).collect();
        let all = [
            "subject", "html", "text", "header", "to", "reply_to", "cc", "bcc", "attach",
        ];
        assert_eq!(parts, all, "{text}");
        assert!(
            found.iter().all(|problem| problem.found == "missing"),
            "{found:?}"
        );
    }
}

#[test]
fn escaping_goes_by_the_part_however_a_value_gets_there() {
    let text = "{{x}}|{{{x}}}|{{> p}}|{{#> q}}{{x}}{{/q}}|{{#*inline \"i\"}}{{x}}{{/inline}}{{> i}}|\
                {{default x 1}}|{{join (lookup this \"list\")}}|{{#each list}}{{this}}{{/each}}";
    let mut sources = everywhere(text);
    sources
        .partials
        .push(Source::new("q", "{{> @partial-block}}"));
    let raw = "<b> & \"c\" 'd'";
    let out = set(&sources)
        .render(object(json!({ "x": raw, "list": [raw] })))
        .unwrap();
    let safe = "&lt;b&gt; &amp; &quot;c&quot; &#x27;d&#x27;";
    let plain = [raw; 8].join("|");
    assert_eq!(
        out.html.unwrap(),
        [safe, raw, safe, safe, safe, safe, safe, safe].join("|")
    );
    let others = [Some(out.subject), out.text, out.to, out.reply_to];
    let lists = [
        out.cc,
        out.bcc,
        out.attach,
        out.headers.into_iter().map(|(_, value)| value).collect(),
    ];
    for other in others
        .into_iter()
        .flatten()
        .chain(lists.into_iter().flatten())
    {
        assert_eq!(other, plain);
    }
}

proptest! {
    /// Whatever a cell holds, the text part shows it, and the HTML part shows it once a reader has undone the escaping.
    #[test]
    fn any_cell_survives(cell in any::<String>()) {
        let mut sources = everywhere("[{{x}}]{{> p}}{{#each list}}{{this}}{{/each}}{{lookup this \"x\"}}");
        sources.attach.clear();
        let out = set(&sources).render(object(json!({ "x": cell.clone(), "list": [cell.clone()] }))).unwrap();
        let expected = format!("[{cell}]{cell}{cell}{cell}");
        prop_assert_eq!(out.text.as_deref(), Some(expected.as_str()));
        prop_assert_eq!(&out.subject, &expected);
        let markup = out.html.unwrap();
        prop_assert!(!markup.contains(['<', '>', '"', '\'']), "{}", markup);
        let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#x60;", "`"), ("&#x3D;", "="), ("&amp;", "&")];
        let shown = entities.iter().fold(markup, |text, (entity, sign)| text.replace(entity, sign));
        prop_assert_eq!(shown, expected);
    }
}
