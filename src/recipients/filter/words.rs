//! The words and signs of a filter.

use super::{FilterError, Number};

/// A word or sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Letters, digits and `_`, beginning with a letter or `_`: a column or a word of the language.
    Name(String),
    /// A column in brackets.
    Bracketed(String),
    /// Text in quotes.
    Text(String),
    Number(Number),
    /// A comparison's sign, a parenthesis or a comma.
    Sign(&'static str),
}

/// A word and the character at which it begins, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) token: Token,
    pub(super) at: usize,
}

/// The longer ones first.
const SIGNS: [&str; 11] = ["==", "!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ","];

/// Cuts a filter into its words.
pub(super) fn of(text: &str) -> Result<Vec<Word>, FilterError> {
    let mut words = Vec::new();
    let (mut rest, mut at) = (text, 1);
    loop {
        let trimmed = rest.trim_start();
        at += count(rest) - count(trimmed);
        if trimmed.is_empty() {
            return Ok(words);
        }
        let (token, length) = next(trimmed, at)?;
        words.push(Word { token, at });
        let (word, after) = trimmed.split_at(length);
        at += count(word);
        rest = after;
    }
}

fn count(text: &str) -> usize {
    text.chars().count()
}

/// The first word and its length in bytes.
fn next(text: &str, at: usize) -> Result<(Token, usize), FilterError> {
    let first = text.chars().next().unwrap_or_default();
    if let Some(sign) = SIGNS.iter().find(|sign| text.starts_with(**sign)) {
        return Ok((Token::Sign(sign), sign.len()));
    }
    if matches!(first, '\'' | '"') {
        return quoted(text, first, at);
    }
    if first == '[' {
        return bracketed(text, at);
    }
    let end = |is_part: fn(char) -> bool| text.find(|c| !is_part(c)).unwrap_or(text.len());
    if first.is_alphabetic() || first == '_' {
        let length = end(|c| c.is_alphanumeric() || c == '_');
        let name = text.get(..length).unwrap_or_default();
        return Ok((Token::Name(name.to_owned()), length));
    }
    if first.is_ascii_digit() || matches!(first, '-' | '+' | '.') {
        let length = end(|c| c.is_alphanumeric() || matches!(c, '-' | '+' | '.' | '_'));
        let written = text.get(..length).unwrap_or_default();
        return number(written, at).map(|number| (Token::Number(number), length));
    }
    Err(FilterError {
        at,
        message: format!("'{}' means nothing here", first.escape_debug()),
        remedy: match first {
            '&' => "write and between two comparisons".to_owned(),
            '|' => "write or between two comparisons".to_owned(),
            '!' => "write not before a comparison, or != for is not".to_owned(),
            '‘' | '’' | '‚' | '“' | '”' | '„' | '«' | '»' => {
                "write text in straight quotes, as in office == 'Berlin'".to_owned()
            }
            '{' => "write the column's name alone, as in office == 'Berlin'".to_owned(),
            _ => "write comparisons, as in office == 'Berlin' and age >= 18".to_owned(),
        },
    })
}

/// A quote inside is written twice.
fn quoted(text: &str, quote: char, at: usize) -> Result<(Token, usize), FilterError> {
    let mut content = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((from, c)) = characters.next() {
        if c != quote {
            content.push(c);
        } else if characters.next_if(|(_, next)| *next == quote).is_some() {
            content.push(quote);
        } else {
            return Ok((Token::Text(content), from + quote.len_utf8()));
        }
    }
    Err(FilterError {
        at,
        message: "the text that begins here has no closing quote".to_owned(),
        remedy: format!("put {quote} at its end; a {quote} inside it is written twice"),
    })
}

fn bracketed(text: &str, at: usize) -> Result<(Token, usize), FilterError> {
    let remedy = "write the column's name in brackets, as in [First Name]".to_owned();
    let Some(end) = text.find(']') else {
        return Err(FilterError {
            at,
            message: "the name that begins here has no closing bracket".to_owned(),
            remedy,
        });
    };
    let name = text.get(1..end).unwrap_or_default().trim();
    if name.is_empty() {
        return Err(FilterError {
            at,
            message: "there is no name in the brackets".to_owned(),
            remedy,
        });
    }
    Ok((Token::Bracketed(name.to_owned()), end + 1))
}

fn number(written: &str, at: usize) -> Result<Number, FilterError> {
    // In a filter a comma parts values, so it is never a decimal one.
    Number::parse(written).ok_or_else(|| FilterError {
        at,
        message: format!("'{written}' is no number, or may be read in two ways"),
        remedy: "write numbers as 1234 or 12.5, and put anything else, dates too, in quotes"
            .to_owned(),
    })
}
