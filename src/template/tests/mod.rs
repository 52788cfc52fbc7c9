//! What templates mean, what is found wrong with them, and that hostile ones do no harm.

mod branches;
mod dialect;
mod fields;
mod helpers;
mod mending;
mod rendering;
mod scopes;
mod shapes;
mod syntax;

use serde_json::{Map, Value};

use super::{Source, Sources, TemplateSet};

/// A set with this HTML body and a plain subject.
fn html(text: &str) -> Sources {
    Sources {
        subject: Source::new("subject", "News"),
        html: Some(Source::new("news.html.hbs", text)),
        ..Sources::default()
    }
}

fn with_partials(mut sources: Sources, partials: &[(&str, &str)]) -> Sources {
    sources.partials = partials
        .iter()
        .map(|(name, text)| Source::new(*name, *text))
        .collect();
    sources
}

fn set(sources: &Sources) -> TemplateSet {
    TemplateSet::compile(sources).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("not an object: {other}"),
    }
}

/// What the HTML body renders to with `data`.
fn rendered(text: &str, data: Value) -> String {
    set(&html(text)).render(object(data)).unwrap().html.unwrap()
}

/// What a rendering of the HTML body with `data` fails with.
fn failure(text: &str, data: Value) -> super::RenderError {
    set(&html(text)).render(object(data)).unwrap_err()
}
