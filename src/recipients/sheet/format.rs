//! Number formats (ECMA-376 part 1, 18.8.31): what a cell shows of the number in it.

use super::Settings;
use super::date::{Moment, Part};
use super::language::{between, names};
use super::number::{Decimal, NumberStyle, grouped};

/// What a cell shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) text: String,
    pub(super) doubt: Option<Doubt>,
}

/// Why it may show something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Doubt {
    /// It divides numbers as each computer's settings have it.
    NumberStyle,
    /// It writes dates as each computer's settings have it.
    Region,
    /// It writes strokes between the parts of a date as each computer's settings have it.
    Stroke,
    /// The format asks for what is not known here.
    Format,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Literal(String),
    Digit(char),
    Point,
    Comma,
    Percent,
    Date(Part),
    /// The sign between the parts of a date.
    Stroke,
    General,
    Text,
}

#[derive(Debug, Clone, Default)]
struct Section {
    tokens: Vec<Token>,
    /// The language that it asks for.
    language: Option<u32>,
    region: bool,
}

/// A format, taken apart. A section that asks for what is not known here is none.
#[derive(Debug, Clone)]
pub(super) struct Format {
    sections: Vec<Option<Section>>,
    /// The short date of the computer's settings.
    region: bool,
    /// With the time of day.
    timed: bool,
}

impl Format {
    /// `id` is its number in the workbook: some have a meaning of their own.
    pub(super) fn parse(code: &str, id: Option<u32>) -> Self {
        // The ones that each language has of its own; 0 is General itself.
        let foreign = code == "General" && matches!(id, Some(5..=8 | 23..=36 | 50..=81));
        let sections = if foreign {
            vec![None]
        } else {
            split(code)
                .iter()
                .map(|code| Section::parse(code))
                .collect()
        };
        Self {
            sections,
            region: matches!(id, Some(14 | 22)),
            timed: id == Some(22),
        }
    }

    /// True when a text in such a cell is shown as it is.
    pub(super) fn shows_text(&self) -> bool {
        let plain = |section: &Option<Section>| {
            section
                .as_ref()
                .is_some_and(|section| section.tokens == [Token::Text])
        };
        self.sections.get(3).is_none_or(plain)
    }

    /// What a yes or no is shown as, where the format has words for it, as some programs write it.
    pub(super) fn truth(&self, is_true: bool) -> Option<String> {
        let section = match self.sections.as_slice() {
            [yes, _, no] | [yes, _, no, _] => {
                if is_true {
                    yes
                } else {
                    no
                }
            }
            _ => return None,
        };
        let mut words = String::new();
        for token in &section.as_ref()?.tokens {
            match token {
                Token::Literal(word) => words.push_str(word),
                _ => return None,
            }
        }
        (!words.trim().is_empty()).then_some(words)
    }

    /// The number as it is shown.
    pub(super) fn show(&self, value: f64, settings: Settings) -> Shown {
        let (style, from_1904) = (settings.numbers, settings.from_1904);
        let (section, signed) = match (self.sections.as_slice(), value) {
            ([_, negative, ..], value) if value < 0.0 => (negative.as_ref(), false),
            ([_, _, zero, ..], 0.0) => (zero.as_ref(), false),
            ([first, ..], _) => (first.as_ref(), true),
            ([], _) => (None, true),
        };
        let shown = section.and_then(|section| {
            if section.is_date() {
                self.date(section, value, settings)
            } else {
                section.number(value, signed, style)
            }
        });
        shown.unwrap_or_else(|| {
            let general = Section {
                tokens: vec![Token::General],
                ..Section::default()
            };
            let moment = self
                .is_date()
                .then(|| Moment::of(value, 0, from_1904))
                .flatten();
            let text = match moment {
                Some(moment) => moment.iso(),
                None => general
                    .number(value, true, style)
                    .map_or_else(|| value.to_string(), |shown| shown.text),
            };
            Shown {
                text,
                doubt: Some(Doubt::Format),
            }
        })
    }

    fn date(&self, section: &Section, value: f64, settings: Settings) -> Option<Shown> {
        match settings.dates {
            Some(dates) if self.region => {
                let moment = Moment::of(value, 0, settings.from_1904)?;
                Some(exact(&moment.short(dates, self.timed)?))
            }
            _ => section.date(value, settings, self.region),
        }
    }

    fn is_date(&self) -> bool {
        self.sections.iter().flatten().any(Section::is_date)
    }
}

/// The sections of a code, parted by `;` outside quotes and escapes.
fn split(code: &str) -> Vec<Vec<char>> {
    let mut sections = vec![Vec::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in code.chars() {
        if c == ';' && !quoted && !escaped {
            sections.push(Vec::new());
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = !escaped && !quoted && matches!(c, '\\' | '_' | '*');
        if let Some(section) = sections.last_mut() {
            section.push(c);
        }
    }
    sections
}

impl Section {
    fn parse(code: &[char]) -> Option<Self> {
        let mut section = Self::default();
        let mut rest = code;
        while let Some((&c, after)) = rest.split_first() {
            rest = match c {
                '"' => {
                    let end = after.iter().position(|c| *c == '"')?;
                    let (text, after) = after.split_at(end);
                    section.literal(text.iter().collect());
                    after.get(1..)?
                }
                '\\' | '_' | '*' => {
                    let (next, after) = after.split_first()?;
                    match c {
                        '\\' => section.literal(next.to_string()),
                        '_' => section.literal(" ".to_owned()),
                        // What fills the cell's width.
                        _ => {}
                    }
                    after
                }
                '[' => {
                    let end = after.iter().position(|c| *c == ']')?;
                    let (inside, after) = after.split_at(end);
                    section.bracket(&inside.iter().collect::<String>())?;
                    after.get(1..)?
                }
                _ => section.token(c, rest)?,
            };
        }
        section.tell_minutes_from_months();
        Some(section)
    }

    fn literal(&mut self, text: String) {
        self.tokens.push(Token::Literal(text));
    }

    /// A colour, a currency, a language or a time that runs past its unit; conditions are not known here.
    fn bracket(&mut self, inside: &str) -> Option<()> {
        if let Some(inside) = inside.strip_prefix('$') {
            let (currency, language) = inside.rsplit_once('-').unwrap_or((inside, ""));
            self.literal(currency.to_owned());
            let language = u32::from_str_radix(language, 16).unwrap_or(0);
            // The date and the time of the computer's settings.
            self.region |= matches!(language, 0xF400 | 0xF800);
            // Above the language (MS-LCID) stand calendars and digits.
            if language > 0xFFFF {
                return None;
            }
            if language > 0 {
                self.language = Some(language);
            }
            return Some(());
        }
        let lower = inside.to_ascii_lowercase();
        let first = lower.chars().next()?;
        if matches!(first, 'h' | 'm' | 's') && lower.chars().all(|c| c == first) {
            let part = Part::Elapsed(first, lower.len());
            self.tokens.push(Token::Date(part));
            return Some(());
        }
        lower
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == ' ')
            .then_some(())
    }

    /// One token at the beginning of `rest`; what is left after it.
    fn token<'a>(&mut self, c: char, rest: &'a [char]) -> Option<&'a [char]> {
        let starts = |word: &str| {
            let begins = rest.iter().zip(word.chars());
            rest.len() >= word.len() && begins.into_iter().all(|(a, b)| a.eq_ignore_ascii_case(&b))
        };
        let run = rest
            .iter()
            .take_while(|next| next.eq_ignore_ascii_case(&c))
            .count();
        let (token, length) = match c.to_ascii_lowercase() {
            _ if starts("General") => (Token::General, 7),
            _ if starts("AM/PM") => (Token::Date(Part::Half(false)), 5),
            _ if starts("A/P") => (Token::Date(Part::Half(true)), 3),
            'y' => (Token::Date(Part::Year(run)), run),
            'm' => (Token::Date(Part::Month(run)), run),
            'd' => (Token::Date(Part::Day(run)), run),
            'h' => (Token::Date(Part::Hour(run)), run),
            's' => (Token::Date(Part::Second(run)), run),
            '.' if matches!(self.last_part(), Some(Part::Second(_))) => {
                let places = rest.iter().skip(1).take_while(|next| **next == '0').count();
                if !(1..=3).contains(&places) {
                    return None;
                }
                self.literal(".".to_owned());
                (Token::Date(Part::Fraction(places)), 1 + places)
            }
            '0' | '#' | '?' => (Token::Digit(c), 1),
            '.' => (Token::Point, 1),
            ',' => (Token::Comma, 1),
            '%' => (Token::Percent, 1),
            '@' => (Token::Text, 1),
            'a'..='z' => return None,
            // Fractions.
            '/' if self.last_part().is_none() => return None,
            '/' => (Token::Stroke, 1),
            _ => (Token::Literal(c.to_string()), 1),
        };
        self.tokens.push(token);
        rest.get(length..)
    }

    fn last_part(&self) -> Option<Part> {
        self.parts().last()
    }

    fn parts(&self) -> impl DoubleEndedIterator<Item = Part> {
        self.tokens.iter().filter_map(|token| match token {
            Token::Date(part) => Some(*part),
            _ => None,
        })
    }

    fn is_date(&self) -> bool {
        self.parts().next().is_some()
    }

    /// `m` after hours or before seconds means minutes.
    fn tell_minutes_from_months(&mut self) {
        let parts: Vec<Part> = self.parts().collect();
        let mut at = 0_usize;
        for token in &mut self.tokens {
            let Token::Date(part) = token else { continue };
            let before = at.checked_sub(1).and_then(|at| parts.get(at));
            let hours = matches!(before, Some(Part::Hour(_) | Part::Elapsed('h', _)));
            let seconds = matches!(
                parts.get(at + 1),
                Some(Part::Second(_) | Part::Elapsed('s', _))
            );
            if let Part::Month(width @ 1..=2) = *part
                && (hours || seconds)
            {
                *part = Part::Minute(width);
            }
            at += 1;
        }
    }

    fn date(&self, value: f64, settings: Settings, region: bool) -> Option<Shown> {
        let places = self.parts().find_map(|part| match part {
            Part::Fraction(places) => Some(places),
            _ => None,
        });
        let moment = Moment::of(value, places.unwrap_or(0), settings.from_1904)?;
        if region || self.region {
            return Some(Shown {
                text: moment.iso(),
                doubt: Some(Doubt::Region),
            });
        }
        let names = self.language.and_then(names);
        let sign = self.language.and_then(between);
        let sign = sign.or(settings.dates.map(|dates| dates.between));
        let halves = self.parts().any(|part| matches!(part, Part::Half(_)));
        let mut shown = exact("");
        for token in &self.tokens {
            match token {
                Token::Date(part) => shown.text.push_str(&moment.part(*part, halves, names)?),
                Token::Literal(literal) => shown.text.push_str(literal),
                Token::Comma => shown.text.push(','),
                Token::Point => shown.text.push('.'),
                Token::Stroke => {
                    shown.text.push(sign.unwrap_or('/'));
                    shown.doubt = sign.is_none().then_some(Doubt::Stroke);
                }
                // What follows for texts, as in `dd.mm.yyyy;@`, is a section of its own.
                _ => return None,
            }
        }
        shown.text = shown.text.trim().to_owned();
        Some(shown)
    }

    fn number(&self, value: f64, signed: bool, style: Option<NumberStyle>) -> Option<Shown> {
        let mut decimal = Decimal::of(value)?;
        let style_known = style.is_some();
        let style = style.unwrap_or_default();
        let layout = Layout::of(&self.tokens)?;
        decimal = decimal.shifted(layout.shift);
        let mut written = Written {
            text: String::new(),
            divided: false,
        };
        for (at, token) in self.tokens.iter().enumerate() {
            match token {
                Token::Literal(literal) => written.text.push_str(literal),
                Token::Percent => written.text.push('%'),
                Token::General => written.general(&decimal, style)?,
                Token::Text => return None,
                _ if at == layout.first => written.digits(&decimal, &self.tokens, &layout, style),
                // Written with the first of them, up to the last.
                _ => {}
            }
            if at == layout.first {
                // Literals between digits were written with them.
                for token in self.tokens.get(layout.end..).unwrap_or_default() {
                    match token {
                        Token::Literal(literal) => written.text.push_str(literal),
                        Token::Percent => written.text.push('%'),
                        Token::Comma => {}
                        _ => return None,
                    }
                }
                break;
            }
        }
        let sign = if value < 0.0 && signed { "-" } else { "" };
        let mut shown = exact(&format!("{sign}{}", written.text));
        if written.divided && !style_known {
            shown.doubt = Some(Doubt::NumberStyle);
        }
        Some(shown)
    }
}

/// Spaces at the edges only keep a column of numbers in line.
fn exact(text: &str) -> Shown {
    Shown {
        text: text.trim().to_owned(),
        doubt: None,
    }
}

/// Where the digits of a section stand.
struct Layout {
    /// The tokens from the first to behind the last digit or point.
    first: usize,
    end: usize,
    point: Option<usize>,
    grouped: bool,
    /// By how many places percent signs and commas behind the digits move the number.
    shift: i32,
}

impl Layout {
    /// None for what makes no sense.
    fn of(tokens: &[Token]) -> Option<Self> {
        let digit = |token: &Token| matches!(token, Token::Digit(_));
        let placed = |token: &Token| matches!(token, Token::Digit(_) | Token::Point);
        let percents = tokens
            .iter()
            .filter(|token| **token == Token::Percent)
            .count();
        let first = tokens.iter().position(placed).unwrap_or(usize::MAX);
        let end = tokens
            .iter()
            .rposition(placed)
            .map_or(usize::MAX, |at| at + 1);
        let point = tokens.iter().position(|token| *token == Token::Point);
        let whole = point.unwrap_or(end);
        let commas = |range: Option<&[Token]>| {
            let tokens = range.unwrap_or_default().iter();
            tokens.filter(|token| **token == Token::Comma).count()
        };
        if tokens
            .iter()
            .filter(|token| **token == Token::Point)
            .count()
            > 1
        {
            return None;
        }
        let last_whole = tokens
            .get(..whole.min(tokens.len()))?
            .iter()
            .rposition(digit)
            .unwrap_or(first);
        let scaling = if first == usize::MAX {
            0
        } else {
            commas(tokens.get(last_whole.max(first)..whole.min(tokens.len())))
                + commas(tokens.get(end.max(whole)..))
        };
        Some(Self {
            first,
            end,
            point,
            grouped: commas(tokens.get(first.min(tokens.len())..last_whole.min(tokens.len()))) > 0,
            shift: 2 * percents as i32 - 3 * scaling as i32,
        })
    }
}

struct Written {
    text: String,
    /// A separator was written.
    divided: bool,
}

impl Written {
    /// The number in full, without what a narrow column would hide.
    fn general(&mut self, decimal: &Decimal, style: NumberStyle) -> Option<()> {
        if !decimal.is_plain() {
            return None;
        }
        let (whole, fraction) = decimal.rounded(decimal.places());
        self.text
            .push_str(if whole.is_empty() { "0" } else { &whole });
        if !fraction.is_empty() {
            self.point(style);
            self.text.push_str(&fraction);
        }
        Some(())
    }

    fn point(&mut self, style: NumberStyle) {
        self.text.push(style.decimal);
        self.divided = true;
    }

    fn digits(&mut self, decimal: &Decimal, tokens: &[Token], layout: &Layout, style: NumberStyle) {
        let whole_end = layout.point.unwrap_or(layout.end);
        let whole = tokens.get(layout.first..whole_end).unwrap_or_default();
        let fraction = tokens.get(whole_end..layout.end).unwrap_or_default();
        let places = fraction
            .iter()
            .filter(|token| matches!(token, Token::Digit(_)))
            .count();
        let (digits, rest) = decimal.rounded(places);
        self.whole(&digits, whole, layout.grouped.then_some(style.thousands));
        let mut rest = rest.chars();
        for (at, token) in fraction.iter().enumerate() {
            match token {
                Token::Point => self.point(style),
                Token::Digit(kind) => {
                    let digit = rest.next().unwrap_or('0');
                    let later = rest.clone().all(|c| c == '0');
                    let fixed = fraction
                        .get(at..)
                        .unwrap_or_default()
                        .contains(&Token::Digit('0'));
                    if digit == '0' && later && !fixed {
                        self.text.push_str(if *kind == '?' { " " } else { "" });
                    } else {
                        self.text.push(digit);
                    }
                }
                Token::Literal(literal) => self.text.push_str(literal),
                _ => {}
            }
        }
    }

    /// The whole part: from the right, a digit for each place, the first place taking what is left.
    fn whole(&mut self, digits: &str, tokens: &[Token], thousands: Option<char>) {
        let places = tokens
            .iter()
            .filter(|token| matches!(token, Token::Digit(_)))
            .count();
        let fixed = tokens.iter().position(|token| *token == Token::Digit('0'));
        let needed = fixed.map_or(0, |at| {
            let after = tokens.get(at..).unwrap_or_default().iter();
            after
                .filter(|token| matches!(token, Token::Digit(_)))
                .count()
        });
        let digits = format!("{digits:0>needed$}");
        if let Some(separator) = thousands {
            // Literals within a grouped number are unheard of; they would stand behind it.
            let text = grouped(&digits, separator);
            self.divided |= text.len() > digits.len();
            self.text.push_str(&text);
            return;
        }
        let mut left: Vec<char> = digits.chars().collect();
        let mut pieces: Vec<String> = Vec::new();
        let mut place = places;
        for token in tokens.iter().rev() {
            match token {
                Token::Digit(kind) => {
                    place -= 1;
                    if place == 0 {
                        pieces.push(std::mem::take(&mut left).into_iter().collect());
                    } else if let Some(digit) = left.pop() {
                        pieces.push(digit.to_string());
                    } else if *kind == '?' {
                        pieces.push(" ".to_owned());
                    }
                }
                Token::Literal(literal) => pieces.push(literal.clone()),
                _ => {}
            }
        }
        self.text.extend(pieces.into_iter().rev());
        // Without a place of its own the whole part still shows.
        self.text.extend(left);
    }
}
