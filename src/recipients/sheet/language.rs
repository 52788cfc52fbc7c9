//! What a format's language writes in dates (the numbers of languages: MS-LCID).

/// The names of months and days in one language.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) months: [&'static str; 12],
    pub(super) days: [&'static str; 7],
    /// Whether a name of three letters is the beginning of the long one. In other languages programs shorten
    /// names each in its own way.
    pub(super) cut_to_three: bool,
}

const ENGLISH: Names = Names {
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    days: [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ],
    cut_to_three: true,
};

const GERMAN: Names = Names {
    months: [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    days: [
        "Montag",
        "Dienstag",
        "Mittwoch",
        "Donnerstag",
        "Freitag",
        "Samstag",
        "Sonntag",
    ],
    cut_to_three: false,
};

const AUSTRIAN: Names = Names {
    months: [
        "Jänner",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    ..GERMAN
};

const FRENCH: Names = Names {
    months: [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    days: [
        "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche",
    ],
    cut_to_three: false,
};

const SPANISH: Names = Names {
    months: [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
    days: [
        "lunes",
        "martes",
        "miércoles",
        "jueves",
        "viernes",
        "sábado",
        "domingo",
    ],
    cut_to_three: false,
};

const ITALIAN: Names = Names {
    months: [
        "gennaio",
        "febbraio",
        "marzo",
        "aprile",
        "maggio",
        "giugno",
        "luglio",
        "agosto",
        "settembre",
        "ottobre",
        "novembre",
        "dicembre",
    ],
    days: [
        "lunedì",
        "martedì",
        "mercoledì",
        "giovedì",
        "venerdì",
        "sabato",
        "domenica",
    ],
    cut_to_three: false,
};

const DUTCH: Names = Names {
    months: [
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ],
    days: [
        "maandag",
        "dinsdag",
        "woensdag",
        "donderdag",
        "vrijdag",
        "zaterdag",
        "zondag",
    ],
    cut_to_three: false,
};

/// The names that a language has; none where they are not known here.
pub(super) fn names(language: u32) -> Option<&'static Names> {
    // The low bits are the language, those above them the country.
    match (language, language & 0x3FF) {
        (0x0C07, _) => Some(&AUSTRIAN),
        (_, 0x07) => Some(&GERMAN),
        (_, 0x09) => Some(&ENGLISH),
        (_, 0x0A) => Some(&SPANISH),
        (_, 0x0C) => Some(&FRENCH),
        (_, 0x10) => Some(&ITALIAN),
        (_, 0x13) => Some(&DUTCH),
        _ => None,
    }
}

/// What a language of a country writes where a format has a stroke between the parts of a date.
pub(super) fn between(language: u32) -> Option<char> {
    match (language, language & 0x3FF) {
        // English of the United States, the United Kingdom, Australia, New Zealand and Ireland; French of France,
        // Belgium and Luxembourg; Spanish, Italian and Portuguese; Dutch of Belgium.
        (
            0x409 | 0x809 | 0xC09 | 0x1409 | 0x1809 | 0x40C | 0x80C | 0x140C | 0x40A | 0xC0A
            | 0x410 | 0x416 | 0x816 | 0x813,
            _,
        ) => Some('/'),
        // German everywhere; French and Italian of Switzerland; Norwegian, Polish, Czech, Finnish, Russian.
        (_, 0x07) | (0x100C | 0x810 | 0x414 | 0x415 | 0x405 | 0x40B | 0x419, _) => Some('.'),
        // Dutch of the Netherlands, Swedish, French of Canada.
        (0x413 | 0x41D | 0xC0C, _) => Some('-'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_has_its_own_names_and_signs() {
        let march = |language| names(language).map(|names| names.months[2]);
        assert_eq!(march(0x407), Some("März"));
        assert_eq!(march(0x100C), Some("mars"));
        assert_eq!(march(0x411), None);
        assert_eq!(names(0xC07).unwrap().months[0], "Jänner");
        assert_eq!(
            (between(0x807), between(0x40C), between(0x413)),
            (Some('.'), Some('/'), Some('-'))
        );
        assert_eq!(between(0x411), None);
    }
}
