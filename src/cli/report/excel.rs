//! What divides columns where Excel opens a CSV file by a double click: the separator of lists of the region.
//!
//! A line `sep=;` at the top would say it too, but harms more than it helps: every other reader takes it for the
//! header, and Excel then no longer heeds the mark of UTF-8, so that names lose their accents.

use std::str::FromStr;

/// What divides the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excel {
    /// What the locale says.
    Auto,
    /// This byte.
    By(u8),
}

/// By this mark Excel knows that a file is in UTF-8.
pub(super) const MARK: &str = "\u{feff}";

impl FromStr for Excel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            ";" | "semicolon" => Ok(Self::By(b';')),
            "," | "comma" => Ok(Self::By(b',')),
            "\t" | "\\t" | "tab" => Ok(Self::By(b'\t')),
            _ => Err("use a semicolon, a comma or the word tab".to_owned()),
        }
    }
}

impl Excel {
    /// The byte between columns.
    pub(super) fn separator(self) -> u8 {
        match self {
            Self::By(separator) => separator,
            // The order in which they hold for numbers (POSIX, 8.2).
            Self::Auto => ["LC_ALL", "LC_NUMERIC", "LANG"]
                .into_iter()
                .filter_map(|name| std::env::var(name).ok())
                .find(|value| !value.is_empty())
                .map_or(b',', |locale| of_locale(&locale)),
        }
    }
}

/// Languages that write a decimal point (Unicode CLDR, the symbols of each language's numbers).
const POINT: [&str; 44] = [
    "c", "posix", "am", "bn", "bo", "cy", "dz", "en", "fil", "ga", "gd", "gu", "ha", "he", "hi",
    "ig", "iw", "ja", "km", "kn", "ko", "lb", "ml", "mn", "mr", "ms", "mt", "my", "ne", "om", "or",
    "pa", "rm", "si", "sw", "ta", "te", "th", "ti", "tl", "ur", "yo", "zh", "zu",
];

/// Regions that write numbers otherwise than most who speak their language do.
const POINT_HERE: [&str; 11] = [
    "es_cu", "es_do", "es_gt", "es_hn", "es_mx", "es_ni", "es_pa", "es_pe", "es_pr", "es_sv",
    "es_us",
];
const COMMA_HERE: [&str; 3] = ["en_be", "en_dk", "en_za"];

fn of_locale(locale: &str) -> u8 {
    let name = locale.split(['.', '@']).next().unwrap_or_default();
    let name = name.replace('-', "_").to_ascii_lowercase();
    let language = name.split('_').next().unwrap_or_default();
    // Switzerland and its neighbour write a point, and divide lists by a semicolon all the same.
    let is_swiss = name.ends_with("_ch") || name.ends_with("_li");
    let has_point = (POINT.contains(&language) || POINT_HERE.contains(&name.as_str()))
        && !COMMA_HERE.contains(&name.as_str());
    if has_point && !is_swiss { b',' } else { b';' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_decides_what_divides_columns() {
        for (locale, separator) in [
            ("de_DE.UTF-8", b';'),
            ("fr_FR", b';'),
            ("pt-BR", b';'),
            ("de_CH.UTF-8", b';'),
            ("en_ZA.UTF-8", b';'),
            ("en_US.UTF-8", b','),
            ("C.UTF-8", b','),
            ("POSIX", b','),
            ("es_ES@euro", b';'),
            ("es_MX.UTF-8", b','),
            ("ja_JP.eucJP", b','),
        ] {
            assert_eq!(of_locale(locale), separator, "{locale}");
        }
        assert_eq!("tab".parse(), Ok(Excel::By(b'\t')));
        assert!("x".parse::<Excel>().is_err());
    }
}
