//! What holds for every reply, and for every entry of the tables.

use proptest::prelude::*;

use super::*;
use crate::provider::entry::read_table;
use crate::provider::words::Words;

/// Each preset with what its servers say.
const LISTS: [(&str, &str); 6] = [
    ("microsoft365", MICROSOFT),
    ("custom", GENERAL),
    ("custom", UNKNOWN),
    ("gmail", GOOGLE),
    ("google-workspace-relay", GOOGLE),
    ("amazon-ses", AMAZON_SES),
];

fn words_of_tables() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "mailbox full",
        "user unknown",
        "relay access denied",
        "spam",
        "too many recipients",
        "throttl",
        "SendAsDenied",
        "STOREDRV.Submission.Exception:QuotaExceededException",
        "RefuseQuota",
        "not owned by user",
        "Temporary server error",
        "no valid recipients",
        "Delivery not authorized",
    ])
    .prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn nobody_is_refused_where_nobody_was_named(
        phase in prop::sample::select(PHASES.to_vec()),
        code in 0u16..1000,
        enhanced in "(([245]\\.[0-7]\\.[0-9]{1,3}) )?",
        text in prop_oneof![words_of_tables(), ".*"],
    ) {
        let reply = Reply::new(code, format!("{enhanced}{text}"));
        for preset in presets().unwrap() {
            let judgement = ReplyTable::for_preset(preset).unwrap().judge(phase, &reply);
            let named = matches!(phase, Phase::MailFrom | Phase::Data | Phase::Body | Phase::FinalDot);
            match judgement.verdict {
                Verdict::Accept => prop_assert!(reply.is_positive()),
                Verdict::RefuseRecipient => prop_assert_eq!(phase, Phase::RcptTo),
                Verdict::RefuseMessage => prop_assert!(named),
                Verdict::Defer => prop_assert!(named || phase == Phase::RcptTo),
                Verdict::SlowDown(wait) | Verdict::HoldAccount(wait) => prop_assert!(!wait.is_zero()),
                _ => {}
            }
            if (200..300).contains(&code) {
                prop_assert_eq!(judgement.verdict, Verdict::Accept);
            }
            let refused = matches!(judgement.verdict, Verdict::RefuseRecipient | Verdict::RefuseMessage);
            if refused {
                prop_assert!(!reply.is_transient());
                prop_assert!(matches!(judgement.class, Class::Recipient | Class::Message));
            }
            prop_assert!(!judgement.meaning.is_empty() && !judgement.remedy.is_empty());
        }
    }

    #[test]
    fn any_words_at_all_can_be_explained_or_not(text in ".*") {
        let _ = table("microsoft365").explain(&text);
    }
}

#[test]
fn each_entry_is_reached_by_some_known_words() {
    let mut reached = Vec::new();
    for (preset, list) in LISTS {
        let table = table(preset);
        for row in rows(list) {
            let words = Words::from(&reply(row.words));
            reached.push(
                table
                    .entry(Some(row.phase), &words)
                    .unwrap_or_else(|| table.by_class(row.phase, &words)),
            );
        }
    }
    let table = ReplyTable::of_all_providers().unwrap();
    for row in rows(SIGN_IN_SERVICES) {
        let words = Words::new(None, None, row.words);
        reached.extend(table.entry(Some(Phase::SignIn), &words));
    }
    let reached: Vec<_> = reached.into_iter().map(std::ptr::from_ref).collect();
    for entry in table.entries.iter().copied().chain(table.by_class) {
        assert!(
            reached.contains(&std::ptr::from_ref(entry)),
            "no words lead to: {} {:?}",
            entry.meaning,
            entry.text
        );
    }
}

#[test]
fn trouble_of_the_account_refuses_nobody() {
    for (preset, list) in LISTS {
        let table = table(preset);
        for row in rows(list) {
            for phase in PHASES {
                let judgement = table.judge(phase, &reply(row.words));
                let refuses = matches!(
                    judgement.verdict,
                    Verdict::RefuseRecipient | Verdict::RefuseMessage
                );
                let is_theirs = matches!(judgement.class, Class::Recipient | Class::Message);
                assert!(is_theirs || !refuses, "{phase:?}: {}", row.words);
            }
        }
    }
}

#[test]
fn remedies_name_only_commands_that_there_are() {
    let known = [
        "accounts",
        "check",
        "doctor",
        "explain",
        "login",
        "logout",
        "new",
        "plan",
        "preview",
        "providers",
        "rehearse",
        "report",
        "resolve",
        "sandbox",
        "send",
        "status",
        "store",
    ];
    let table = ReplyTable::of_all_providers().unwrap();
    let notes = presets().unwrap().iter().flat_map(|preset| &preset.notes);
    let said = table.entries.iter().map(|entry| &entry.remedy).chain(notes);
    for text in said {
        for (_, rest) in text
            .match_indices("`postroom ")
            .map(|(at, found)| text.split_at(at + found.len()))
        {
            let command = rest.split(|c: char| !c.is_alphabetic()).next().unwrap();
            assert!(known.contains(&command), "{text}");
        }
    }
}

#[test]
fn a_table_that_cannot_be_right_is_refused_with_its_place() {
    let entry = |lines: &str| {
        format!(
            "[[reply]]\nclass = 'quota'\nmeaning = 'm'\nremedy.you = 'r'\nsource = 's'\n{lines}\n"
        )
    };
    assert!(read_table("t", &entry("code = 550\nverdict = 'stop-account'")).is_ok());
    assert!(
        read_table(
            "t",
            &entry("enhanced = '5.7.5xx'\nverdict = 'hold-account'\nfor = '1h'")
        )
        .is_ok()
    );
    for (lines, complaint) in [
        ("verdict = 'stop-account'", "names no code"),
        ("code = 250\nverdict = 'stop-account'", "no refusal"),
        ("code = '6xx'\nverdict = 'stop-account'", "neither"),
        ("enhanced = '5.7'\nverdict = 'stop-account'", "no enhanced"),
        ("text = ''\nverdict = 'stop-account'", "empty text"),
        ("code = 550\nverdict = 'accept'", "no verdict"),
        ("code = 550\nverdict = 'slow-down'", "needs 'for'"),
        (
            "code = 550\nverdict = 'hold-account'\nfor = '0s'",
            "no time",
        ),
        ("code = 550\nverdict = 'defer'\nfor = '1m'", "does not wait"),
        (
            "code = 550\nverdict = 'stop-account'\nremedy.nobody = ' '",
            "need words",
        ),
        (
            "code = 550\nverdict = 'stop-account'\nwaiting = 'perhaps'",
            "no waiting",
        ),
        (
            "code = 550\nphase = ['mail-from']\nverdict = 'refuse-recipient'",
            "not possible at mail-from",
        ),
        (
            "code = 550\nphase = ['sign-in']\nverdict = 'refuse-message'",
            "not possible at sign-in",
        ),
    ] {
        let text = format!(
            "{}{}",
            entry("code = 550\nverdict = 'stop-account'"),
            entry(lines)
        );
        let error = read_table("t.toml", &text).unwrap_err().to_string();
        assert!(
            error.contains(complaint) && error.contains("t.toml") && error.contains("entry 2"),
            "{error}"
        );
    }
}
