//! Templates in the shapes that people bring along from elsewhere: lists in lists, chains of conditions,
//! layouts with partials, white space taken away. What is expected is what Handlebars' own guide says
//! (<https://handlebarsjs.com/guide/>).

use serde_json::{Value, json};

use super::super::Known;
use super::*;

/// Renders an HTML part with these partials, and makes sure that nothing in it is complained about.
fn shown(template: &str, partials: &[(&str, &str)], data: &Value) -> String {
    let set = TemplateSet::compile(&with_partials(html(template), partials)).unwrap();
    let data = data.as_object().unwrap();
    let fields = std::collections::BTreeSet::new();
    let known = Known {
        fields: &fields,
        grouped: false,
    };
    assert_eq!(set.check(known, data), [], "{template}");
    set.render(data.clone()).unwrap().html.unwrap()
}

#[test]
fn a_receipt_with_lists_in_lists() {
    let data = json!({
        "currency": "EUR",
        "order": { "number": "A-1", "address": { "street": "1 Mill St", "extra": "" }, "lines": [
            { "name": "Cup & saucer", "options": [{ "k": "size", "v": "L" }, { "k": "colour", "v": "red" }], "price": 5 },
            { "name": "Plate", "options": [], "price": 0 },
        ]},
    });
    let template = "{{#with order}}{{number}}:{{#each lines}}\n\
        {{@index}}/{{this.name}} {{#if price}}{{price}} {{../../currency}}{{else}}free{{/if}}\
        {{#each options}}[{{k}}={{v}} of {{../name}}/{{../../number}}]{{else}}(plain){{/each}}\
        {{#unless @last}},{{/unless}}\n{{/each}}\
        {{#with address}}{{street}}{{#if extra}}, {{extra}}{{/if}}{{/with}}{{/with}}";
    assert_eq!(
        shown(template, &[], &data),
        "A-1:\n0/Cup &amp; saucer 5 EUR[size=L of Cup &amp; saucer/A-1][colour=red of Cup &amp; saucer/A-1],\n\n\
         1/Plate free(plain)\n1 Mill St"
    );
}

#[test]
fn a_chain_of_conditions_inside_a_list() {
    let data = json!({ "items": [{ "kind": "a" }, { "kind": "b" }, { "kind": "c" }, { "kind": "d" }], "shown": true });
    let template = "{{#each items}}{{#if @first}}F{{else if @last}}L{{else if (eq kind \"b\")}}B{{else}}{{kind}}{{/if}}{{/each}}\
                    {{#unless shown}}x{{else}}y{{/unless}}{{#if (and shown (not (eq 1 2)))}}z{{/if}}";
    assert_eq!(shown(template, &[], &data), "FBcLyz");
}

#[test]
fn a_layout_with_partials_that_are_given_things() {
    let data = json!({ "title": "News", "posts": [{ "title": "One", "url": "/1" }, { "title": "Two", "url": "/2" }], "brand": "Us" });
    let layout = "<h1>{{title}}</h1>{{> @partial-block}}{{> foot year=2027}}";
    let link = "<a href=\"{{url}}\" class=\"{{class}}\">{{title}}</a>";
    let foot = "{{@root.brand}} {{year}}";
    assert_eq!(
        shown(
            "{{#> layout}}{{#each posts}}{{> link this class=\"c\"}}{{/each}}{{/layout}}",
            &[("layout", layout), ("link", link), ("foot", foot)],
            &data,
        ),
        "<h1>News</h1><a href=\"/1\" class=\"c\">One</a><a href=\"/2\" class=\"c\">Two</a>Us 2027"
    );
    assert_eq!(
        shown(
            "{{#*inline \"row\"}}<td>{{title}}</td>{{/inline}}{{#each posts}}{{> row}}{{/each}}",
            &[],
            &data
        ),
        "<td>One</td><td>Two</td>"
    );
}

#[test]
fn names_that_are_given_to_entries() {
    let data = json!({ "offices": { "Berlin": ["Ann", "Bo"], "Oslo": [] }, "sep": ";" });
    assert_eq!(
        shown(
            "{{#each offices as |people office|}}{{office}}:{{#each people as |who i|}}{{i}}{{who}}@{{office}}{{@root.sep}}{{/each}}{{/each}}",
            &[],
            &data,
        ),
        "Berlin:0Ann@Berlin;1Bo@Berlin;Oslo:"
    );
    assert_eq!(
        shown(
            "{{#each offices}}{{@key}}{{#if @first}}*{{/if}}{{#each this}}-{{this}}{{/each}} {{/each}}",
            &[],
            &data
        ),
        "Berlin*-Ann-Bo Oslo "
    );
}

#[test]
fn white_space_is_taken_away_where_it_is_asked_for() {
    let data = json!({ "a": ["x", "y"], "yes": true });
    let template = "<ul>\n  {{#each a}}\n    <li>{{this}}</li>\n  {{/each}}\n</ul>\n{{~#if yes~}}\n  , \n{{~else~}} no {{~/if}}  {{~#if yes~}}  {{~/if~}}  .";
    assert_eq!(
        shown(template, &[], &data),
        "<ul>\n    <li>x</li>\n    <li>y</li>\n</ul>,."
    );
    let lines = "a\n{{! alone on its line }}\nb\n{{!-- {{and}} this --}}\nc {{> p}}\n  {{> p}}\n";
    assert_eq!(
        shown(lines, &[("p", "p\nq\n")], &data),
        "a\nb\nc p\nq\n\n  p\n  q\n"
    );
}

#[test]
fn keys_that_are_no_names_and_keys_that_are_looked_up() {
    let data = json!({ "first name": "Ann", "list": [{ "x-y": 1 }], "map": { "k.1": "v" }, "key": "k.1", "on": { "k": true } });
    let template = "{{[first name]}} {{list.[0].[x-y]}} {{list.0.x-y}} {{lookup map key}} {{#if (lookup on \"k\")}}on{{/if}} {{#with (lookup list 0)}}{{x-y}}{{/with}} \\{{kept}}";
    assert_eq!(shown(template, &[], &data), "Ann 1 1 v on 1 {{kept}}");
}
