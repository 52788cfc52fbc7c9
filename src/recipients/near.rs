//! The name that was meant where another was given: how near is near enough to be offered.

/// How alike two names must be (Jaro-Winkler, 0 to 1) for one to be offered for the other.
const NAMES: f64 = 0.8;

/// The same of addresses and Message-IDs: those of one domain are half alike before anybody errs.
const ADDRESSES: f64 = 0.9;

/// The one of many that is most like a text, if one is near it. Case does not count, nor whether words are joined
/// with `-` or `_`.
#[derive(Debug)]
pub struct Nearest {
    wanted: String,
    floor: f64,
    found: Option<(f64, String)>,
}

impl Nearest {
    /// Looks for the name that is nearest to this one.
    pub fn name(text: &str) -> Self {
        Self::above(NAMES, text)
    }

    /// Looks for the address that is nearest to this one.
    pub fn address(text: &str) -> Self {
        Self::above(ADDRESSES, text)
    }

    fn above(floor: f64, text: &str) -> Self {
        Self {
            wanted: folded(text),
            floor,
            found: None,
        }
    }

    /// Looks at one of the many; of equally near ones the last is taken.
    pub fn look_at(&mut self, known: &str) {
        let likeness = strsim::jaro_winkler(&self.wanted, &folded(known));
        if likeness >= self.found.as_ref().map_or(self.floor, |(best, _)| *best) {
            self.found = Some((likeness, known.to_owned()));
        }
    }

    /// Looks at many.
    #[must_use]
    pub fn among<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        for name in names {
            self.look_at(name);
        }
        self
    }

    /// The nearest one that was looked at.
    pub fn found(self) -> Option<String> {
        self.found.map(|(_, known)| known)
    }
}

fn folded(text: &str) -> String {
    text.to_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_near_and_strangers_are_not() {
        let name = |text| Nearest::name(text).among(["first_name", "office"]).found();
        assert_eq!(name("First-Nmae").as_deref(), Some("first_name"));
        assert_eq!(name("OFICE").as_deref(), Some("office"));
        assert_eq!(name("salary"), None);
        let people = ["ann@contoso.com", "robert.miller@contoso.com"];
        let address = |text| Nearest::address(text).among(people).found();
        assert_eq!(address("anne@contoso.com").as_deref(), Some(people[0]));
        assert_eq!(
            address("robert.miler@contoso.com").as_deref(),
            Some(people[1])
        );
        assert_eq!(address("zoe.wu@contoso.com"), None);
    }
}
