//! Templates: compiling, checking, tracing and rendering.

use std::collections::BTreeSet;

use postroom::template::{
    Known, Language, MAX_PART_BYTES, Source, Sources, TemplateSet, mend, merge,
};
use serde_json::{Map, Value};

use super::pieces;

/// A set from an input: subject, HTML, text, two partials, the values as JSON.
pub(super) fn sources(pieces: &mut impl Iterator<Item = String>) -> (Sources, Map<String, Value>) {
    let mut next = |name: &str| Source::new(name, pieces.next().unwrap_or_default());
    let sources = Sources {
        subject: next("subject"),
        html: Some(next("html")),
        text: Some(next("text")),
        partials: vec![next("p"), next("q")],
        language: Language::Html,
        ..Sources::default()
    };
    let values = next("values").text;
    let values = match serde_json::from_str(&values) {
        Ok(Value::Object(values)) => values,
        _ => Map::new(),
    };
    (sources, values)
}

/// Whatever is written in templates: it comes to an end, renders the same every time and when it is traced, within
/// bounds; what is wrong has a place in it and a remedy; and what is taken out of it for checking leaves what renders.
pub fn templates(data: &[u8]) {
    let (sources, values) = sources(&mut pieces(data));
    let fields: BTreeSet<String> = ["email", "name", "office"].map(str::to_owned).into();
    let known = Known {
        fields: &fields,
        grouped: false,
    };
    let row = [
        ("email", "a@contoso.com"),
        ("name", "<Zoë> & \"co\""),
        ("office", ""),
    ];
    let row = row.map(|(field, value)| (field.to_owned(), Value::from(value)));
    let merged = merge(&values, row.into_iter().collect());
    let mended = mend(&sources, known, &values);
    drop(mended);
    let set = match TemplateSet::compile(&sources) {
        Ok(set) => set,
        Err(errors) => {
            for error in errors {
                assert!(error.line > 0 && error.column > 0 && !error.message.is_empty());
            }
            return;
        }
    };
    let _ = set.check(known, &values);
    let _ = set.used_columns(known, &values);
    let rendered = set.render(merged.clone());
    assert_eq!(rendered, set.render(merged.clone()), "renders otherwise");
    let traced = set.traced();
    let (otherwise, _) = traced.trace(|set| set.render(merged));
    assert_eq!(
        rendered.as_ref().ok(),
        otherwise.as_ref().ok(),
        "traced otherwise"
    );
    if let Ok(rendered) = rendered {
        for part in [
            Some(&rendered.subject),
            rendered.html.as_ref(),
            rendered.text.as_ref(),
        ] {
            assert!(part.is_none_or(|part| part.len() <= MAX_PART_BYTES));
        }
    }
}
