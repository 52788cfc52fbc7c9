//! What holds for every reply, and for every entry of the tables.

use proptest::prelude::*;

use super::*;
use crate::provider::entry::{Words, read_table};

/// Sign-in service errors are no SMTP replies: they are told by their number alone.
const ENTRA: &str = include_str!("../replies/microsoft-entra.toml");

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
fn each_entry_is_reached_by_some_known_reply() {
    let lists = [("microsoft365", MICROSOFT), ("custom", GENERAL)];
    let reached: Vec<_> = lists
        .into_iter()
        .flat_map(|(preset, list)| rows(list).map(move |row| (table(preset), row)))
        .filter_map(|(table, row)| table.entry(Some(row.phase), &Words::from(&row.reply)))
        .map(std::ptr::from_ref)
        .collect();
    for entry in table("microsoft365").entries {
        let signs_in_elsewhere = entry.text.iter().any(|t| t.starts_with("aadsts"));
        let known = reached.contains(&std::ptr::from_ref(entry));
        assert!(
            known || signs_in_elsewhere,
            "no reply leads to: {}",
            entry.meaning
        );
    }
}

#[test]
fn no_sign_in_error_is_hidden_by_a_shorter_number() {
    let entries = read_table("entra", ENTRA).unwrap();
    let table = table("microsoft365");
    for entry in &entries {
        for number in entry.text.iter().filter(|text| text.starts_with("aadsts")) {
            let found = table
                .explain(&format!("{}: details follow", number.trim_end_matches(':')))
                .unwrap();
            assert_eq!(found.meaning, entry.meaning, "{number}");
        }
    }
}

#[test]
fn a_table_that_cannot_be_right_is_refused_with_its_place() {
    let entry = |lines: &str| {
        format!("[[reply]]\nclass = 'quota'\nmeaning = 'm'\nremedy = 'r'\nsource = 's'\n{lines}\n")
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
