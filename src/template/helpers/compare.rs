//! Helpers that compare. All cells of a list are text, so text that reads as a number counts as one.

use std::cmp::Ordering;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError,
    Renderable, ScopedJson,
};
use serde_json::Value;

use super::{unreadable, value};

pub(super) fn register(engine: &mut Handlebars<'static>) {
    let order = |name, wanted| Compare { name, wanted };
    for helper in [
        order("eq", Wanted::Same(true)),
        order("ne", Wanted::Same(false)),
        order("lt", Wanted::Order(Ordering::is_lt)),
        order("le", Wanted::Order(Ordering::is_le)),
        order("lte", Wanted::Order(Ordering::is_le)),
        order("gt", Wanted::Order(Ordering::is_gt)),
        order("ge", Wanted::Order(Ordering::is_ge)),
        order("gte", Wanted::Order(Ordering::is_ge)),
    ] {
        engine.register_helper(helper.name, Box::new(helper));
    }
}

#[derive(Clone, Copy)]
enum Wanted {
    Same(bool),
    Order(fn(Ordering) -> bool),
}

#[derive(Clone, Copy)]
struct Compare {
    name: &'static str,
    wanted: Wanted,
}

impl Compare {
    fn holds(self, h: &Helper<'_>) -> Result<bool, RenderError> {
        let (left, right) = (value(h, self.name, 0)?, value(h, self.name, 1)?);
        match self.wanted {
            Wanted::Same(wanted) => Ok(same(left, right) == wanted),
            Wanted::Order(wanted) => self
                .order(left, right)
                .map(|order| order.is_some_and(wanted)),
        }
    }

    /// Numbers by size, texts by the alphabet; nothing where one of them is empty.
    fn order(self, left: &Value, right: &Value) -> Result<Option<Ordering>, RenderError> {
        if is_empty(left) || is_empty(right) {
            return Ok(None);
        }
        let hint = "compare numbers with numbers, written as 1234.5";
        match (as_number(left), as_number(right), left, right) {
            (Some(left), Some(right), _, _) => Ok(left.partial_cmp(&right)),
            (None, _, Value::String(left), Value::String(right))
            | (_, None, Value::String(left), Value::String(right)) => Ok(Some(left.cmp(right))),
            (None, _, _, _) => Err(unreadable(self.name, left, hint)),
            (_, None, _, _) => Err(unreadable(self.name, right, hint)),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => {
            let text = text.trim();
            // `parse` would also take "inf" and "nan".
            let plain = text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-'));
            if plain { text.parse().ok() } else { None }
        }
        _ => None,
    }
}

/// Equal, where text is compared with a number or a truth value by what it says.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Number(_), Value::String(_)) | (Value::String(_), Value::Number(_)) => {
            as_number(left).is_some_and(|left| as_number(right) == Some(left))
        }
        (Value::Bool(truth), Value::String(text)) | (Value::String(text), Value::Bool(truth)) => {
            text.trim() == if *truth { "true" } else { "false" }
        }
        _ => left == right,
    }
}

impl HelperDef for Compare {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        Ok(ScopedJson::Derived(Value::Bool(self.holds(h)?)))
    }

    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        r: &'reg Handlebars<'reg>,
        ctx: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let holds = self.holds(h)?;
        if !h.is_block() {
            return Ok(out.write(if holds { "true" } else { "false" })?);
        }
        match if holds { h.template() } else { h.inverse() } {
            Some(branch) => branch.render(r, ctx, rc, out),
            None => Ok(()),
        }
    }
}
