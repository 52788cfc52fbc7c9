//! `{{number value decimals=2 thousands="," decimal="."}}`.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, PathAndJson, RenderContext, RenderError, ScopedJson,
};
use serde_json::Value;

use super::{fault, string, unreadable, value};

/// Writes a number with a fixed number of decimals (2 unless told) and separators: `1,234.50` unless told.
///
/// Reads plain decimals (`1234.5`, `-7`), not ones that have separators themselves, because `1.234` is
/// two numbers to two readers. Rounds half away from zero, digit by digit, so that nothing is lost to
/// binary fractions.
pub(super) struct NumberHelper;

/// The most decimals that can be asked for.
const MAX_DECIMALS: u64 = 20;

impl HelperDef for NumberHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let found = value(h, "number", 0)?;
        let plain = match found {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim().to_owned(),
            _ => String::new(),
        };
        let hint = "write numbers plainly, as 1234.50; where some are empty, put {{#if}} around it";
        write(
            &plain,
            decimals(h)?,
            separator(h, "thousands", ",")?,
            separator(h, "decimal", ".")?,
        )
        .map(string)
        .ok_or_else(|| unreadable("number", found, hint))
    }
}

fn decimals(h: &Helper<'_>) -> Result<usize, RenderError> {
    let Some(asked) = h.hash_get("decimals").map(PathAndJson::value) else {
        return Ok(2);
    };
    let count = asked.as_u64().filter(|&count| count <= MAX_DECIMALS);
    count.map(|count| count as usize).ok_or_else(|| {
        fault(
            "number",
            format!("cannot write {asked} decimals"),
            "ask for 0 to 20, as in decimals=2",
        )
    })
}

fn separator<'h>(
    h: &'h Helper<'_>,
    name: &str,
    default: &'static str,
) -> Result<&'h str, RenderError> {
    let Some(asked) = h.hash_get(name).map(PathAndJson::value) else {
        return Ok(default);
    };
    asked.as_str().ok_or_else(|| {
        fault(
            "number",
            format!("cannot use {asked} as a separator"),
            "write it in quotes, as in thousands=\".\" decimal=\",\"",
        )
    })
}

fn write(plain: &str, decimals: usize, thousands: &str, decimal: &str) -> Option<String> {
    let (negative, digits) = plain
        .strip_prefix('-')
        .map_or((false, plain), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let only_digits =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !only_digits(whole) || !only_digits(fraction) {
        return None;
    }
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    digits.resize(whole.len() + decimals.max(fraction.len()), b'0');
    let round_up = digits
        .get(whole.len() + decimals)
        .is_some_and(|&next| next >= b'5');
    digits.truncate(whole.len() + decimals);
    if round_up {
        add_one(&mut digits);
    }
    let digits = String::from_utf8(digits).ok()?;
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let whole = whole.trim_start_matches('0');
    let mut written = String::new();
    if negative && digits.bytes().any(|digit| digit != b'0') {
        written.push('-');
    }
    for (index, digit) in whole.char_indices() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            written.push_str(thousands);
        }
        written.push(digit);
    }
    if whole.is_empty() {
        written.push('0');
    }
    if decimals > 0 {
        written.push_str(decimal);
        written.push_str(fraction);
    }
    Some(written)
}

/// Adds one to the last digit and carries.
fn add_one(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}
