//! Templates as Handlebars.js (4.7) renders them. What is expected here was rendered by it.

use std::collections::BTreeSet;

use serde_json::{Map, json};

use super::{html, rendered, set};
use crate::template::{Known, ProblemKind, TemplateSet};

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of templates and what comes of them"
)]
fn templates_render_as_in_javascript() {
    let data = json!({
        "name": "Ann", "yes": true, "no": false, "list": ["a", "b"], "none": [], "key": "k2",
        "obj": {"k1": "v1", "k2": "v2"}, "seg": {"b c": "lit"},
        "people": [
            {"name": "Bob", "tags": ["x", "y"], "address": {"city": "Ulm"}},
            {"name": "Eve", "tags": [], "address": {"city": "Bonn"}}
        ]
    });
    for (template, expected) in [
        // Comments of all forms.
        ("a {{! note }} b", "a  b"),
        ("a {{!-- note {{x}} }} -- more --}} b", "a  b"),
        ("a {{~! note ~}} b", "ab"),
        ("a {{~!-- note }} {{x}} --~}} b", "ab"),
        ("a {{! note ~}} b", "a b"),
        ("a {{!-- note --~}} b", "a b"),
        ("a {{~! note }} b", "a b"),
        ("a {{~!-- note --}} b", "a b"),
        (
            "a {{!~ note }} b {{!~}} c {{~!~}} d {{~!----~}} e",
            "a  b cde",
        ),
        ("é {{~! ü ~}} {{name}}{{~! ~}} !", "éAnn!"),
        ("1\n  {{~!-- two\n lines --~}}\n  2", "12"),
        ("1\n  {{!-- alone --}}  \n2", "1\n2"),
        ("{{#if yes}}\n  {{~! c ~}}\n y{{/if}}", "y"),
        (
            "{{#if yes}}{{~!-- c --~}} y {{else}} {{~! d ~}} n{{/if}}",
            "y ",
        ),
        ("{{#each list}}\n {{~! c ~}} {{this}}, {{~/each}}", "a,b,"),
        ("\\{{~! no comment ~}} {{name}}", "{{~! no comment ~}} Ann"),
        // `.` is `this`.
        ("{{#each list}}{{.}}{{/each}}", "ab"),
        (
            "{{#each list}}{{ . }}{{~.~}}{{{.}}}{{&.}}{{/each}}",
            "aaaabbbb",
        ),
        ("{{#each people}}{{lookup . \"name\"}}{{/each}}", "BobEve"),
        (
            "{{#with people.[0]}}{{#with .}}{{name}}{{/with}}{{/with}}",
            "Bob",
        ),
        (
            "{{#each people}}{{#each tags}}{{.}}{{../name}}{{/each}}{{/each}}",
            "xBobyBob",
        ),
        (
            "{{#*inline \"row\"}}<{{name}}>{{/inline}}{{#each people}}{{> row .}}{{/each}}",
            "<Bob><Eve>",
        ),
        ("{{#if (lookup . \"name\")}}yes{{/if}}", "yes"),
        // What else mails are written with.
        ("{{#each obj}}{{@key}}={{.}};{{/each}}", "k1=v1;k2=v2;"),
        (
            "{{#each people as |p i|}}{{i}}{{p.name}}{{#each p.tags as |t|}}[{{p.name}}{{t}}]{{/each}}{{/each}}",
            "0Bob[Bobx][Boby]1Eve",
        ),
        (
            "{{#each people}}{{#if @first}}F{{else if @last}}L{{/if}}{{name}} in {{address.city}} for {{../name}}, {{/each}}",
            "FBob in Ulm for Ann, LEve in Bonn for Ann, ",
        ),
        (
            "{{seg.[b c]}} {{lookup obj key}} {{people.[1].address.city}}",
            "lit v2 Bonn",
        ),
        (
            "{{#with people.[1] as |p|}}{{p.name}}{{else}}nobody{{/with}}",
            "Eve",
        ),
        (
            "{{#each none}}x{{else}}none{{/each}}{{#unless no}}!{{/unless}}",
            "none!",
        ),
        ("x  {{~#if no~}}  y  {{~else~}}  z  {{~/if~}}  w", "xzw"),
        ("{{#> frame}}in{{/frame}}", "in"),
        (
            "{{#*inline \"frame\"}}[{{> @partial-block}}]{{/inline}}{{#> frame}}in{{/frame}}",
            "[in]",
        ),
        ("{{#each list}}\n- {{.}}\n{{/each}}\nend", "- a\n- b\nend"),
    ] {
        assert_eq!(rendered(template, data.clone()), expected, "{template}");
    }
}

#[test]
fn what_is_written_otherwise_keeps_its_place() {
    let template = "{{~! c ~}} {{#each l}}{{.}}{{/each}}{{nonsense!}}";
    let errors = TemplateSet::compile(&html(template)).unwrap_err();
    assert_eq!((errors[0].line, errors[0].column), (1, 37));
}

#[test]
fn an_inverse_block_is_told_what_to_write() {
    for template in ["{{^office}}none{{/office}}", "{{^if office}}none{{/if}}"] {
        let errors = TemplateSet::compile(&html(template)).unwrap_err();
        let remedy = &errors[0].remedy;
        assert!(remedy.contains("{{#unless office}}"), "{errors:?}");
    }
}

#[test]
fn helpers_of_other_programs_are_told_what_to_write_here() {
    let known = BTreeSet::from(["name".to_owned(), "start".to_owned()]);
    for (template, said) in [
        (
            "{{insert name \"default=Customer\"}}",
            "{{default first_name \"colleague\"}}",
        ),
        (
            "{{#equals name \"Ann\"}}x{{/equals}}",
            "{{#if (eq office \"Berlin\")}}",
        ),
        (
            "{{#notEquals name \"Ann\"}}x{{/notEquals}}",
            "{{#if (ne office \"Berlin\")}}",
        ),
        (
            "{{#greaterThan name 3}}x{{/greaterThan}}",
            "{{#if (gt points 100)}}",
        ),
        (
            "{{formatDate start \"DD.MM.YYYY\"}}",
            "{{date start \"%d.%m.%Y\"}}",
        ),
        ("{{toUpperCase name}}", "{{upper column}}"),
    ] {
        let fields = Known {
            fields: &known,
            grouped: false,
        };
        let problems = set(&html(template)).check(fields, &Map::new());
        let [problem] = &problems[..] else {
            panic!("{template}: {problems:?}")
        };
        assert_eq!(problem.kind, ProblemKind::UnknownHelper);
        assert_eq!(problem.remedy, format!("it is written {said} here"));
    }
}
