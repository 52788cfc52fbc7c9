//! What templates can call, beside the fields.
//!
//! `if unless each with lookup raw and or not` are handlebars' own; the others are here. `log` is taken
//! away: it would write into the program's own log. None depends on the time or on chance.

mod compare;
mod date;
mod number;
mod text;

use handlebars::{Handlebars, Helper, RenderError, RenderErrorReason, ScopedJson};
use serde_json::Value;

use super::error::Fault;

/// Whether a helper is written as a block (`{{#name}}…{{/name}}`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Inline,
    Block,
    Either,
}

/// How a helper is called.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) name: &'static str,
    pub(super) form: Form,
    /// The fewest and the most values that it takes.
    pub(super) values: (usize, usize),
    /// What can be set with `name=value`.
    pub(super) settings: &'static [&'static str],
    /// How it is written, for messages.
    pub(super) example: &'static str,
}

const fn signature(
    name: &'static str,
    form: Form,
    values: (usize, usize),
    settings: &'static [&'static str],
    example: &'static str,
) -> Signature {
    Signature {
        name,
        form,
        values,
        settings,
        example,
    }
}

/// All helpers there are.
pub(super) const HELPERS: &[Signature] = &[
    signature(
        "if",
        Form::Block,
        (1, 1),
        &["includeZero"],
        "{{#if column}}…{{else}}…{{/if}}",
    ),
    signature(
        "unless",
        Form::Block,
        (1, 1),
        &["includeZero"],
        "{{#unless column}}…{{/unless}}",
    ),
    signature("each", Form::Block, (1, 1), &[], "{{#each list}}…{{/each}}"),
    signature(
        "with",
        Form::Block,
        (1, 1),
        &[],
        "{{#with value}}…{{/with}}",
    ),
    signature(
        "lookup",
        Form::Inline,
        (2, 2),
        &[],
        "{{lookup offices office}}",
    ),
    signature("raw", Form::Block, (0, 0), &[], "{{{{raw}}}}…{{{{/raw}}}}"),
    signature(
        "eq",
        Form::Either,
        (2, 2),
        &[],
        "{{#if (eq office \"Berlin\")}}",
    ),
    signature(
        "ne",
        Form::Either,
        (2, 2),
        &[],
        "{{#if (ne office \"Berlin\")}}",
    ),
    signature("lt", Form::Either, (2, 2), &[], "{{#if (lt points 100)}}"),
    signature("le", Form::Either, (2, 2), &[], "{{#if (le points 100)}}"),
    signature("lte", Form::Either, (2, 2), &[], "{{#if (lte points 100)}}"),
    signature("gt", Form::Either, (2, 2), &[], "{{#if (gt points 100)}}"),
    signature("ge", Form::Either, (2, 2), &[], "{{#if (ge points 100)}}"),
    signature("gte", Form::Either, (2, 2), &[], "{{#if (gte points 100)}}"),
    signature(
        "and",
        Form::Either,
        (1, usize::MAX),
        &[],
        "{{#if (and one other)}}",
    ),
    signature(
        "or",
        Form::Either,
        (1, usize::MAX),
        &[],
        "{{#if (or one other)}}",
    ),
    signature("not", Form::Either, (1, 1), &[], "{{#if (not column)}}"),
    signature("len", Form::Inline, (1, 1), &[], "{{len list}}"),
    signature("upper", Form::Inline, (1, 1), &[], "{{upper column}}"),
    signature("lower", Form::Inline, (1, 1), &[], "{{lower column}}"),
    signature(
        "capitalize",
        Form::Inline,
        (1, 1),
        &[],
        "{{capitalize column}}",
    ),
    signature("trim", Form::Inline, (1, 1), &[], "{{trim column}}"),
    signature(
        "urlencode",
        Form::Inline,
        (1, 1),
        &[],
        "{{urlencode column}}",
    ),
    signature(
        "default",
        Form::Inline,
        (2, 2),
        &[],
        "{{default first_name \"colleague\"}}",
    ),
    signature(
        "date",
        Form::Inline,
        (2, 2),
        &[],
        "{{date start \"%d.%m.%Y\"}}",
    ),
    signature(
        "number",
        Form::Inline,
        (1, 1),
        &["decimals", "thousands", "decimal"],
        "{{number amount decimals=2}}",
    ),
    signature("join", Form::Inline, (1, 2), &[], "{{join topics \", \"}}"),
];

/// The helper of this name.
pub(super) fn find(name: &str) -> Option<&'static Signature> {
    HELPERS.iter().find(|helper| helper.name == name)
}

/// Makes `engine` know exactly the helpers above.
pub(super) fn register(engine: &mut Handlebars<'static>) {
    engine.unregister_helper("log");
    compare::register(engine);
    text::register(engine);
    engine.register_helper("date", Box::new(date::DateHelper));
    engine.register_helper("number", Box::new(number::NumberHelper));
}

/// The value at `index`, which must be there.
fn value<'h>(
    h: &'h Helper<'_>,
    helper: &'static str,
    index: usize,
) -> Result<&'h Value, RenderError> {
    match h.param(index) {
        Some(param) if param.is_value_missing() => {
            Err(RenderError::strict_error(param.relative_path()))
        }
        Some(param) => Ok(param.value()),
        None => Err(RenderErrorReason::ParamNotFoundForIndex(helper, index).into()),
    }
}

/// A helper's complaint about `found`.
fn unreadable(helper: &'static str, found: &Value, hint: &str) -> RenderError {
    let found = match found {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    fault(helper, format!("cannot read '{found}'"), hint)
}

fn fault(helper: &'static str, what: String, hint: &str) -> RenderError {
    RenderErrorReason::NestedError(Box::new(Fault {
        helper,
        what,
        hint: hint.to_owned(),
    }))
    .into()
}

fn string<'rc>(text: String) -> ScopedJson<'rc> {
    ScopedJson::Derived(Value::String(text))
}
