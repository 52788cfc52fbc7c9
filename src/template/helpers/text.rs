//! Helpers that change text.

use std::fmt::Write as _;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, JsonRender, PathAndJson, RenderContext, RenderError,
    ScopedJson,
};
use serde_json::Value;

use super::{string, unreadable, value};
use crate::template::lengths::LENGTH;

pub(super) fn register(engine: &mut Handlebars<'static>) {
    for helper in [
        Change {
            name: "upper",
            change: |text| text.to_uppercase(),
        },
        Change {
            name: "lower",
            change: |text| text.to_lowercase(),
        },
        Change {
            name: "trim",
            change: |text| text.trim().to_owned(),
        },
        Change {
            name: "urlencode",
            change: urlencode,
        },
        Change {
            name: "capitalize",
            change: capitalize,
        },
    ] {
        engine.register_helper(helper.name, Box::new(helper));
    }
    engine.register_helper("default", Box::new(DefaultHelper));
    engine.register_helper("join", Box::new(JoinHelper));
    engine.register_helper("len", Box::new(LenHelper));
    engine.register_helper(LENGTH, Box::new(LengthHelper));
}

/// A helper that makes one text of another.
#[derive(Clone, Copy)]
struct Change {
    name: &'static str,
    change: fn(&str) -> String,
}

/// The first letter large; the others stay as they are, for the sake of names like `McKay`.
fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// A value as a part of a web address can have it: all but letters, digits and `-._~` percent-encoded as UTF-8
/// (RFC 3986, 2.3).
fn urlencode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _infallible = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

impl HelperDef for Change {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        match value(h, self.name, 0)? {
            Value::String(text) => Ok(string((self.change)(text))),
            list @ (Value::Array(_) | Value::Object(_)) => Err(unreadable(
                self.name,
                list,
                "give it a single value, not a list",
            )),
            other => Ok(string((self.change)(&other.render()))),
        }
    }
}

/// `{{default value fallback}}`: the fallback where the value is missing, empty or blank.
struct DefaultHelper;

impl HelperDef for DefaultHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let blank = |value: &Value| match value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            Value::Array(list) => list.is_empty(),
            _ => false,
        };
        match h.param(0).map(PathAndJson::value) {
            Some(value) if !blank(value) => Ok(ScopedJson::Derived(value.clone())),
            _ => Ok(ScopedJson::Derived(value(h, "default", 1)?.clone())),
        }
    }
}

/// `{{join list ", "}}`: a list's entries with something between them, a comma and a blank by default.
struct JoinHelper;

impl HelperDef for JoinHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let between = match h.param(1) {
            Some(_) => value(h, "join", 1)?.render(),
            None => ", ".to_owned(),
        };
        match value(h, "join", 0)? {
            Value::Array(list) => {
                let entries: Vec<_> = list.iter().map(JsonRender::render).collect();
                Ok(string(entries.join(&between)))
            }
            other => Err(unreadable("join", other, "give it a list")),
        }
    }
}

/// `{{len list}}`: how many entries a list or characters a text has.
struct LenHelper;

impl HelperDef for LenHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let length = match value(h, "len", 0)? {
            Value::Array(list) => list.len(),
            Value::Object(object) => object.len(),
            other => other.render().chars().count(),
        };
        Ok(ScopedJson::Derived(Value::from(length)))
    }
}

/// `list.length`: a value of that name, or how many entries or letters there are.
struct LengthHelper;

impl HelperDef for LengthHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let length = match value(h, "length", 0)? {
            Value::Array(list) => Value::from(list.len()),
            Value::String(text) => Value::from(text.chars().count()),
            Value::Object(object) => match object.get("length") {
                Some(length) => length.clone(),
                None => {
                    return Err(RenderError::strict_error(
                        h.param(0).and_then(|param| param.relative_path()),
                    ));
                }
            },
            other => {
                return Err(unreadable(
                    "length",
                    other,
                    "only lists and texts have a length",
                ));
            }
        };
        Ok(ScopedJson::Derived(length))
    }
}
