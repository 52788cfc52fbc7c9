use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::{FieldProblem, Known, ProblemKind, Source, Sources, TemplateSet};
use super::{html, object, set, with_partials};

fn problems(sources: &Sources, data: Value) -> Vec<FieldProblem> {
    let fields = fields();
    set(sources).check(
        Known {
            fields: &fields,
            grouped: false,
        },
        &object(data),
    )
}

fn fields() -> BTreeSet<String> {
    ["first_name", "email", "office", "First Name"]
        .map(str::to_owned)
        .into()
}

fn data() -> Value {
    json!({
        "title": "News", "boss": { "name": "Ann" }, "empty": [], "nothing": null,
        "items": [{ "head": "a", "tags": ["x"] }, { "head": "b", "image": "i.png" }],
        "offices": { "Berlin": { "phone": "1" }, "Bonn": { "phone": "2" } },
    })
}

/// The names that the check finds fault with.
fn faults(text: &str) -> Vec<String> {
    problems(&html(text), data())
        .into_iter()
        .map(|problem| problem.found)
        .collect()
}

#[test]
fn what_exists_is_found() {
    for text in [
        "{{first_name}} {{this.first_name}} {{@root.title}} {{[First Name]}} {{boss.name}}",
        "{{#each items}}{{head}} {{this.head}} {{../title}} {{@root.email}} {{@index}} {{#if @first}}{{/if}}{{image}}{{/each}}",
        "{{#each items}}{{#each tags}}{{this}} {{@index}} {{@../index}} {{../head}} {{../../title}}{{/each}}{{/each}}",
        "{{#each items as |item n|}}{{item.head}} {{n}} {{title}}{{/each}}"
            .replace("{{title}}", "")
            .as_str(),
        "{{#each offices}}{{@key}} {{phone}}{{/each}} {{lookup (lookup offices office) \"phone\"}}",
        "{{#with boss}}{{name}} {{../title}}{{/with}} {{#with boss as |b|}}{{b.name}}{{/with}}",
        "{{items.[0].head}} {{#each empty}}{{anything}}{{/each}} {{#if nothing.more}}{{/if}}",
        "{{#*inline \"row\"}}{{head}}{{/inline}}{{#each items}}{{> row}}{{/each}}",
        "{{#if first_name}}{{else if email}}{{office}}{{/if}} {{default office \"x\"}} {{lookup this \"email\"}}",
        "{{{{raw}}}}{{nonsense}}{{{{/raw}}}} {{! {{nonsense}} }}",
    ] {
        assert_eq!(faults(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_does_not_exist_is_found_wherever_it_stands() {
    for (text, expected) in [
        ("{{frist_name}}", "frist_name"),
        ("{{#if frist_name}}x{{/if}}", "frist_name"),
        ("{{#unless frist_name}}x{{/unless}}", "frist_name"),
        ("{{#each itmes}}x{{/each}}", "itmes"),
        ("{{#if email}}{{else}}{{nmae}}{{/if}}", "nmae"),
        ("{{#if email}}{{else if nmae}}{{/if}}", "nmae"),
        ("{{upper (default nmae \"x\")}}", "nmae"),
        ("{{number 1 decimals=places}}", "places"),
        ("{{#each items}}{{haed}}{{/each}}", "haed"),
        ("{{#each items}}{{title}}{{/each}}", "title"),
        ("{{#each items}}{{@root.titel}}{{/each}}", "@root.titel"),
        (
            "{{#each items as |item|}}{{item.haed}}{{/each}}",
            "item.haed",
        ),
        ("{{#with boss}}{{nmae}}{{/with}}", "nmae"),
        ("{{boss.nmae}}", "boss.nmae"),
        ("{{first_name.size}}", "first_name.size"),
        ("{{lookup this \"emial\"}}", "emial"),
        ("{{#each offices}}{{fax}}{{/each}}", "fax"),
        ("{{#*inline \"p\"}}{{nmae}}{{/inline}}{{> p}}", "nmae"),
        ("{{@index}}", "@index"),
        ("{{#each items}}{{@key}}{{/each}}", "@key"),
        ("{{#each first_name}}{{/each}}", "first_name"),
        ("{{uper first_name}}", "uper"),
        ("{{log first_name}}", "log"),
        ("{{#items}}{{head}}{{/items}}", "items"),
        ("{{> foter}}", "foter"),
        ("{{> @partial-block}}", "@partial-block"),
        ("{{date office}}", "date"),
        ("{{#if}}{{/if}}", "if"),
        ("{{#upper office}}{{/upper}}", "upper"),
        ("{{number 1 decimls=2}}", "number"),
        ("{{*nonsense}}", "nonsense"),
    ] {
        assert_eq!(faults(text), [expected], "{text}");
    }
}

#[test]
fn a_problem_has_a_place_and_the_nearest_name() {
    let found = problems(&html("<p>\n  {{#if office}}{{FirstNam}}{{/if}}"), data());
    let [problem] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (problem.part.as_str(), problem.line, problem.column),
        ("news.html.hbs", Some(2), Some(17))
    );
    assert_eq!(
        (problem.kind, problem.nearest.as_deref()),
        (ProblemKind::UnknownField, Some("First Name"))
    );
    let nearest = |text: &str| problems(&html(text), data())[0].nearest.clone();
    assert_eq!(nearest("{{frist_name}}").as_deref(), Some("first_name"));
    assert_eq!(nearest("{{uper office}}").as_deref(), Some("upper"));
    assert_eq!(
        nearest("{{#each items}}{{haed}}{{/each}}").as_deref(),
        Some("head")
    );
    assert_eq!(nearest("{{xyzzyplugh}}"), None);
}

#[test]
fn remedies_say_what_was_meant() {
    let remedy = |text: &str| problems(&html(text), data())[0].remedy.clone();
    assert!(
        remedy("{{First Name}}").contains("{{[First Name]}}"),
        "{}",
        remedy("{{First Name}}")
    );
    assert!(remedy("{{#each items}}{{title}}{{/each}}").contains("../title"));
    assert!(remedy("{{#items}}{{/items}}").contains("{{#each items}}"));
    assert!(remedy("{{xyzzyplugh}}").contains("add a column 'xyzzyplugh'"));
    assert!(remedy("{{#each rows}}{{/each}}").contains("duplicates"));
}

#[test]
fn partials_are_looked_into_from_where_they_are_included() {
    let sources = with_partials(
        html("{{#each items}}{{> item note=head}}{{/each}}{{> item boss head=title note=1}}"),
        &[("item", "{{head}}{{note}}\n{{nmae}}")],
    );
    let found = problems(&sources, data());
    assert!(
        !found.is_empty() && found.iter().all(|problem| problem.found == "nmae"),
        "{found:?}"
    );
    assert_eq!((found[0].part.as_str(), found[0].line), ("item", Some(2)));

    let layout = with_partials(
        html("{{#> page}}{{#*inline \"side\"}}{{ofice}}{{/inline}}{{first_nam}}{{/page}}"),
        &[(
            "page",
            "{{> side}}{{> @partial-block}}{{#> other}}{{emial}}{{/other}}",
        )],
    );
    let found: Vec<_> = problems(&layout, data())
        .into_iter()
        .map(|p| (p.part, p.found))
        .collect();
    let expected = [
        ("news.html.hbs", "first_nam"),
        ("news.html.hbs", "ofice"),
        ("page", "emial"),
    ];
    assert_eq!(found.len(), 3, "{found:?}");
    for (part, name) in expected {
        assert!(
            found.contains(&(part.to_owned(), name.to_owned())),
            "{found:?}"
        );
    }
}

#[test]
fn grouped_rows_have_the_lists_fields() {
    let fields = fields();
    let known = Known {
        fields: &fields,
        grouped: true,
    };
    let set = set(&html("{{#each rows}}{{office}}{{offcie}}{{/each}}"));
    let found = set.check(known, &object(data()));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].found.as_str(), found[0].nearest.as_deref()),
        ("offcie", Some("office"))
    );
    assert_eq!(
        set.used_columns(known, &object(data())),
        ["office".to_owned()].into()
    );
}

#[test]
fn fields_of_the_first_row_are_those_outside_rows_and_attachments() {
    let fields = fields();
    let known = Known {
        fields: &fields,
        grouped: true,
    };
    let first = |text: &str| {
        let sources = Sources {
            attach: vec![Source::new("attach", "{{first_name}}.pdf")],
            ..html(text)
        };
        set(&sources).used_of_first_row(known, &object(data()))
    };
    assert_eq!(first("{{#each rows}}{{office}}{{/each}}"), BTreeSet::new());
    assert_eq!(
        first("{{#each rows}}{{../email}}{{office}}{{/each}}"),
        ["email".to_owned()].into()
    );
    assert_eq!(
        first("{{#if office}}{{#each rows}}{{@root.email}}{{/each}}{{/if}}"),
        ["email".to_owned(), "office".to_owned()].into()
    );
    assert_eq!(first("{{lookup this title}}"), fields);
}

#[test]
fn used_columns_are_those_that_can_be_touched() {
    let fields = fields();
    let known = Known {
        fields: &fields,
        grouped: false,
    };
    let used = |text: &str| set(&html(text)).used_columns(known, &object(data()));
    assert_eq!(
        used("{{#if title}}{{#each items}}{{@root.email}}{{/each}}{{/if}}"),
        ["email".to_owned()].into()
    );
    assert_eq!(
        used("{{lookup offices office}}"),
        ["office".to_owned()].into()
    );
    assert_eq!(used("{{lookup this title}}"), fields);
    assert_eq!(used("{{title}}"), BTreeSet::new());
}

/// Whatever the check lets through renders, where every field has a value.
#[test]
fn nothing_that_passes_the_check_lacks_a_value() {
    let sources = with_partials(
        html(
            "{{#each items}}{{head}}{{#each tags}}{{this}}{{../head}}{{../../title}}{{@../index}}{{/each}}{{> p n=@index}}{{/each}}\
             {{#with boss}}{{name}}{{../first_name}}{{/with}}{{#each offices as |o k|}}{{k}}{{o.phone}}{{@root.email}}{{/each}}",
        ),
        &[("p", "{{head}}{{n}}{{@index}}{{@root.title}}")],
    );
    let data = json!({
        "first_name": "Ann", "email": "a@b.c", "office": "Bonn", "title": "T", "boss": { "name": "B" },
        "items": [{ "head": "h", "tags": ["x", "y"] }], "offices": { "Bonn": { "phone": "1" } },
    });
    assert_eq!(problems(&sources, data.clone()), []);
    let out = set(&sources).render(object(data)).unwrap();
    assert_eq!(out.html.unwrap(), "hxhT0yhT0h00TBAnnBonn1a@b.c");
}

#[test]
fn only_what_can_be_counted_has_a_length() {
    let data =
        json!({"news": ["a"], "title": "T", "parcel": {"length": 4}, "building": {"city": "Oslo"}});
    let found = problems(
        &html(
            "{{news.length}}{{title.length}}{{parcel.length}}{{building.length}}{{nowhere.length}}",
        ),
        data,
    );
    let found: Vec<&str> = found.iter().map(|problem| problem.found.as_str()).collect();
    assert_eq!(found, ["building.length", "nowhere"]);
}

#[test]
fn the_fields_that_decide_a_mail_are_told_only_where_they_are_certain() {
    let decided = |text: &str| {
        let sources = Sources {
            subject: Source::new("subject", "News"),
            text: Some(Source::new("text", text)),
            partials: vec![
                Source::new("footer", "{{team}}, {{office}}"),
                Source::new("frame", "{{> @partial-block}}"),
            ],
            ..Sources::default()
        };
        let set = TemplateSet::compile(&sources).unwrap();
        let fields = ["email", "name", "office", "first name", "date"].map(str::to_owned);
        let data = serde_json::json!({ "team": "Comms", "agenda": [{ "office": "Oslo" }] });
        let found = set.decided_by(&BTreeSet::from(fields), data.as_object().unwrap());
        found.map(|fields| fields.into_iter().collect::<Vec<_>>().join(","))
    };
    let with = |text: &str, fields: &str| {
        // The partials are part of the set, wherever they are included.
        let all: BTreeSet<&str> = fields
            .split(',')
            .chain(["office"])
            .filter(|one| !one.is_empty())
            .collect();
        let all: Vec<&str> = all.into_iter().collect();
        assert_eq!(
            decided(text).as_deref(),
            Some(all.join(",").as_str()),
            "{text}"
        );
    };
    with("Hello", "");
    with("{{name}} {{[first name]}}", "first name,name");
    with(
        "{{#if (eq @root.name \"Ann\")}}{{upper ../email}}{{/if}}{{> footer}}",
        "email,name",
    );
    with(
        "{{#each agenda}}{{@index}} {{office}}{{/each}} {{lookup agenda 0}}",
        "",
    );
    with(
        "{{date date \"%Y\"}} {{#unless this.name}}x{{/unless}}",
        "date,name",
    );
    for uncertain in [
        "{{this}}",
        "{{#each this}}{{@key}}{{/each}}",
        "{{#each @root}}{{this}}{{/each}}",
        "{{lookup . \"name\"}}",
        "{{lookup @root \"name\"}}",
        "{{#with (default this \"\")}}{{name}}{{/with}}",
        "{{#each agenda as |entry|}}{{entry}}{{/each}}",
        "{{#each agenda}}{{#each @root}}{{this}}{{/each}}{{/each}}",
        "{{#> frame}}{{name}}{{/frame}}",
        "{{> footer this}}",
        "{{missing}}",
    ] {
        assert_eq!(decided(uncertain), None, "{uncertain}");
    }
}
