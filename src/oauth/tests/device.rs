use std::sync::{Arc, Mutex};

use jiff::SignedDuration;

use super::provider::{Asked, Provider, granted, refusal};
use super::{at, clock, settings, shown};
use crate::clock::{Clock, Timestamp};
use crate::oauth::{Error, ErrorKind, Granted, Step, sign_in};
use crate::provider::Flow;

const CODES: &str = r#"{"device_code":"device-secret-1","user_code":"ABCD-EFGH","message":"…",
    "verification_uri":"https://login.example/device","expires_in":900,"interval":5}"#;

/// A provider that gives a code and then these answers, the last one over and over, with when it was asked.
async fn scripted(
    clock: &Clock,
    answers: Vec<(u16, String)>,
) -> (Provider, Arc<Mutex<Vec<Timestamp>>>) {
    let times = Arc::new(Mutex::new(Vec::new()));
    let (mut next, seen, clock) = (0, Arc::clone(&times), clock.clone());
    let provider = Provider::start(move |asked: &Asked| {
        if asked.path == "/device" {
            return (200, CODES.to_owned());
        }
        seen.lock().unwrap().push(clock.now());
        let answer = answers[next.min(answers.len() - 1)].clone();
        next += 1;
        answer
    })
    .await;
    (provider, times)
}

async fn run(provider: &Provider, clock: &Clock) -> (Result<Granted, Error>, Vec<Step>) {
    let mut steps = Vec::new();
    let settings = settings(provider, Flow::DeviceCode);
    let result = sign_in(&settings, clock, &mut |step| steps.push(step)).await;
    (result, steps)
}

fn pending() -> (u16, String) {
    refusal("authorization_pending", "AADSTS70016: wait")
}

#[tokio::test]
async fn a_code_is_shown_and_asked_for_until_it_was_typed() {
    let clock = clock();
    let slower = refusal("slow_down", "");
    let answers = vec![pending(), slower, pending(), (200, granted(1, 3600))];
    let (provider, times) = scripted(&clock, answers).await;
    let (result, steps) = run(&provider, &clock).await;
    let until = at("2026-12-01T12:15:00Z");
    let step = Step::Code {
        address: "https://login.example/device".to_owned(),
        code: "ABCD-EFGH".to_owned(),
        with_code: None,
        until,
    };
    assert_eq!(steps, [step]);
    let granted = result.unwrap();
    assert_eq!(shown(granted.access_token().unwrap()), "access-1");
    assert!(granted.renews());
    let asked = provider.asked();
    assert_eq!(asked[0].field("scope"), "send offline");
    assert_eq!(asked[1].field("device_code"), "device-secret-1");
    assert_eq!(asked[1].field("client_id"), "app-1");
    // Five seconds at first, and five more once that was too fast (RFC 8628 3.5).
    let waits: Vec<i64> = times
        .lock()
        .unwrap()
        .windows(2)
        .map(|pair| pair[1].duration_since(pair[0]).as_secs())
        .collect();
    assert_eq!(waits, [5, 10, 10]);
}

#[tokio::test]
async fn a_no_and_the_end_of_the_time_are_told_apart() {
    let clock = clock();
    // Microsoft's word for it, and everybody else's.
    for word in ["authorization_declined", "access_denied"] {
        let declined = refusal(word, "AADSTS65004: declined");
        let (provider, _) = scripted(&clock, vec![pending(), declined]).await;
        let error = run(&provider, &clock).await.0.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Declined(_)), "{error}");
        assert!(error.text().unwrap().contains("AADSTS65004"));
        assert!(error.remedy().contains("postroom login comms"));
    }
    let (provider, _) = scripted(&clock, vec![refusal("expired_token", "over")]).await;
    let error = run(&provider, &clock).await.0.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::TimedOut);
    // A provider that forgets to say so.
    let begun = clock.now();
    let (provider, _) = scripted(&clock, vec![pending()]).await;
    let error = run(&provider, &clock).await.0.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::TimedOut);
    let taken = clock.now().duration_since(begun);
    assert!(taken >= SignedDuration::from_mins(15) && taken < SignedDuration::from_mins(16));
}

#[tokio::test]
async fn an_outage_in_between_is_lived_through_and_a_longer_one_is_named() {
    let clock = clock();
    let out = (503, r#"{"error":"temporarily_unavailable"}"#.to_owned());
    let answers = vec![out.clone(), (0, String::new()), (200, granted(1, 3600))];
    let (provider, _) = scripted(&clock, answers).await;
    run(&provider, &clock).await.0.unwrap();
    let (provider, _) = scripted(&clock, vec![out]).await;
    let error = run(&provider, &clock).await.0.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert!(error.to_string().contains("503"), "{error}");
}

#[tokio::test]
async fn a_refused_app_says_why_and_shows_no_code() {
    let clock = clock();
    let words = "AADSTS7000218: device-secret-1\u{1b}[31m\nred";
    let (provider, _) = scripted(&clock, vec![refusal("invalid_client", words)]).await;
    let error = run(&provider, &clock).await.0.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Refused(_)), "{error}");
    let said = format!("{error} {error:?}");
    assert!(said.contains("AADSTS7000218: [hidden] [31m red"), "{said}");
    assert!(!said.contains("device-secret"), "{said}");
}

#[tokio::test]
async fn times_that_make_no_sense_do_not_make_it_ask_without_a_pause() {
    let clock = clock();
    for (times, is_good) in [
        (r#""expires_in":20,"interval":0"#, true),
        (r#""expires_in":20,"interval":null"#, true),
        (r#""expires_in":20,"interval":18446744073709551615"#, false),
        (r#""expires_in":18446744073709551615,"interval":5"#, false),
    ] {
        let codes = format!(
            r#"{{"device_code":"d","user_code":"u","verification_uri":"https://x.example/",{times}}}"#
        );
        let provider = Provider::start(move |asked| match asked.path.as_str() {
            "/device" => (200, codes.clone()),
            _ => pending(),
        })
        .await;
        let error = run(&provider, &clock).await.0.unwrap_err();
        let over = error.kind() == &ErrorKind::TimedOut;
        assert_eq!(over, is_good, "{times}: {error}");
        assert!(provider.count() < 25, "{times}");
    }
}
