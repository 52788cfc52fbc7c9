//! Domains that are one slip of the finger away from another.
//!
//! A false alarm costs more trust than a missed slip, so only what can hardly be another company counts:
//! one letter more, less, other or swapped inside a label of some length, and endings that do not exist.

/// Mail domains that very many people have.
pub const WELL_KNOWN: &[&str] = &[
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "outlook.de",
    "hotmail.com",
    "hotmail.de",
    "hotmail.fr",
    "hotmail.co.uk",
    "yahoo.com",
    "yahoo.de",
    "yahoo.fr",
    "yahoo.co.uk",
    "icloud.com",
    "orange.fr",
    "wanadoo.fr",
    "libero.it",
    "freenet.de",
    "t-online.de",
    "arcor.de",
    "protonmail.com",
    "proton.me",
    "bluewin.ch",
    "comcast.net",
    "verizon.net",
];

/// Domains that look like a slip and are none.
const REAL: &[&str] = &[
    "mail.com",
    "email.com",
    "ymail.com",
    "email.de",
    "mail.de",
    "hotmail.be",
    "iclouds.com",
    "gmx.com",
];

/// What people type in place of `com`; none of them is an ending, or none under which a large provider has mail.
const BROKEN_COM: &[&str] = &[
    "con", "cmo", "ocm", "comm", "coom", "vom", "xom", "cpm", "dom", "clm", "cim", "con", "cok",
    "c0m",
];

/// Real endings which are still slips after the name of a large provider.
const RARE_COM: &[&str] = &["cm", "co", "om"];

/// The shortest label of which one letter more or less is no coincidence.
const SHORTEST: usize = 5;

/// Whether `domain` is `target`, mistyped. Both in ASCII and lower case.
pub fn is_slip(domain: &str, target: &str) -> bool {
    if domain == target || REAL.contains(&domain) || WELL_KNOWN.contains(&domain) {
        return false;
    }
    is_broken_ending(domain, target) || is_slip_inside(domain, target)
}

fn is_broken_ending(domain: &str, target: &str) -> bool {
    let (Some((name, ending)), Some((wanted, "com"))) =
        (domain.rsplit_once('.'), target.rsplit_once('.'))
    else {
        return false;
    };
    name == wanted
        && (BROKEN_COM.contains(&ending)
            || (RARE_COM.contains(&ending) && WELL_KNOWN.contains(&target)))
}

/// One label differs, and not the last one.
fn is_slip_inside(domain: &str, target: &str) -> bool {
    let labels = |text: &str| text.split('.').count();
    if labels(domain) != labels(target) {
        return false;
    }
    let mut differing = domain
        .rsplit('.')
        .zip(target.rsplit('.'))
        .enumerate()
        .filter(|(_, (found, wanted))| found != wanted);
    let (Some((place, (found, wanted))), None) = (differing.next(), differing.next()) else {
        return false;
    };
    // Numbered names (mail1, mail2) and punycode differ by intent.
    let odd = |label: &str| label.starts_with("xn--") || label.bytes().any(|b| b.is_ascii_digit());
    place > 0
        && wanted.len() >= SHORTEST
        && !odd(found)
        && !odd(wanted)
        && strsim::damerau_levenshtein(found, wanted) == 1
}
