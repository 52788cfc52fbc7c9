use proptest::prelude::*;

use super::super::{Source, Sources, TemplateSet};
use super::{html, with_partials};

/// The place and the words of the first error of an HTML body.
fn error(text: &str) -> (usize, usize, String, String) {
    let errors = TemplateSet::compile(&html(text)).unwrap_err();
    let first = &errors[0];
    assert_eq!(first.part, "news.html.hbs");
    (
        first.line,
        first.column,
        first.message.clone(),
        first.remedy.clone(),
    )
}

#[test]
fn mistakes_are_said_in_plain_words() {
    for (text, line, column, message) in [
        ("a\n  {{#if x}}b", 2, 3, "{{#if}} is never closed"),
        (
            "{{#if x}}b{{/each}}",
            1,
            11,
            "{{/each}} stands where {{#if}} must be closed",
        ),
        (
            "b{{/if}}",
            1,
            2,
            "{{/if}} closes a block that was never opened",
        ),
        ("é {{name", 1, 3, "'{{' is never closed"),
        ("{{else}}", 1, 1, "{{else}} stands outside any block"),
        ("x {{}}", 1, 3, "there is nothing between {{ and }}"),
        (
            "{{#if office == \"Berlin\"}}{{/if}}",
            1,
            1,
            "'#if office == \"Berlin\"' is written as a formula",
        ),
        (
            "ok\n {{E-Mail?}}",
            2,
            2,
            "this is not Handlebars from '?}}' on",
        ),
        (
            "é {{upper é é=}} {{x}}",
            1,
            3,
            "this is not Handlebars from '}}' on",
        ),
        ("{{> [x}}", 1, 1, "'{{' is never closed"),
    ] {
        let found = error(text);
        assert_eq!(
            (found.0, found.1, found.2.as_str()),
            (line, column, message),
            "{text}"
        );
        assert!(!found.3.is_empty());
    }
}

#[test]
fn all_errors_come_at_once() {
    let sources = Sources {
        subject: Source::new("campaign.toml: message.subject", "{{#if}"),
        text: Some(Source::new("news.txt.hbs", "{{/if}}")),
        partials: vec![Source::new("foot", "{{")],
        ..Sources::default()
    };
    let errors = TemplateSet::compile(&sources).unwrap_err();
    let parts: Vec<_> = errors.iter().map(|error| error.part.as_str()).collect();
    assert_eq!(
        parts,
        ["campaign.toml: message.subject", "news.txt.hbs", "foot"]
    );
}

#[test]
fn a_partial_that_includes_itself_is_refused() {
    for partials in [
        &[("a", "{{> a}}")][..],
        &[
            ("a", "{{> b}}"),
            ("b", "{{#if x}}{{> c}}{{/if}}"),
            ("c", "{{#> a}}{{/a}}"),
        ],
        &[(
            "a",
            "{{#*inline \"i\"}}{{> j}}{{/inline}}{{#*inline \"j\"}}{{> i}}{{/inline}}",
        )],
        &[
            ("a", "{{#> b}}{{#*inline \"i\"}}{{> b}}{{/inline}}{{/b}}"),
            ("b", "{{> i}}"),
        ],
    ] {
        let errors = TemplateSet::compile(&with_partials(html("{{> a}}"), partials)).unwrap_err();
        assert!(
            errors[0].message.contains("includes itself: "),
            "{errors:?}"
        );
    }
}

#[test]
fn computed_and_endless_partials_are_refused() {
    let errors = TemplateSet::compile(&html("\n{{> (lookup this \"x\")}}")).unwrap_err();
    assert_eq!(
        (errors[0].line, errors[0].message.as_str()),
        (2, "a partial's name is computed")
    );
    let texts: Vec<_> = (0..40)
        .map(|n| (format!("p{n}"), format!("{{{{> p{}}}}}", n + 1)))
        .collect();
    let mut partials: Vec<_> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    partials.push(("p40", "end"));
    let errors = TemplateSet::compile(&with_partials(html("{{> p0}}"), &partials)).unwrap_err();
    assert!(errors[0].message.contains("32 levels"), "{errors:?}");
}

#[test]
fn deep_nesting_is_an_error_and_no_crash() {
    let blocks = format!("{}{}", "{{#if a}}".repeat(5000), "{{/if}}".repeat(5000));
    let brackets = format!(
        "{{{{#if {}a{}}}}}{{{{/if}}}}",
        "(not ".repeat(5000),
        ")".repeat(5000)
    );
    for text in [
        blocks,
        brackets,
        "{{#if a}}".repeat(5000),
        format!("{{{{#if a}}}}{}{{{{/if}}}}", "{{else if b}}".repeat(5000)),
        format!("\\\\{}", "{{#if a}}".repeat(5000)),
        format!(
            "\\{{{{{{{{x}}}}}}}} {{{{x \"a\\\"b\" [\"]\"] [c\"]}}}}{}",
            "{{~ #if a}}".repeat(5000)
        ),
        format!("{{{{x {}{}}}}}", "[1, [".repeat(5000), "]]".repeat(5000)),
        format!("{{{{x {{\"a\":{{\"b\":1}}}} {}", "(not ".repeat(5000)),
        format!("{{{{x {}", "(a \")\" ".repeat(5000)),
        format!("{{{{x {}}}}}", "[".repeat(9000)),
    ] {
        assert!(error(&text).2.contains("nested"), "{}", error(&text).2);
    }
    for fine in [
        format!("{}{}", "{{#if a}}".repeat(60), "{{/if}}".repeat(60)),
        format!("{{{{#if a}}}}{}{{{{/if}}}}", "{{else if b}}x".repeat(60)),
        "{{#if a}}{{else if b}}{{else}}{{/if}}".repeat(500),
        "{{x [1, \"}}\"] {\"a\":{\"b\":1}} (y [1st 'z])}}".repeat(500),
    ] {
        let errors = TemplateSet::compile(&html(&fine)).err();
        assert!(errors.is_none(), "{errors:?}");
    }
}

/// Each alone is harmless; one inside the other they would run out of stack.
#[test]
fn blocks_and_partials_are_counted_together() {
    let wrapped = |inside: &str, blocks: usize| {
        format!(
            "{}{inside}{}",
            "{{#if x}}".repeat(blocks),
            "{{/if}}".repeat(blocks)
        )
    };
    let chain = |blocks: usize| -> Vec<(String, String)> {
        let mut partials: Vec<_> = (0..12)
            .map(|n| {
                (
                    format!("p{n}"),
                    wrapped(&format!("{{{{> p{}}}}}", n + 1), blocks),
                )
            })
            .collect();
        partials.push(("p12".to_owned(), wrapped("{{y}}", blocks)));
        partials
    };
    let sources = |blocks: usize, text: &str| {
        let chain = chain(blocks);
        let partials: Vec<_> = (chain.iter())
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        with_partials(html(text), &partials)
    };
    let text = "x\n{{#> p0}}y{{/p0}}";
    let errors = TemplateSet::compile(&sources(100, text)).unwrap_err();
    let [error] = &errors[..] else {
        panic!("{errors:?}")
    };
    assert_eq!((error.line, error.column), (2, 1), "{error}");
    assert!(error.message.contains("nested"), "{error}");

    // As deep as is allowed: nothing that goes through it may run out of stack.
    let set =
        TemplateSet::compile(&sources(23, "{{#if x}}{{#if x}}{{> p0}}{{/if}}{{/if}}")).unwrap();
    let data = super::object(serde_json::json!({ "x": "x", "y": "deep inside" }));
    let fields = ["x", "y"].map(str::to_owned).into();
    let known = super::super::Known {
        fields: &fields,
        grouped: false,
    };
    assert_eq!(set.check(known, &serde_json::Map::new()), []);
    let out = set.render(data).unwrap();
    assert_eq!(out.html.as_deref(), Some("deep inside"));
}

#[test]
fn comments_raw_blocks_and_escapes_are_no_tags() {
    let text = "{{! {{#if }} {{!-- {{/if}} }} --}} \\{{#if x}} {{{{raw}}}}{{#if}}{{{{/raw}}}}";
    assert!(TemplateSet::compile(&html(text)).is_ok());
}

proptest! {
    #[test]
    fn no_text_makes_the_compiler_panic(
        pieces in prop::collection::vec(prop_oneof![
            Just("{{"), Just("}}"), Just("{{{"), Just("}}}"), Just("#if "), Just("/if"), Just("else"), Just("^"), Just("~"),
            Just("> p"), Just("#> p"), Just("#*inline \"p\""), Just("/inline"), Just("("), Just(")"), Just("a"), Just("[a b]"),
            Just("this"), Just("../"), Just("@index"), Just("@root."), Just(" as |x y|"), Just("="), Just("\"s\""), Just("'s'"),
            Just("{{!"), Just("--"), Just("{{{{raw}}}}"), Just("{{{{/raw}}}}"), Just("\\"), Just(" "), Just("\n"), Just("é"),
            Just("{{#if a}}"), Just("{{/if}}"), Just("{{else}}"), Just("{{else if b}}"), Just("{{#each a}}"), Just("{{/each}}"),
        ], 0..24)
    ) {
        let text = pieces.concat();
        let fields = std::collections::BTreeSet::new();
        let known = super::super::Known { fields: &fields, grouped: false };
        if let Ok(set) = TemplateSet::compile(&html(&text)) {
            set.check(known, &serde_json::Map::new());
            drop(set.render(serde_json::Map::new()));
        }
    }
}
