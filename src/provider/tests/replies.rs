//! From the server's words to the verdict: the lists beside this file, and what is special.

use super::*;

#[test]
fn every_known_reply_of_microsoft_gets_its_verdict() {
    assert_rows("microsoft365", MICROSOFT);
    assert_rows("outlook", MICROSOFT);
}

#[test]
fn known_replies_of_any_server_get_their_verdict() {
    assert_rows("custom", GENERAL);
}

#[test]
fn what_no_table_knows_is_judged_by_class_and_phase() {
    assert_rows("custom", UNKNOWN);
    for phase in PHASES {
        let judgement = table("custom").judge(phase, &reply("421 bye"));
        assert_eq!(judgement.verdict, Verdict::Reconnect);
    }
}

#[test]
fn one_recipient_of_a_whole_message_does_not_become_the_messages_fault_at_rcpt() {
    let table = table("microsoft365");
    let blocked = reply("550 5.7.703 recipients are blocked by the Tenant Allow Block List");
    assert_eq!(
        table.judge(Phase::RcptTo, &blocked).verdict,
        Verdict::RefuseRecipient
    );
}

#[test]
fn a_remedy_names_the_command_that_mends_it() {
    let table = table("microsoft365");
    let remedy = |phase, line: &str| table.judge(phase, &reply(line)).remedy;
    let off = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.";
    assert!(
        remedy(Phase::SignIn, off)
            .contains("Set-CASMailbox -Identity MAILBOX -SmtpClientAuthenticationDisabled $false")
    );
    let send_as = "554 5.2.252 SendAsDenied; a@contoso.com not allowed to send as b@contoso.com";
    assert!(remedy(Phase::FinalDot, send_as).contains("Add-RecipientPermission"));
    assert!(
        remedy(
            Phase::FinalDot,
            "550 5.1.8 Access denied, bad outbound sender"
        )
        .contains("restrictedentities")
    );
}

#[test]
fn words_are_found_over_line_ends_and_in_any_case() {
    let table = table("custom");
    let split = Reply::new(554, "5.7.1 <x@example.net>: RELAY\nACCESS denied");
    assert_eq!(
        table.judge(Phase::RcptTo, &split).verdict,
        Verdict::StopAccount
    );
}

#[test]
fn copied_words_are_explained() {
    let table = table("microsoft365");
    let meaning = |text| table.explain(text).map(|j| j.meaning);
    let judged = |phase, line| table.judge(phase, &reply(line)).meaning;
    let quota = judged(Phase::RcptTo, "550 5.1.90 daily limit");
    assert_eq!(meaning("5.1.90"), Some(quota));
    assert_eq!(
        meaning("Remote server returned '550-5.1.90 Your message can't be sent'"),
        Some(quota)
    );
    let off = judged(
        Phase::SignIn,
        "535 5.7.139 SmtpClientAuthentication is disabled for the Tenant",
    );
    assert_eq!(
        meaning("(535, b'5.7.139 SmtpClientAuthentication is disabled for the Tenant')"),
        Some(off)
    );
    assert!(
        meaning("AADSTS7000218: The request body must contain")
            .unwrap()
            .contains("app registration")
    );
    assert!(
        meaning("AADSTS700016: Application was not found")
            .unwrap()
            .contains("not known")
    );
    assert!(meaning("450 noch nie gehört").is_some());
    for nothing in ["", "hello", "250 OK", "the year 2026"] {
        assert_eq!(meaning(nothing), None, "{nothing}");
    }
}
