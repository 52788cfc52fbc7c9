//! `{{date value "format"}}`.

use handlebars::{Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, ScopedJson};
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;

use super::{fault, string, unreadable, value};

/// Writes a date by a `strftime` format, with English names of months and days.
///
/// Reads `2026-12-31`, `2026-12-31T18:30` (seconds, an offset or `Z` may follow and change nothing: the
/// time is written as it stands), `31.12.2026` and `31.12.2026 18:30`. Dates with slashes are not read,
/// because nobody can tell the day from the month.
pub(super) struct DateHelper;

impl HelperDef for DateHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let (found, format) = (value(h, "date", 0)?, value(h, "date", 1)?);
        let hint =
            "write dates as 2026-12-31 or 31.12.2026; where some are empty, put {{#if}} around it";
        let at = found
            .as_str()
            .and_then(|text| read(text.trim()))
            .ok_or_else(|| unreadable("date", found, hint))?;
        let written = format
            .as_str()
            .and_then(|format| strtime::format(format, at).ok());
        written.map(string).ok_or_else(|| {
            let hint = "a format is made of %d %m %Y %H %M %A %B and the like, as in \"%d.%m.%Y\"";
            fault("date", format!("cannot use the format {format}"), hint)
        })
    }
}

fn read(text: &str) -> Option<DateTime> {
    let iso = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    if let Ok(at) = iso.parse::<DateTime>() {
        return Some(at);
    }
    let (date, time) = text
        .split_once(' ')
        .map_or((text, None), |(date, time)| (date, Some(time.trim())));
    let mut fields = date.split('.');
    let mut field = |longest: usize| {
        let digits = fields.next()?;
        let plain = (1..=longest).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        if plain {
            digits.parse::<i16>().ok()
        } else {
            None
        }
    };
    let (day, month, year) = (field(2)?, field(2)?, field(4)?);
    if year < 1000 || fields.next().is_some() {
        return None;
    }
    let date = Date::new(year, month as i8, day as i8).ok()?;
    match time {
        None => Some(date.to_datetime(jiff::civil::Time::midnight())),
        Some(time) => Some(date.to_datetime(time.parse().ok()?)),
    }
}
