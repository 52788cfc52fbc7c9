//! What copied words mean: lines, logs, bounces, codes alone.

use super::*;

fn all() -> ReplyTable {
    ReplyTable::of_all_providers().unwrap()
}

fn meaning(text: &str) -> Option<&'static str> {
    all().explain(text).map(|judgement| judgement.meaning)
}

fn said(phase: Phase, line: &str) -> &'static str {
    table("microsoft365").judge(phase, &reply(line)).meaning
}

#[test]
fn a_line_is_explained_however_it_was_quoted() {
    let quota = said(Phase::RcptTo, "550 5.1.90 daily limit");
    for text in [
        "5.1.90",
        "#5.1.90",
        "550 5.1.90",
        "550-5.1.90 Your message can't be sent",
        "Remote server returned '550 5.1.90 Your message can't be sent'",
        "smtp;550 5.1.90 Your message can't be sent",
        "{\"code\":550,\"text\":\"5.1.90\"}",
        "2026-11-25T10:45:12Z mail[530]: reply: 550 5.1.90 limit",
    ] {
        assert_eq!(meaning(text), Some(quota), "{text}");
    }
    let off = said(
        Phase::SignIn,
        "535 5.7.139 SmtpClientAuthentication is disabled for the Tenant",
    );
    for text in [
        "(535, b'5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.')",
        "SmtpClientAuthentication is disabled for the Tenant",
        "smtpclientauthentication is disabled\nfor the tenant",
    ] {
        assert_eq!(meaning(text), Some(off), "{text}");
    }
}

#[test]
fn codes_alone_are_explained() {
    for (code, words) in [
        ("5.7.139", "refused by a setting"),
        ("535", "User name or password is wrong"),
        ("550", "refuses this message"),
        ("450", "cannot take this message"),
        ("5.9.9", "refuses this message"),
        ("AADSTS50076", "second factor"),
        ("invalid_grant", "expired or was revoked"),
    ] {
        let found = meaning(code).unwrap_or_else(|| panic!("{code}"));
        assert!(found.contains(words), "{code}: {found}");
    }
    let by_words = |text: &str| all().explain_words(text).unwrap().by_words;
    assert!(by_words("535") && !by_words("550 noch nie geh\u{f6}rt"));
}

#[test]
fn the_most_telling_line_of_a_log_counts() {
    let log = "Connected to smtp.office365.com:587\n\
        220 FR0P281CA0001.outlook.office365.com Microsoft ESMTP MAIL Service ready\n\
        250 SIZE 157286400\n\
        235 2.7.0 Authentication successful\n\
        250 2.1.0 Sender OK\n\
        250 2.1.5 Recipient OK\n\
        354 Start mail input\n\
        554 5.2.252 SendAsDenied; a@contoso.com not allowed to send as b@contoso.com\n\
        221 2.0.0 Service closing transmission channel";
    assert_eq!(
        meaning(log),
        Some(said(Phase::FinalDot, "554 5.2.252 SendAsDenied; a"))
    );
    let bounce = "Your message to x@example.org couldn't be delivered.\n\
        This is not spam and there is no virus in it; 530 people got it.\n\n\
        Reporting-MTA: dns; FR0P281MB0001.DEUP281.PROD.OUTLOOK.COM\n\
        Action: failed\nStatus: 5.1.8\n\
        Diagnostic-Code: smtp;550 5.1.8 Access denied, bad\n outbound sender AS(42004)";
    assert_eq!(
        meaning(bounce),
        Some(said(
            Phase::RcptTo,
            "550 5.1.8 Access denied, bad outbound sender"
        ))
    );
    let token = "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS700082: The refresh token has expired due to \
        inactivity. Trace ID: 550e8400 Timestamp: 2026-11-25 10:45:12Z\",\"error_codes\":[700082]}";
    assert!(
        meaning(token)
            .unwrap()
            .contains("stored sign-in has expired")
    );
}

#[test]
fn what_holds_nothing_known_is_not_explained() {
    for text in [
        "",
        "hello",
        "250 OK",
        "the year 2026",
        "smtp.example.com:587",
        "we wrote to 550 people at 10:45:500",
        "Exim/4.7.0 and 192.0.2.5",
        "port 465, https://example.com:443/",
        "5.5 litres, 500 grams",
        "a log\nwith spam in it\nand a virus",
    ] {
        assert_eq!(meaning(text), None, "{text}");
    }
}

#[test]
fn a_providers_own_words_come_before_everybodys() {
    let ours = |preset: &str| table(preset).explain("550 5.1.8 no").unwrap().class;
    assert_eq!(
        (ours("microsoft365"), ours("custom")),
        (Class::Blocked, Class::Sender)
    );
}
