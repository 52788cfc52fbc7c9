//! Numbers as people write them into cells, read only where there is no doubt.

use std::cmp::Ordering;

/// A decimal number, exactly as written: long staff numbers stay different ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    negative: bool,
    /// Without zeros in front.
    whole: String,
    /// Without zeros at the end.
    fraction: String,
}

impl Number {
    /// Reads digits with a sign, if any, and a decimal point or comma, if any. Thousands may be grouped by
    /// blanks, apostrophes, or by whichever of point and comma is not the decimal one. `1,234` and `1.234`
    /// may be a thousand and something or one and something, so they are none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix(['-', '\u{2212}']) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = split(digits)?;
        let whole = ungrouped(whole)?;
        if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        Some(Self {
            negative: negative && !(whole.is_empty() && fraction.is_empty()),
            whole,
            fraction,
        })
    }
}

/// The whole part, still grouped, and the decimals; none where that is in doubt.
fn split(digits: &str) -> Option<(&str, &str)> {
    let is_mark = |c: char| matches!(c, '.' | ',');
    let Some(last) = digits.rfind(is_mark) else {
        return Some((digits, ""));
    };
    let (whole, rest) = digits.split_at(last);
    let (mark, fraction) = rest.split_at(1);
    if fraction.is_empty() {
        return None;
    }
    match whole.find(is_mark) {
        // The same mark again: it groups, and there are no decimals.
        Some(_) if whole.contains(mark) => Some((digits, "")),
        Some(_) => Some((whole, fraction)),
        None => {
            let is_doubtful = fraction.len() == 3
                && (1..=3).contains(&whole.len())
                && !whole.starts_with('0')
                && !whole.is_empty();
            (!is_doubtful).then_some((whole, fraction))
        }
    }
}

/// The digits of a whole number whose thousands may be grouped, by one kind of mark.
fn ungrouped(whole: &str) -> Option<String> {
    let is_group_mark = |c: char| {
        matches!(
            c,
            ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’' | '.' | ','
        )
    };
    let groups: Vec<&str> = whole.split(is_group_mark).collect();
    let mut marks: Vec<char> = whole.chars().filter(|c| is_group_mark(*c)).collect();
    marks.dedup();
    let are_digits = groups
        .iter()
        .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    let fits = match groups.as_slice() {
        [_] => true,
        [first, others @ ..] => {
            marks.len() == 1 && first.len() <= 3 && others.iter().all(|group| group.len() == 3)
        }
        [] => false,
    };
    (are_digits && fits).then(|| groups.concat())
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |a: &Self, b: &Self| {
            (a.whole.len().cmp(&b.whole.len()))
                .then_with(|| a.whole.cmp(&b.whole))
                .then_with(|| a.fraction.cmp(&b.fraction))
        };
        match (self.negative, other.negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, same) in [
            ("007", "7"),
            (" 1,5 ", "1.50"),
            ("-0", "0"),
            ("+3", "3"),
            ("1.234,56", "1234.56"),
            ("1,234.56", "1234.56"),
            ("1 234 567", "1234567"),
            ("1\u{202f}234,5", "1234.5"),
            ("1'234.50", "1234.5"),
            ("1.234.567", "1234567"),
            ("0.125", "0,125"),
            ("1234.567", "1234,567"),
            ("\u{2212}4", "-4"),
        ] {
            assert_eq!(Number::parse(text), Number::parse(same), "{text}");
            assert!(Number::parse(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_doubtful_is_no_number() {
        for text in [
            "",
            " ",
            "-",
            "1,234",
            "12.345",
            "1.",
            ".",
            "1,2,3",
            "1.23.456",
            "12 34",
            "1 234'567",
            "5 %",
            "12a",
            "1e3",
            "0x1",
            "€5",
            "1.234,567,8",
            "--1",
            "NaN",
            "inf",
            "٣",
        ] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    #[test]
    fn they_are_compared_exactly() {
        let number = |text| Number::parse(text).unwrap();
        let ascending = [
            "-10,5",
            "-9",
            "-0.5",
            "0",
            "0.05",
            "0.5",
            "2",
            "10",
            "90071992547409930",
            "90071992547409931",
        ];
        for pair in ascending.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
    }
}
