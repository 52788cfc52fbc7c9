//! How a fault is written on a command line: `PHASE[@WHEN]=ACT`, as in `dot@3=drop` or `mail=451 4.3.0 Later`.

use std::fmt;
use std::str::FromStr;

use super::faults::{Act, Fault, Flood, Phase, Then, When};

const PHASES: [(&str, Phase); 10] = [
    ("banner", Phase::Banner),
    ("ehlo", Phase::Hello),
    ("starttls", Phase::StartTls),
    ("auth", Phase::Auth),
    ("mail", Phase::Mail),
    ("rcpt", Phase::Rcpt),
    ("data", Phase::Data),
    ("body", Phase::Body),
    ("dot", Phase::Verdict),
    ("answered", Phase::Answered),
];

const ACTS: [(&str, Act); 7] = [
    ("drop", Act::Drop),
    ("hang", Act::Hang),
    ("garbage", Act::Garbage),
    ("huge-line", Act::Huge(Flood::Line)),
    ("huge-lines", Act::Huge(Flood::Lines)),
    ("half-line", Act::HalfLine(Then::Hang)),
    ("cut-line", Act::HalfLine(Then::Drop)),
];

/// Why something is no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misspelt {
    /// There is no `=`.
    #[error("write a place, an equals sign and what goes wrong there, as in dot@3=drop")]
    Form,
    /// No such point in the dialogue.
    #[error("{0:?} is no place; these are: {list}", list = names(&PHASES))]
    Place(String),
    /// Neither something that goes wrong nor a code that refuses.
    #[error("{0:?} cannot go wrong; these can: {list}, or a reply from 400 to 599, as 451 4.3.0 Later", list = names(&ACTS))]
    Act(String),
    /// No times.
    #[error(
        "{0:?} is no time; write 3 (the third time), 2-5 (from the second to the fifth) or every-4"
    )]
    Time(String),
}

fn names<T>(known: &[(&str, T)]) -> String {
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

fn find<T: Clone>(known: &[(&str, T)], name: &str) -> Option<T> {
    let is_it = |(other, _): &&(&str, T)| other.eq_ignore_ascii_case(name);
    known.iter().find(is_it).map(|(_, found)| found.clone())
}

impl FromStr for Fault {
    type Err = Misspelt;

    fn from_str(text: &str) -> Result<Self, Misspelt> {
        let (place, act) = text.split_once('=').ok_or(Misspelt::Form)?;
        let (place, when) = match place.split_once('@') {
            Some((place, when)) => (place, times(when.trim())?),
            None => (place, When::Every(1)),
        };
        let place = place.trim();
        let phase = find(&PHASES, place).ok_or_else(|| Misspelt::Place(place.to_owned()))?;
        let act = act.trim();
        let act = find(&ACTS, act)
            .or_else(|| reply(act))
            .ok_or_else(|| Misspelt::Act(act.to_owned()))?;
        Ok(Self { phase, when, act })
    }
}

fn times(text: &str) -> Result<When, Misspelt> {
    let number = |digits: &str| digits.parse::<u64>().ok();
    let when = if let Some(n) = text.strip_prefix("every-") {
        number(n).map(When::Every)
    } else if let Some((first, last)) = text.split_once('-') {
        number(first)
            .zip(number(last))
            .map(|(first, last)| When::Between(first, last))
    } else {
        number(text).map(When::Nth)
    };
    when.filter(|when| !when.is_never())
        .ok_or_else(|| Misspelt::Time(text.to_owned()))
}

fn reply(text: &str) -> Option<Act> {
    let (code, words) = text.split_once(' ').unwrap_or((text, ""));
    let code = code.parse().ok().filter(|code| (400..600).contains(code))?;
    Some(Act::Reply(code, words.trim().to_owned()))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = PHASES.iter().find(|(_, phase)| *phase == self.phase);
        f.write_str(place.map_or("", |(place, _)| place))?;
        match self.when {
            When::Every(1) => {}
            When::Every(n) => write!(f, "@every-{n}")?,
            When::Nth(n) => write!(f, "@{n}")?,
            When::Between(first, last) => write!(f, "@{first}-{last}")?,
        }
        match &self.act {
            Act::Reply(code, words) if words.is_empty() => write!(f, "={code}"),
            Act::Reply(code, words) => write!(f, "={code} {words}"),
            act => {
                let known = ACTS.iter().find(|(_, other)| other == act);
                write!(f, "={}", known.map_or("", |(act, _)| act))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Fault, Misspelt> {
        text.parse()
    }

    #[test]
    fn faults_are_read_as_they_are_written() {
        for (place, _) in PHASES {
            for (act, _) in ACTS {
                for when in ["", "@3", "@2-5", "@every-4"] {
                    let text = format!("{place}{when}={act}");
                    assert_eq!(read(&text).unwrap().to_string(), text);
                }
            }
        }
        let fault = read("Rcpt@2 = 550 5.1.1 <a=b@x.test> unknown").unwrap();
        assert_eq!(fault.when, When::Nth(2));
        assert_eq!(
            fault.act,
            Act::Reply(550, "5.1.1 <a=b@x.test> unknown".to_owned())
        );
        assert_eq!(read("data=421").unwrap().to_string(), "data=421");
    }

    #[test]
    fn what_is_no_fault_is_refused_with_what_would_be_one() {
        for (text, says) in [
            ("drop", "dot@3=drop"),
            ("helo=drop", "banner, ehlo, starttls"),
            ("mail=explode", "huge-lines, half-line"),
            ("mail=250 fine", "from 400 to 599"),
            ("mail@0=drop", "the third time"),
            ("mail@5-2=drop", "every-4"),
            ("mail@often=drop", "no time"),
        ] {
            let said = read(text).unwrap_err().to_string();
            assert!(said.contains(says), "{text}: {said}");
        }
    }
}
