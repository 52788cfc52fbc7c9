//! Which branches a rendering takes, and that looking changes nothing.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::{html, object, set, with_partials};
use crate::template::{Sources, TemplateSet};

/// The arms that the HTML body takes with `data`, as words.
fn taken(sources: &Sources, data: serde_json::Value) -> BTreeSet<String> {
    let traced = set(sources).traced();
    let (_, arms) = traced.trace(|set| set.render(object(data)).unwrap());
    let word = |entered| if entered { "in" } else { "past" };
    arms.iter()
        .map(|arm| {
            let branch = &traced.branches()[arm.branch];
            format!("{} {}", word(arm.entered), branch.tag)
        })
        .collect()
}

fn words<const N: usize>(words: [&str; N]) -> BTreeSet<String> {
    words.map(str::to_owned).into()
}

#[test]
fn both_arms_of_a_condition_are_told_apart() {
    let sources = html("{{#if (eq office \"Berlin\")}}B{{else if office}}O{{else}}none{{/if}}");
    assert_eq!(
        taken(&sources, json!({"office": "Berlin"})),
        words(["in {{#if (eq office \"Berlin\")}}"])
    );
    assert_eq!(
        taken(&sources, json!({"office": "Oslo"})),
        words([
            "past {{#if (eq office \"Berlin\")}}",
            "in {{else if office}}"
        ])
    );
    assert_eq!(
        taken(&sources, json!({"office": ""})),
        words([
            "past {{#if (eq office \"Berlin\")}}",
            "past {{else if office}}"
        ])
    );
}

#[test]
fn a_block_in_a_list_takes_both_arms_where_entries_differ() {
    let sources = html("{{#each news}}{{#unless old}}{{title}}{{/unless}}{{/each}}");
    let data = json!({"news": [{"title": "a", "old": true}, {"title": "b", "old": false}, {"title": "c", "old": true}]});
    assert_eq!(
        taken(&sources, data),
        words([
            "in {{#each news}}",
            "past {{#unless old}}",
            "in {{#unless old}}"
        ])
    );
    assert_eq!(
        taken(&sources, json!({"news": []})),
        words(["past {{#each news}}"])
    );
}

#[test]
fn branches_in_partials_count_wherever_they_are_included_from() {
    let sources = with_partials(
        html("{{> footer}}{{#*inline \"x\"}}{{#if a}}a{{/if}}{{/inline}}{{> x}}"),
        &[("footer", "{{#if leave}}bye{{/if}}")],
    );
    assert_eq!(
        taken(&sources, json!({"a": "1", "leave": ""})),
        words(["past {{#if leave}}", "in {{#if a}}"])
    );
}

#[test]
fn a_list_that_is_not_there_fails_as_ever() {
    let sources = html("{{#each (lookup this \"news\")}}x{{/each}}");
    let plain = set(&sources);
    let traced = plain.traced();
    let data = || object(json!({"news": "text"}));
    assert_eq!(
        traced.trace(|set| set.render(data())).0.unwrap_err(),
        plain.render(data()).unwrap_err()
    );
}

/// Pieces that templates are made of, with the white space that handlebars treats in its own ways.
fn piece() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("text ".to_owned()),
        Just("\n".to_owned()),
        Just("  ".to_owned()),
        Just("{{a}}".to_owned()),
        Just("{{~b~}}".to_owned()),
        Just("  {{> part}}\n".to_owned()),
        Just("{{> part}}".to_owned()),
        Just("{{! note }}\n".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let inside = prop::collection::vec(inner, 0..4).prop_map(|pieces| pieces.concat());
        let open = prop::sample::select(vec![
            "{{#if a}}",
            "{{#if a}}\n",
            "{{~#if b~}}",
            "  {{#if b}}\n",
        ]);
        (open, inside.clone(), inside, 0..4).prop_map(|(open, inner, other, form)| match form {
            0 => format!("{open}{inner}{{{{/if}}}}"),
            1 => format!("{open}{inner}\n{{{{else}}}}\n{other}{{{{/if}}}}\n"),
            2 => format!("{{{{#each l}}}}\n{inner}{{{{/each}}}}{other}"),
            _ => format!("{{{{#> block}}}}{inner}{{{{/block}}}}\n{other}"),
        })
    })
}

proptest! {
    #[test]
    fn what_is_traced_renders_the_same(
        pieces in prop::collection::vec(piece(), 0..6),
        a in prop_oneof![Just(""), Just("x")],
        b in prop_oneof![Just(""), Just("two\nlines\n")],
        l in prop::collection::vec(Just(1), 0..3),
    ) {
        let sources = with_partials(
            html(&pieces.concat()),
            &[("part", "part\n  {{#if a}}\n in\n{{/if}}\n"), ("block", "[\n{{> @partial-block}}\n]")],
        );
        let Ok(plain) = TemplateSet::compile(&sources) else { return Ok(()) };
        let data = || object(json!({"a": a, "b": b, "l": l}));
        let expected = plain.render(data());
        let (traced, _) = plain.traced().trace(|set| set.render(data()));
        prop_assert_eq!(traced, expected);
    }
}
