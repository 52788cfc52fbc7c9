//! Numbers as a spreadsheet writes them.

/// How numbers are divided: a workbook doesn't say it, the settings of each computer do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberStyle {
    pub(super) thousands: char,
    pub(super) decimal: char,
}

impl Default for NumberStyle {
    fn default() -> Self {
        Self {
            thousands: ',',
            decimal: '.',
        }
    }
}

impl NumberStyle {
    /// The ways that can be chosen, each by what it makes of one number.
    pub const EXAMPLES: [&str; 5] = ["1,234.56", "1.234,56", "1 234,56", "1'234.56", "1’234.56"];

    /// Reads an example; none when it is not one of [`Self::EXAMPLES`] (any kind of space may be used).
    pub fn by_example(example: &str) -> Option<Self> {
        let chars: Vec<char> = example.trim().chars().collect();
        let &['1', thousands, '2', '3', '4', decimal, '5', '6'] = &chars[..] else {
            return None;
        };
        let known = matches!(thousands, ',' | '.' | '\'' | '’') || thousands.is_whitespace();
        (known && matches!(decimal, '.' | ',') && thousands != decimal)
            .then_some(Self { thousands, decimal })
    }
}

/// A number of at most 15 digits, as many as a spreadsheet keeps: 0.`digits` × 10^`exponent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: Vec<u8>,
    exponent: i32,
}

impl Decimal {
    /// Of a number's amount; none when it is not finite.
    pub(super) fn of(value: f64) -> Option<Self> {
        let written = format!("{:.14e}", value.abs());
        let (digits, exponent) = written.split_once('e')?;
        let exponent: i32 = exponent.parse().ok()?;
        let mut digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_digit).collect();
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let exponent = if digits.is_empty() { 0 } else { exponent + 1 };
        Some(Self { digits, exponent })
    }

    /// Times 10^`by`.
    pub(super) fn shifted(mut self, by: i32) -> Self {
        if !self.digits.is_empty() {
            self.exponent += by;
        }
        self
    }

    /// True for what can be written out in full without becoming a row of noughts.
    pub(super) fn is_plain(&self) -> bool {
        (-9..=15).contains(&self.exponent)
    }

    /// Whole part without leading noughts (nothing for zero) and exactly `places` of the fraction,
    /// rounded half away from zero.
    pub(super) fn rounded(&self, places: usize) -> (String, String) {
        let kept = i64::from(self.exponent) + places as i64;
        let mut digits: Vec<u8> = match usize::try_from(kept) {
            Err(_) => Vec::new(),
            Ok(kept) => {
                let all = self.digits.iter().copied();
                all.chain(std::iter::repeat(b'0')).take(kept).collect()
            }
        };
        let next = usize::try_from(kept)
            .ok()
            .and_then(|at| self.digits.get(at));
        if next.is_some_and(|digit| *digit >= b'5') {
            add_one(&mut digits);
        }
        let missing = (places + 1).saturating_sub(digits.len());
        digits.splice(0..0, std::iter::repeat_n(b'0', missing));
        let text = String::from_utf8_lossy(&digits).into_owned();
        let (whole, fraction) = text.split_at(text.len() - places);
        (
            whole.trim_start_matches('0').to_owned(),
            fraction.to_owned(),
        )
    }

    /// As many places as it has.
    pub(super) fn places(&self) -> usize {
        usize::try_from(self.digits.len() as i64 - i64::from(self.exponent)).unwrap_or(0)
    }
}

fn add_one(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit == b'9' {
            *digit = b'0';
        } else {
            *digit += 1;
            return;
        }
    }
    digits.insert(0, b'1');
}

/// The whole number in groups of three.
pub(super) fn grouped(digits: &str, separator: char) -> String {
    let length = digits.len();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (length - at).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}
