//! Every helper with what it can read and with what it cannot.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::helpers::HELPERS;
use super::{failure, rendered};

/// Template and what it renders to, with the [`data`] below.
const GOOD: &[(&str, &str)] = &[
    ("{{#if name}}yes{{else}}no{{/if}}", "yes"),
    (
        "{{#if empty}}yes{{else if name}}other{{else}}no{{/if}}",
        "other",
    ),
    // A cell is text, and text is true unless it is empty.
    ("{{#if zero}}yes{{/if}}{{#if no}}yes{{/if}}", "yesyes"),
    (
        "{{#if 0 includeZero=true}}yes{{/if}}{{#if none}}no{{/if}}",
        "yes",
    ),
    (
        "{{#unless empty}}nothing{{else}}something{{/unless}}",
        "nothing",
    ),
    (
        "{{#each list}}{{@index}}{{this}}{{#unless @last}}, {{/unless}}{{/each}}",
        "0a, 1b",
    ),
    (
        "{{#each none}}x{{else}}nobody{{/each}}{{#each nobody}}x{{else}}nobody{{/each}}",
        "nobodynobody",
    ),
    (
        "{{#with boss}}{{name}}{{/with}}{{#with none}}x{{else}}nobody{{/with}}",
        "Annnobody",
    ),
    (
        "{{lookup offices office}} {{lookup list 1}} {{lookup this \"zero\"}}",
        "Spree b 0",
    ),
    (
        "{{{{raw}}}}{{name}} {{#if}}{{{{/raw}}}}",
        "{{name}} {{#if}}",
    ),
    (
        "{{#if (eq office \"Berlin\")}}yes{{/if}}{{#eq points 42}}yes{{else}}no{{/eq}}",
        "yesyes",
    ),
    (
        "{{eq office \"berlin\"}} {{eq points \"42.0\"}} {{eq points 42.0}} {{eq truth true}}",
        "false false true true",
    ),
    (
        "{{ne office \"Bonn\"}} {{ne points 42}} {{#ne office \"Berlin\"}}x{{/ne}}",
        "true false ",
    ),
    (
        "{{lt few points}} {{lt points points}} {{lt \"a\" \"b\"}} {{lt empty 1}}",
        "true false true false",
    ),
    (
        "{{le few points}} {{le points points}} {{lte few points}} {{lte points few}}",
        "true true true false",
    ),
    (
        "{{gt points few}} {{gt points points}} {{gt empty 1}}",
        "true false false",
    ),
    (
        "{{ge points points}} {{ge few points}} {{gte points few}} {{gte few points}}",
        "true false true false",
    ),
    ("{{and name zero}} {{and name empty}}", "true false"),
    ("{{or empty name}} {{or empty none}}", "true false"),
    ("{{not empty}} {{not name}}", "true false"),
    (
        "{{len name}} {{len list}} {{len boss}} {{len empty}}",
        "3 2 1 0",
    ),
    (
        "{{upper name}} {{upper \"straße\"}} {{upper 1}}",
        "ZOË STRASSE 1",
    ),
    ("{{lower \"ÄB\"}} {{lower office}}", "äb berlin"),
    (
        "{{capitalize name}} {{capitalize \"McKay\"}} {{capitalize empty}}.",
        "Zoë McKay .",
    ),
    ("[{{trim \" a b \"}}]", "[a b]"),
    (
        "{{urlencode \"zoë+a b@x.org\"}} {{urlencode 1}}",
        "zo%C3%AB%2Ba%20b%40x.org 1",
    ),
    (
        "{{default empty \"x\"}} {{default blank \"x\"}} {{default none \"x\"}} {{default name \"x\"}} {{default zero \"x\"}}",
        "x x x zoë 0",
    ),
    (
        "{{date day \"%d.%m.%Y\"}} {{date day \"%-d %B %Y\"}} {{date day \"%A\"}}",
        "31.12.2026 31 December 2026 Thursday",
    ),
    (
        "{{date \"1.2.2026\" \"%F\"}} {{date \"01.02.2026 18:30\" \"%H:%M\"}} {{date \" 2026-02-01 \" \"%F\"}}",
        "2026-02-01 18:30 2026-02-01",
    ),
    (
        "{{date \"2026-12-31T23:30\" \"%F %R\"}} {{date \"2026-12-31T23:30:00Z\" \"%F %R\"}} {{date \"2026-12-31T23:30:00+02:00\" \"%F %R\"}}",
        "2026-12-31 23:30 2026-12-31 23:30 2026-12-31 23:30",
    ),
    ("{{date \"29.2.2028\" \"%j\"}}", "060"),
    (
        "{{number \"1234567.895\"}} {{number 5}} {{number \" 12 \"}} {{number \"-0.001\"}}",
        "1,234,567.90 5.00 12.00 0.00",
    ),
    (
        "{{number \"1234.5\" thousands=\".\" decimal=\",\"}} {{number \"1999.5\" decimals=0 thousands=\"\"}}",
        "1.234,50 2000",
    ),
    (
        "{{join list}} {{join list \" + \"}} {{join nobody}}.",
        "a, b a + b .",
    ),
];

/// Template and what its failure says.
const BAD: &[(&str, &str)] = &[
    (
        "{{#with (lookup boss \"age\")}}{{more}}{{/with}}",
        "is not there",
    ),
    ("{{lookup offices zero}}", "is not there"),
    ("{{eq missing 1}}", "'missing' has no value"),
    ("{{ne missing 1}}", "'missing' has no value"),
    ("{{lt name 3}}", "{{lt}} cannot read 'zoë'"),
    ("{{le 3 name}}", "{{le}} cannot read 'zoë'"),
    ("{{lte list 3}}", "{{lte}} cannot read '[\"a\",\"b\"]'"),
    ("{{gt name 3}}", "{{gt}} cannot read 'zoë'"),
    ("{{ge name 3}}", "{{ge}} cannot read 'zoë'"),
    ("{{gte truth 3}}", "{{gte}} cannot read 'true'"),
    ("{{len missing}}", "'missing' has no value"),
    ("{{upper list}}", "{{upper}} cannot read '[\"a\",\"b\"]'"),
    (
        "{{lower boss}}",
        "{{lower}} cannot read '{\"name\":\"Ann\"}'",
    ),
    ("{{capitalize list}}", "{{capitalize}} cannot read"),
    ("{{urlencode list}}", "{{urlencode}} cannot read"),
    ("{{trim list}}", "{{trim}} cannot read"),
    ("{{default empty missing}}", "'missing' has no value"),
    ("{{date name \"%F\"}}", "{{date}} cannot read 'zoë'"),
    ("{{date empty \"%F\"}}", "{{date}} cannot read ''"),
    (
        "{{date 20261231 \"%F\"}}",
        "{{date}} cannot read '20261231'",
    ),
    (
        "{{date \"12/31/2026\" \"%F\"}}",
        "{{date}} cannot read '12/31/2026'",
    ),
    (
        "{{date \"29.2.2027\" \"%F\"}}",
        "{{date}} cannot read '29.2.2027'",
    ),
    (
        "{{date \"1.2.26\" \"%F\"}}",
        "{{date}} cannot read '1.2.26'",
    ),
    ("{{date day 5}}", "{{date}} cannot use the format 5"),
    ("{{date day \"%\"}}", "{{date}} cannot use the format \"%\""),
    ("{{number name}}", "{{number}} cannot read 'zoë'"),
    ("{{number empty}}", "{{number}} cannot read ''"),
    ("{{number \"1,5\"}}", "{{number}} cannot read '1,5'"),
    ("{{number \"1e3\"}}", "{{number}} cannot read '1e3'"),
    ("{{number truth}}", "{{number}} cannot read 'true'"),
    (
        "{{number 1 decimals=-1}}",
        "{{number}} cannot write -1 decimals",
    ),
    (
        "{{number 1 decimals=name}}",
        "{{number}} cannot write \"zoë\" decimals",
    ),
    (
        "{{number 1 thousands=1}}",
        "{{number}} cannot use 1 as a separator",
    ),
    ("{{join name}}", "{{join}} cannot read 'zoë'"),
    ("{{join boss}}", "{{join}} cannot read"),
];

fn data() -> Value {
    json!({
        "name": "zoë", "empty": "", "blank": "  ", "zero": "0", "no": "no", "none": null, "points": "42", "few": "9",
        "list": ["a", "b"], "nobody": [], "boss": { "name": "Ann" }, "office": "Berlin", "truth": true,
        "offices": { "Berlin": "Spree", "Bonn": "Rhein" }, "day": "2026-12-31",
    })
}

#[test]
fn what_can_be_read_is_written() {
    for (template, expected) in GOOD {
        assert_eq!(rendered(template, data()), *expected, "{template}");
    }
}

#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    for (template, expected) in BAD {
        let error = failure(&format!("<p>\n  {template}"), data());
        assert!(error.reason.contains(expected), "{template}: {error}");
        assert_eq!((error.line, error.column), (Some(2), Some(3)), "{template}");
        assert!(!error.hint.is_empty(), "{template}");
    }
}

#[test]
fn every_helper_is_tried() {
    let named = |templates: &[(&str, &str)]| -> BTreeSet<&str> {
        let is_tried = |name: &&str| {
            let starts = ["{{", "{{#", "{{{{", "("].map(|start| format!("{start}{name}"));
            templates.iter().any(|(template, _)| {
                starts.iter().any(|start| {
                    let mut after = template.split(start.as_str()).skip(1);
                    after.any(|rest| rest.starts_with([' ', '}']))
                })
            })
        };
        HELPERS
            .iter()
            .map(|helper| helper.name)
            .filter(is_tried)
            .collect()
    };
    let all: BTreeSet<_> = HELPERS.iter().map(|helper| helper.name).collect();
    assert_eq!(named(GOOD), all);
    // The others ask only whether there is something, which can be asked of everything.
    let choosy = &all - &["if", "unless", "each", "raw", "and", "or", "not"].into();
    assert_eq!(named(BAD), choosy);
}
