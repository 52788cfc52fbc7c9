//! From the server's words to the verdict: the lists beside this file, and what is special.

use super::*;

#[test]
fn every_known_reply_of_microsoft_gets_its_verdict() {
    assert_rows("microsoft365", MICROSOFT);
    assert_rows("outlook", MICROSOFT);
}

#[test]
fn known_replies_of_google_and_amazon_get_their_verdict() {
    assert_rows("gmail", GOOGLE);
    assert_rows("google-workspace-relay", GOOGLE);
    assert_rows("amazon-ses", AMAZON_SES);
}

#[test]
fn errors_of_sign_in_services_get_their_verdict() {
    let table = ReplyTable::of_all_providers().unwrap();
    assert_all(SIGN_IN_SERVICES, |row| {
        let (error, description) = row.words.split_once(": ").unwrap_or((row.words, ""));
        table.judge_sign_in_service(error, description)
    });
}

#[test]
fn a_number_of_the_sign_in_service_is_the_whole_number() {
    let table = table("microsoft365");
    let meaning = |text: &str| table.judge_sign_in_service("invalid_client", text).meaning;
    assert!(meaning("AADSTS7000218: The request body must contain").contains("desktop program"));
    assert!(meaning("AADSTS700016").contains("not known in this organisation"));
    assert!(meaning("AADSTS70001").contains("not known in this organisation"));
    assert!(meaning("AADSTS70002, see the log").contains("secret is wrong"));
    assert!(meaning("AADSTS700025").contains("must not have one"));
    // A number that is not in the table leaves the error's own name to say something.
    assert!(meaning("AADSTS7000299").contains("does not accept the app"));
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
fn a_remedy_is_told_with_the_names_of_its_account() {
    let table = table("microsoft365").of_account(Whose {
        account: Some("comms".into()),
        mailbox: Some("comms@contoso.com".into()),
        ..Whose::default()
    });
    let remedy = |line: &str| table.remedy(&table.judge(Phase::SignIn, &reply(line)));
    let off = remedy(
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
    );
    assert!(
        off.contains(
            "`Set-CASMailbox -Identity comms@contoso.com -SmtpClientAuthenticationDisabled $false`"
        ),
        "{off}"
    );
    let login =
        remedy("535 5.7.139 Authentication unsuccessful, basic authentication is disabled.");
    assert!(login.contains("`postroom login comms`"), "{login}");
    let judgement = table.judge(
        Phase::FinalDot,
        &reply("554 5.2.252 SendAsDenied; a not allowed to send as b"),
    );
    let remedies = table.remedies(&judgement);
    let owners: Vec<_> = remedies.iter().map(|remedy| remedy.who).collect();
    assert_eq!(owners, [Owner::You, Owner::Administrator]);
    assert!(remedies[1].what.contains("-Trustee comms@contoso.com "));
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
