//! `List-Unsubscribe` (RFC 2369 3.2) and one-click unsubscribing (RFC 8058).
//!
//! A campaign gives an address to write to, an address of the web, or both; both are templates. One-click is
//! offered only where it can mean somebody: in a message to one person, at an https address that has a field of
//! the list in it (RFC 8058 3.1). That RFC also wants a DKIM signature over both headers, which is the
//! provider's to make.

use lettre::message::header::Headers;
use serde::{Deserialize, Serialize};

use super::Error;
use super::headers::set_own;
use crate::recipients::Address;

const HEADER: &str = "List-Unsubscribe";

/// How a campaign lets people unsubscribe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscribe {
    /// So many of the campaign's own headers, its first ones, are each one address to unsubscribe by.
    pub addresses: usize,
    /// One of them is a person's own page.
    pub one_click: bool,
}

/// An address as it stands between the angle brackets.
fn uri(rendered: &str) -> String {
    let text = rendered.trim();
    let has_scheme = |scheme: &str| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    if has_scheme("mailto:") || has_scheme("https:") || has_scheme("http:") {
        text.to_owned()
    } else {
        format!("mailto:{text}")
    }
}

fn refused(reason: String) -> Error {
    Error::Header {
        name: HEADER.to_owned(),
        reason,
    }
}

/// Refuses what mail programs could not use: they see only what came out of the template.
pub(super) fn check(rendered: &str) -> Result<(), Error> {
    let uri = uri(rendered);
    // RFC 3986, 2: whatever else there is must be percent-encoded.
    let legal = |c: char| c.is_ascii_graphic() && !"<>\"\\^`{|}".contains(c);
    if let Some(found) = uri.chars().find(|c| !legal(*c)) {
        return Err(refused(format!(
            "would hold {found:?} in '{uri}', which no address can have: write {{{{urlencode column}}}} for what comes \
             from the list"
        )));
    }
    if let Some(rest) = uri.strip_prefix("mailto:") {
        let address = rest.split('?').next().unwrap_or_default();
        let plain = address.replace("%40", "@");
        return match Address::parse(&plain) {
            Ok(_) => Ok(()),
            Err(cause) => Err(refused(format!(
                "has no address to write to in '{uri}': {cause}"
            ))),
        };
    }
    let host = uri
        .strip_prefix("https://")
        .map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    match host {
        Some(host) if !host.is_empty() => Ok(()),
        Some(_) => Err(refused(format!("names no server in '{uri}'"))),
        None => Err(refused(format!(
            "is no https:// address: '{uri}' (RFC 8058 wants https)"
        ))),
    }
}

/// Sets the headers. `shared`: several people get the message, so that nothing in it is one person's own.
pub(super) fn set(
    headers: &mut Headers,
    unsubscribe: Unsubscribe,
    rendered: &[(String, String)],
    shared: bool,
) -> Result<(), Error> {
    let uris: Vec<String> = rendered
        .iter()
        .map(|(_, value)| format!("<{}>", uri(value)))
        .collect();
    set_own(headers, HEADER, &uris.join(", "))?;
    if unsubscribe.one_click && !shared {
        set_own(
            headers,
            "List-Unsubscribe-Post",
            "List-Unsubscribe=One-Click",
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mail_programs_cannot_use_is_refused() {
        for sound in [
            "leave@contoso.com",
            "mailto:leave@contoso.com?subject=leave%20me",
            "https://contoso.com/leave?who=ann%40contoso.com",
        ] {
            assert!(check(sound).is_ok(), "{sound}");
        }
        for unsound in [
            "",
            "leave",
            "mailto:?subject=x",
            "http://contoso.com/leave",
            "https:///leave",
            "https://contoso.com/leave?who=Ann Smith",
            "https://contoso.com/leave?who=Zoë",
            "https://contoso.com/a>,<https://evil.example",
        ] {
            assert!(check(unsound).is_err(), "{unsound}");
        }
    }
}
