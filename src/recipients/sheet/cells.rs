//! What a cell of a sheet shows, and what is to be said about it.

use calamine::{DataRef, Style};
use hashbrown::HashSet;

use super::Settings;
use super::format::{Doubt, Format};
use super::rows::cell_name;
use crate::recipients::list::Note;

/// A cell that shows an error, such as #N/A.
pub(super) struct ShowsError(pub(super) String);

/// Turns values into what the sheet shows.
pub(super) struct Reader {
    formats: Vec<(String, Format)>,
    settings: Settings,
    /// A column's format is complained of once.
    said: HashSet<(u32, usize, Doubt)>,
    pub(super) notes: Vec<Note>,
}

impl Reader {
    pub(super) fn new(styles: &[Style], settings: Settings) -> Self {
        let format = |each: &Style| {
            let (code, id) = each
                .number_format
                .as_ref()
                .map_or(("General", None), |format| {
                    (format.format_code.as_str(), format.format_id)
                });
            (code.to_owned(), Format::parse(code, id))
        };
        let mut formats: Vec<_> = styles.iter().map(format).collect();
        if formats.is_empty() {
            formats.push(("General".to_owned(), Format::parse("General", Some(0))));
        }
        Self {
            formats,
            settings,
            said: HashSet::new(),
            notes: Vec::new(),
        }
    }

    /// What the cell at `place` (row and column from 0) shows.
    pub(super) fn shown(
        &mut self,
        place: (u32, u32),
        value: &DataRef<'_>,
        style: usize,
    ) -> Result<String, ShowsError> {
        let number = match value {
            DataRef::Empty => return Ok(String::new()),
            DataRef::Error(error) => return Err(ShowsError(error.to_string())),
            DataRef::Bool(is_true) => return Ok(self.truth(*is_true, style)),
            DataRef::String(text) => return Ok(self.text(place, text, style)),
            DataRef::SharedString(text) => return Ok(self.text(place, text, style)),
            DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => return Ok(text.clone()),
            DataRef::Int(number) => *number as f64,
            DataRef::Float(number) => *number,
            DataRef::DateTime(moment) => moment.as_f64(),
        };
        let Some((_, format)) = self.formats.get(style) else {
            return Ok(number.to_string());
        };
        let shown = format.show(number, self.settings);
        if let Some(doubt) = shown.doubt {
            self.note(place, style, doubt, &shown.text);
        }
        Ok(shown.text)
    }

    fn truth(&self, is_true: bool, style: usize) -> String {
        let format = self.formats.get(style);
        let word = format.and_then(|(_, format)| format.truth(is_true));
        word.unwrap_or_else(|| if is_true { "TRUE" } else { "FALSE" }.to_owned())
    }

    fn text(&mut self, place: (u32, u32), text: &str, style: usize) -> String {
        let plain = self
            .formats
            .get(style)
            .is_none_or(|(_, format)| format.shows_text());
        if !plain && !text.trim().is_empty() {
            self.note(place, style, Doubt::Format, text);
        }
        text.to_owned()
    }

    fn note(&mut self, place: (u32, u32), style: usize, doubt: Doubt, text: &str) {
        let key = match doubt {
            Doubt::NumberStyle | Doubt::Stroke => (0, 0, doubt),
            _ => (place.1, style, doubt),
        };
        // A sheet may have thousands of formats; nobody reads as many notes.
        if self.notes.len() >= 1000 || !self.said.insert(key) {
            return;
        }
        let cell = cell_name(place.0, place.1);
        let code = self
            .formats
            .get(style)
            .map_or("", |(code, _)| code.as_str());
        let code: String = code.chars().filter(|c| !c.is_control()).take(80).collect();
        let text = crate::recipients::problem::excerpt(text);
        let (name, message, remedy) = match doubt {
            Doubt::NumberStyle => (
                "sheet-numbers",
                format!(
                    "cell {cell} reads '{text}': a workbook does not say how its readers divide numbers, so all of them are divided like 1,234.56"
                ),
                "show under [recipients] how numbers are to look: numbers = \"1,234.56\", or numbers = \"1.234,56\"",
            ),
            Doubt::Region => (
                "sheet-format",
                format!(
                    "cell {cell} has the format '{code}', a date that every computer shows in its own way; it reads '{text}', and so do the cells below"
                ),
                "show under [recipients] how 1 March 2026 is to look, as in dates = \"01.03.2026\", or give the column a format of its own in the spreadsheet",
            ),
            Doubt::Stroke => (
                "sheet-dates",
                format!(
                    "cell {cell} has the format '{code}' and reads '{text}': each computer writes its own sign for the strokes in it, a dot or a dash for instance, so all dates of this kind are written with strokes"
                ),
                "show under [recipients] how 1 March 2026 is to look: dates = \"01/03/2026\", or dates = \"01.03.2026\"",
            ),
            Doubt::Format => (
                "sheet-format",
                format!(
                    "cell {cell} has the format '{code}', which cannot be shown as the spreadsheet does; it reads '{text}'"
                ),
                "see that this is what the mails should say, or give the column a plainer format in the spreadsheet",
            ),
        };
        self.notes.push(Note {
            code: name,
            line: Some(u64::from(place.0) + 1),
            message,
            remedy: remedy.to_owned(),
        });
    }
}
