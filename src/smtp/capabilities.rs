//! What the server said it can do, in its answer to EHLO.

use crate::delivery::Reply;

/// What the server offers (RFC 5321 4.1.1.1), as of the last EHLO: after TLS where there is TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a server offers each extension or not, whatever it does about the others"
)]
pub struct Capabilities {
    /// The name that the server gave itself.
    pub name: String,
    /// Several commands in one write (RFC 2920).
    pub pipelining: bool,
    /// SIZE (RFC 1870): the largest message in bytes, 0 when it names no limit; none when not offered.
    pub size: Option<u64>,
    /// AUTH (RFC 4954): the mechanisms, in capitals, in the server's order.
    pub mechanisms: Vec<String>,
    /// Addresses and headers beyond ASCII (RFC 6531).
    pub smtp_utf8: bool,
    /// Content beyond ASCII (RFC 6152).
    pub eight_bit_mime: bool,
    /// STARTTLS (RFC 3207).
    pub start_tls: bool,
    /// Every line of the answer after the first, verbatim.
    pub lines: Vec<String>,
}

impl Capabilities {
    /// Reads them from the reply to EHLO.
    pub(super) fn from_reply(reply: &Reply) -> Self {
        let mut lines = reply.text.split('\n');
        let name = lines.next().and_then(|line| line.split(' ').next());
        let mut found = Self {
            name: name.unwrap_or_default().to_owned(),
            ..Self::default()
        };
        for line in lines {
            found.note(line);
            found.lines.push(line.to_owned());
        }
        found
    }

    fn note(&mut self, line: &str) {
        // "AUTH=LOGIN" is how servers older than RFC 2554 wrote it; some still do, beside the other.
        let mut words = line.split([' ', '=', '\t']).filter(|w| !w.is_empty());
        let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
        match keyword.as_str() {
            "PIPELINING" => self.pipelining = true,
            "SIZE" => self.size = Some(words.next().and_then(|w| w.parse().ok()).unwrap_or(0)),
            "SMTPUTF8" => self.smtp_utf8 = true,
            "8BITMIME" => self.eight_bit_mime = true,
            "STARTTLS" => self.start_tls = true,
            "AUTH" => {
                for mechanism in words.map(str::to_ascii_uppercase) {
                    if !self.mechanisms.contains(&mechanism) {
                        self.mechanisms.push(mechanism);
                    }
                }
            }
            _ => {}
        }
    }
}
