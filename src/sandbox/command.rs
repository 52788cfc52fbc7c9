//! Reading command lines (RFC 5321 4.1). By hand, and with an answer for whatever comes.

/// A command as it was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command<'a> {
    Helo,
    Ehlo,
    StartTls,
    Auth {
        mechanism: &'a str,
        initial: Option<&'a str>,
    },
    Mail(Mail<'a>),
    Rcpt(&'a str),
    Data,
    Rset,
    Noop,
    Vrfy,
    Help,
    Quit,
}

/// MAIL, with the parameters that matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mail<'a> {
    /// Empty for the null sender.
    pub(super) from: &'a str,
    /// SIZE (RFC 1870).
    pub(super) size: u64,
    /// SMTPUTF8 (RFC 6531).
    pub(super) utf8: bool,
}

/// Why a line is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misread {
    /// No such command.
    Unknown,
    /// A known command that this server has no use for.
    NotImplemented,
    /// A known command in a wrong form; how it should look.
    Syntax(&'static str),
    /// An address that cannot be.
    Address,
    /// A parameter that is not offered.
    Parameter,
}

/// Reads a line without its line end.
pub(super) fn parse(line: &[u8]) -> Result<Command<'_>, Misread> {
    let line = std::str::from_utf8(line).map_err(|_| Misread::Unknown)?;
    let line = line.trim_end_matches(' ');
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim_start_matches(' ');
    if line.chars().any(char::is_control) {
        return Err(Misread::Syntax("one line without control characters"));
    }
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => needs(rest, Command::Ehlo, "EHLO hostname"),
        "HELO" => needs(rest, Command::Helo, "HELO hostname"),
        "MAIL" => mail(rest),
        "RCPT" => rcpt(rest),
        "DATA" => bare(rest, Command::Data, "DATA"),
        "RSET" => bare(rest, Command::Rset, "RSET"),
        "QUIT" => bare(rest, Command::Quit, "QUIT"),
        "STARTTLS" => bare(rest, Command::StartTls, "STARTTLS"),
        "AUTH" => auth(rest),
        "NOOP" => Ok(Command::Noop),
        "HELP" => Ok(Command::Help),
        "VRFY" => needs(rest, Command::Vrfy, "VRFY address"),
        "BDAT" | "EXPN" | "ETRN" | "TURN" | "SEND" | "SOML" | "SAML" => {
            Err(Misread::NotImplemented)
        }
        _ => Err(Misread::Unknown),
    }
}

fn needs<'a>(rest: &str, command: Command<'a>, form: &'static str) -> Result<Command<'a>, Misread> {
    if rest.is_empty() {
        return Err(Misread::Syntax(form));
    }
    Ok(command)
}

fn bare<'a>(rest: &str, command: Command<'a>, form: &'static str) -> Result<Command<'a>, Misread> {
    if rest.is_empty() {
        return Ok(command);
    }
    Err(Misread::Syntax(form))
}

fn auth(rest: &str) -> Result<Command<'_>, Misread> {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    let (mechanism, initial) = (words.next(), words.next());
    match (mechanism, words.next()) {
        (Some(mechanism), None) => Ok(Command::Auth { mechanism, initial }),
        _ => Err(Misread::Syntax("AUTH mechanism [initial-response]")),
    }
}

fn mail(rest: &str) -> Result<Command<'_>, Misread> {
    let form = "MAIL FROM:<address> [parameters]";
    let (from, parameters) = path(rest, "FROM:", form)?;
    if !(from.is_empty() || is_mailbox(from)) {
        return Err(Misread::Address);
    }
    let mut mail = Mail {
        from,
        size: 0,
        utf8: false,
    };
    for parameter in parameters.split(' ').filter(|word| !word.is_empty()) {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (key.to_ascii_uppercase().as_str(), value) {
            ("SIZE", size) => mail.size = digits(size).ok_or(Misread::Syntax(form))?,
            ("SMTPUTF8", "") => mail.utf8 = true,
            ("BODY", body) if body.eq_ignore_ascii_case("7BIT") => {}
            ("BODY", body) if body.eq_ignore_ascii_case("8BITMIME") => {}
            ("RET", part) if part.eq_ignore_ascii_case("FULL") => {}
            ("RET", part) if part.eq_ignore_ascii_case("HDRS") => {}
            ("ENVID" | "AUTH", value) if !value.is_empty() => {}
            _ => return Err(Misread::Parameter),
        }
    }
    Ok(Command::Mail(mail))
}

fn rcpt(rest: &str) -> Result<Command<'_>, Misread> {
    let (to, parameters) = path(rest, "TO:", "RCPT TO:<address> [parameters]")?;
    // RFC 5321 4.1.1.3: postmaster needs no domain.
    if !(is_mailbox(to) || to.eq_ignore_ascii_case("postmaster")) {
        return Err(Misread::Address);
    }
    for parameter in parameters.split(' ').filter(|word| !word.is_empty()) {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let offered = key.eq_ignore_ascii_case("NOTIFY") || key.eq_ignore_ascii_case("ORCPT");
        if !offered || value.is_empty() {
            return Err(Misread::Parameter);
        }
    }
    Ok(Command::Rcpt(to))
}

/// All digits, up to the 20 that RFC 1870 allows.
fn digits(text: &str) -> Option<u64> {
    let fits = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    // What is too much for a number is too much for any server.
    fits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// The address between `<` and `>` after `keyword`, and what comes after it.
fn path<'a>(
    rest: &'a str,
    keyword: &str,
    form: &'static str,
) -> Result<(&'a str, &'a str), Misread> {
    let wrong = Misread::Syntax(form);
    let head = rest.get(..keyword.len()).ok_or(wrong)?;
    if !head.eq_ignore_ascii_case(keyword) {
        return Err(wrong);
    }
    let rest = rest[keyword.len()..].trim_start_matches(' ');
    let rest = rest.strip_prefix('<').ok_or(wrong)?;
    let end = closing_bracket(rest).ok_or(wrong)?;
    let (address, after) = (&rest[..end], &rest[end + 1..]);
    if !(after.is_empty() || after.starts_with(' ')) {
        return Err(wrong);
    }
    Ok((address, after))
}

/// The first `>` outside a quoted string.
fn closing_bracket(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// Local part, `@`, domain, within the lengths of RFC 5321 4.5.3.1. Whether the domain exists, or the
/// syntax of each part is right to the letter, is not what this server is for.
fn is_mailbox(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    let plain = !local.contains([' ', '"', '<', '>', ',', ';', ':', '@', '(', ')'])
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    let domain_fits = !domain.contains([' ', '"', '<', '>', ',', ';', '(', ')'])
        && !domain.starts_with(['.', '-'])
        && !domain.ends_with(['.', '-'])
        && !domain.contains("..");
    (1..=64).contains(&local.len())
        && (1..=255).contains(&domain.len())
        && (quoted || plain)
        && domain_fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commands_are_read() {
        let mail = |from, size, utf8| Ok(Command::Mail(Mail { from, size, utf8 }));
        assert_eq!(
            parse(b"mail from:<a@b.test> SIZE=12 body=8BITMIME"),
            mail("a@b.test", 12, false)
        );
        assert_eq!(parse(b"MAIL FROM:<> SMTPUTF8"), mail("", 0, true));
        assert_eq!(
            parse(b"MAIL FROM: <a@b.test> SIZE=99999999999999999999"),
            mail("a@b.test", u64::MAX, false)
        );
        assert_eq!(
            parse(b"RCPT TO:<\"a>b\"@c.test> NOTIFY=NEVER"),
            Ok(Command::Rcpt("\"a>b\"@c.test"))
        );
        assert_eq!(
            parse(b"AUTH XOAUTH2 abc="),
            Ok(Command::Auth {
                mechanism: "XOAUTH2",
                initial: Some("abc=")
            })
        );
        assert_eq!(parse(b"quit "), Ok(Command::Quit));
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        for line in [
            "MAIL a@b.test",
            "MAIL FROM:a@b.test",
            "RCPT TO:<a@b.test",
            "DATA now",
            "EHLO",
            "AUTH",
        ] {
            assert!(
                matches!(parse(line.as_bytes()), Err(Misread::Syntax(_))),
                "{line}"
            );
        }
        for line in [
            "MAIL FROM:<a>",
            "RCPT TO:<>",
            "RCPT TO:<a b@c.test>",
            "RCPT TO:<a@>",
            "RCPT TO:<a..b@c.test>",
        ] {
            assert_eq!(parse(line.as_bytes()), Err(Misread::Address), "{line}");
        }
        for line in [
            "MAIL FROM:<a@b.test> BODY=BINARYMIME",
            "MAIL FROM:<a@b.test> X",
            "RCPT TO:<a@b.test> SIZE=1",
        ] {
            assert_eq!(parse(line.as_bytes()), Err(Misread::Parameter), "{line}");
        }
        assert_eq!(parse(b"BDAT 10 LAST"), Err(Misread::NotImplemented));
        assert_eq!(parse(b"GET / HTTP/1.1"), Err(Misread::Unknown));
        assert_eq!(parse(b"\xff\xfe"), Err(Misread::Unknown));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(
            verb in "(?i)(MAIL FROM:|RCPT TO:|AUTH |EHLO |)",
            rest in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let mut line = verb.into_bytes();
            line.extend(rest);
            let _ = parse(&line);
        }
    }
}
