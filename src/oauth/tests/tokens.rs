use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use secrecy::SecretString;

use super::provider::{Provider, granted, refusal};
use super::{clock, keep, kept, pass, settings, shown, tokens};
use crate::clock::Clock;
use crate::oauth::record::Record;
use crate::oauth::{ErrorKind, Granted, Standing, Tokens};
use crate::provider::Flow;

/// Somebody has signed in just now: `access-1` and `refresh-1` are kept.
async fn signed_in(provider: &Provider, folder: &Path, clock: &Clock) {
    let settings = settings(provider, Flow::ClientCredentials);
    let granted = crate::oauth::sign_in(&settings, clock, &mut |_| {}).await;
    let mut granted = granted.unwrap();
    // An application gets none; the rest is as for a person.
    granted.record.refresh_token = Some("refresh-1".into());
    keep(folder).store(&settings, &granted).unwrap();
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

#[tokio::test]
async fn a_token_is_kept_over_restarts_and_renewed_ten_minutes_early() {
    let (home, clock) = (tempfile::tempdir().unwrap(), clock());
    let provider = Provider::rotating().await;
    signed_in(&provider, home.path(), &clock).await;
    let first = tokens(&provider, home.path(), &clock);
    assert_eq!(shown(&first.access_token().await.unwrap()), "access-1");
    pass(&clock, minutes(49)).await;
    assert_eq!(shown(&first.access_token().await.unwrap()), "access-1");
    let restarted = tokens(&provider, home.path(), &clock);
    assert_eq!(shown(&restarted.access_token().await.unwrap()), "access-1");
    assert_eq!(provider.count(), 1, "nobody but the person has asked");
    pass(&clock, minutes(1)).await;
    let token = restarted.access_token().await.unwrap();
    assert_eq!(shown(&token), "access-2");
    assert_eq!(token.expires_at(), clock.now() + minutes(60));
    assert_eq!(token.scopes(), ["send", "offline"]);
    assert_eq!(provider.asked()[1].field("refresh_token"), "refresh-1");
    // The other one finds what this one has kept.
    assert_eq!(shown(&first.access_token().await.unwrap()), "access-2");
    assert_eq!(provider.count(), 2);
    pass(&clock, minutes(600)).await;
    assert_eq!(shown(&first.access_token().await.unwrap()), "access-3");
    assert_eq!(provider.asked()[2].field("refresh_token"), "refresh-2");
}

#[tokio::test]
async fn a_refresh_token_that_does_not_rotate_is_used_again() {
    let (home, clock) = (tempfile::tempdir().unwrap(), clock());
    let mut number = 0;
    let provider = Provider::start(move |_| {
        number += 1;
        let answer = granted(number, 3600);
        (
            200,
            if number == 1 {
                answer
            } else {
                answer.replace("refresh_token", "unknown")
            },
        )
    })
    .await;
    signed_in(&provider, home.path(), &clock).await;
    let tokens = tokens(&provider, home.path(), &clock);
    for number in [2, 3] {
        pass(&clock, minutes(55)).await;
        let token = tokens.access_token().await.unwrap();
        assert_eq!(shown(&token), format!("access-{number}"));
        assert_eq!(
            provider.asked().last().unwrap().field("refresh_token"),
            "refresh-1"
        );
    }
}

#[tokio::test]
async fn short_lives_are_used_for_half_of_them() {
    let (home, clock) = (tempfile::tempdir().unwrap(), clock());
    let mut number = 0;
    let provider = Provider::start(move |_| {
        number += 1;
        (200, granted(number, 300))
    })
    .await;
    signed_in(&provider, home.path(), &clock).await;
    let tokens = tokens(&provider, home.path(), &clock);
    pass(&clock, minutes(2)).await;
    assert_eq!(shown(&tokens.access_token().await.unwrap()), "access-1");
    pass(&clock, minutes(1)).await;
    assert_eq!(shown(&tokens.access_token().await.unwrap()), "access-2");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_at_the_same_time_shares_one_token() {
    let (home, clock) = (tempfile::tempdir().unwrap(), clock());
    let provider = Provider::rotating().await;
    signed_in(&provider, home.path(), &clock).await;
    pass(&clock, minutes(60)).await;
    // Three processes with five connections each.
    let handles: Vec<Tokens> = (0..3)
        .map(|_| tokens(&provider, home.path(), &clock))
        .collect();
    let ask = |handles: &[Tokens]| {
        let asking = handles.iter().flat_map(|handle| vec![handle.clone(); 5]);
        let asking = asking.map(|handle| tokio::spawn(async move { handle.access_token().await }));
        asking.collect::<Vec<_>>()
    };
    for task in ask(&handles) {
        assert_eq!(shown(&task.await.unwrap().unwrap()), "access-2");
    }
    assert_eq!(provider.count(), 2);
    // The mail server has refused it to all of them.
    let refused = handles[0].access_token().await.unwrap();
    let renewing = handles.iter().flat_map(|handle| vec![handle.clone(); 5]);
    let renewing: Vec<_> = renewing
        .map(|handle| {
            let refused = refused.clone();
            tokio::spawn(async move { handle.renew(&refused).await })
        })
        .collect();
    for task in renewing {
        assert_eq!(shown(&task.await.unwrap().unwrap()), "access-3");
    }
    assert_eq!(provider.count(), 3);
}

#[tokio::test]
async fn a_revoked_sign_in_ends_once_and_asks_no_more_until_somebody_signs_in() {
    let (home, clock) = (tempfile::tempdir().unwrap(), clock());
    let revoked = Arc::new(AtomicBool::new(false));
    let is_revoked = Arc::clone(&revoked);
    let mut number = 0;
    let provider = Provider::start(move |asked| {
        number += 1;
        if is_revoked.load(Ordering::Relaxed) && asked.field("grant_type") == "refresh_token" {
            let words = format!("AADSTS50173: {} was revoked", asked.field("refresh_token"));
            return refusal("invalid_grant", &words);
        }
        (200, granted(number, 3600))
    })
    .await;
    signed_in(&provider, home.path(), &clock).await;
    let handle = tokens(&provider, home.path(), &clock);
    let refused = handle.access_token().await.unwrap();
    revoked.store(true, Ordering::Relaxed);
    for renewed in [handle.renew(&refused).await, handle.renew(&refused).await] {
        let error = renewed.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Revoked(_)), "{error}");
        assert_eq!(error.remedy(), "run `postroom login comms`");
        let said = format!("{error} {error:?}");
        assert!(
            said.contains("AADSTS50173") && !said.contains("refresh-1"),
            "{said}"
        );
    }
    let restarted = tokens(&provider, home.path(), &clock);
    let error = restarted.access_token().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Revoked(_)), "{error}");
    assert_eq!(provider.count(), 2, "it was asked once");
    let text = kept(home.path()).unwrap();
    assert!(
        !text.contains("access-") && !text.contains("refresh-"),
        "{text}"
    );
    let settings = settings(&provider, Flow::Browser);
    let standing = keep(home.path()).standing(&settings).unwrap();
    assert!(matches!(standing, Standing::Ended { .. }), "{standing:?}");
    signed_in(&provider, home.path(), &clock).await;
    assert_eq!(shown(&handle.renew(&refused).await.unwrap()), "access-3");
}

#[tokio::test]
async fn a_token_that_was_lost_on_its_way_to_the_disk_ends_the_sign_in() {
    let (home, clock) = (tempfile::tempdir().unwrap(), clock());
    let provider = Provider::rotating().await;
    signed_in(&provider, home.path(), &clock).await;
    let before = kept(home.path()).unwrap();
    pass(&clock, minutes(60)).await;
    let token = tokens(&provider, home.path(), &clock).access_token().await;
    assert_eq!(shown(&token.unwrap()), "access-2");
    // A power cut: what the provider had given never came to the disk.
    let file = std::fs::read_dir(home.path().join("secrets")).unwrap();
    let file = file.map(|entry| entry.unwrap().path());
    let file = file
        .into_iter()
        .find(|path| path.extension().unwrap() == "tokens");
    std::fs::write(file.unwrap(), before).unwrap();
    let error = tokens(&provider, home.path(), &clock).access_token().await;
    assert!(matches!(error.unwrap_err().kind(), ErrorKind::Revoked(_)));
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_refresh_token_that_cannot_be_kept_is_said() {
    let (home, clock) = (tempfile::tempdir().unwrap(), clock());
    let folder = home.path().join("secrets");
    let breaking = Arc::new(Mutex::new(None));
    let (to_break, mut number) = (Arc::clone(&breaking), 0);
    let provider = Provider::start(move |_| {
        // While the provider answers, the file's place is taken by something that cannot be replaced.
        if let Some(file) = to_break.lock().unwrap().take() {
            std::fs::remove_file(&file).unwrap();
            std::fs::create_dir_all(std::path::PathBuf::from(&file).join("in the way")).unwrap();
        }
        number += 1;
        (200, granted(number, 3600))
    })
    .await;
    signed_in(&provider, home.path(), &clock).await;
    let mut files = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let file = files.find(|file| file.extension().unwrap() == "tokens");
    *breaking.lock().unwrap() = file;
    pass(&clock, minutes(60)).await;
    let error = tokens(&provider, home.path(), &clock).access_token().await;
    let error = error.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Keep(_)), "{error}");
    assert!(!format!("{error:?}").contains("refresh-2"), "{error:?}");
}

#[tokio::test]
async fn an_outage_costs_nothing_while_the_token_holds() {
    let (home, clock) = (tempfile::tempdir().unwrap(), clock());
    let out = Arc::new(AtomicBool::new(false));
    let (is_out, mut number) = (Arc::clone(&out), 0);
    let provider = Provider::start(move |_| {
        if is_out.load(Ordering::Relaxed) {
            return (503, String::new());
        }
        number += 1;
        (200, granted(number, 3600))
    })
    .await;
    signed_in(&provider, home.path(), &clock).await;
    out.store(true, Ordering::Relaxed);
    let tokens = tokens(&provider, home.path(), &clock);
    pass(&clock, minutes(55)).await;
    let token = tokens.access_token().await.unwrap();
    assert_eq!(shown(&token), "access-1");
    // One that the server has refused is no help.
    assert!(tokens.renew(&token).await.unwrap_err().is_transient());
    pass(&clock, minutes(10)).await;
    assert!(tokens.access_token().await.unwrap_err().is_transient());
    out.store(false, Ordering::Relaxed);
    assert_eq!(shown(&tokens.access_token().await.unwrap()), "access-2");
}

#[tokio::test]
async fn a_sign_in_for_something_else_counts_as_none() {
    let (home, clock) = (tempfile::tempdir().unwrap(), clock());
    let provider = Provider::rotating().await;
    let fresh = tokens(&provider, home.path(), &clock);
    let error = fresh.access_token().await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotSignedIn(None));
    assert_eq!(error.remedy(), "run `postroom login comms`");
    signed_in(&provider, home.path(), &clock).await;
    let own = settings(&provider, Flow::DeviceCode);
    let mut others = vec![own.clone(); 5];
    others[0].client_id = "app-2".to_owned();
    others[1].token.push_str("/other");
    others[2].username = "other@contoso.com".to_owned();
    others[3].scopes.pop();
    others[4].account = "comms-2".to_owned();
    for other in others {
        let tokens = Tokens::new(other, keep(home.path()), clock.clone()).unwrap();
        let error = tokens.access_token().await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::NotSignedIn(None));
    }
    // Another way to the same sign-in.
    let tokens = Tokens::new(own, keep(home.path()), clock.clone()).unwrap();
    assert_eq!(shown(&tokens.access_token().await.unwrap()), "access-1");
    assert!(keep(home.path()).forget("comms").unwrap());
    assert!(!keep(home.path()).forget("comms").unwrap());
}

#[tokio::test]
async fn an_application_asks_anew_and_keeps_nothing() {
    let (home, clock) = (tempfile::tempdir().unwrap(), clock());
    let mut number = 0;
    let provider = Provider::start(move |_| {
        number += 1;
        (200, granted(number, 3600))
    })
    .await;
    let mut settings = settings(&provider, Flow::ClientCredentials);
    settings.client_secret = Some("app-secret-1".into());
    let tokens = Tokens::new(settings, keep(home.path()), clock.clone()).unwrap();
    for _ in 0..2 {
        assert_eq!(shown(&tokens.access_token().await.unwrap()), "access-1");
    }
    pass(&clock, minutes(55)).await;
    let token = tokens.access_token().await.unwrap();
    assert_eq!(shown(&token), "access-2");
    assert_eq!(shown(&tokens.renew(&token).await.unwrap()), "access-3");
    assert_eq!(kept(home.path()), None);
    assert!(!format!("{tokens:?} {token:?}").contains("access-2"));
    assert!(!format!("{tokens:?}").contains("app-secret-1"));
}

/// Whoever waits may be dropped: what the provider has given is kept all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_renewal_ends_although_nobody_waits_for_it() {
    let (home, clock) = (tempfile::tempdir().unwrap(), clock());
    let asked = Arc::new(tokio::sync::Notify::new());
    let (go_on, gate) = std::sync::mpsc::channel();
    let (tell, mut number) = (Arc::clone(&asked), 0);
    let provider = Provider::start(move |_| {
        number += 1;
        tell.notify_one();
        gate.recv().unwrap();
        (200, granted(number, 3600))
    })
    .await;
    go_on.send(()).unwrap();
    signed_in(&provider, home.path(), &clock).await;
    asked.notified().await;
    pass(&clock, minutes(60)).await;
    let tokens = tokens(&provider, home.path(), &clock);
    tokio::select! {
        () = asked.notified() => {}
        _ = tokens.access_token() => panic!("the provider has not answered yet"),
    }
    for _ in 0..2 {
        go_on.send(()).unwrap();
    }
    // The next one waits for the lock that the renewal holds until it has written.
    let token = tokens.access_token().await.unwrap();
    assert_eq!(shown(&token), "access-2");
    assert_eq!(provider.count(), 2);
}

#[test]
fn what_is_no_record_counts_as_none() {
    let provider = Provider::absent();
    let settings = settings(&provider, Flow::Browser);
    for text in ["", "{", "null", "[1]", r#"{"version":2}"#, "\u{0}"] {
        assert!(Record::read(&SecretString::from(text), &settings).is_none());
    }
    let granted = Granted {
        record: Record {
            refresh_token: Some("refresh-1".into()),
            access: None,
            granted_at: clock().now(),
            ended: None,
        },
    };
    let text = granted.record.write(&settings);
    assert!(Record::read(&text, &settings).is_some());
    assert!(!format!("{granted:?} {text:?}").contains("refresh-1"));
}

#[tokio::test]
async fn a_throttle_by_whatever_name_is_no_end_of_a_sign_in() {
    let (home, clock) = (tempfile::tempdir().unwrap(), clock());
    let mut number = 0;
    let provider = Provider::start(move |_| {
        number += 1;
        if number == 2 {
            let words = "AADSTS50196: The server terminated an operation because of a request loop";
            return refusal("invalid_grant", words);
        }
        (200, granted(number, 3600))
    })
    .await;
    signed_in(&provider, home.path(), &clock).await;
    let tokens = tokens(&provider, home.path(), &clock);
    pass(&clock, minutes(61)).await;
    let error = tokens.access_token().await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert_eq!(shown(&tokens.access_token().await.unwrap()), "access-3");
}

#[tokio::test]
async fn what_a_broken_server_quotes_of_our_secrets_is_told_to_nobody() {
    for status in [429, 500, 503] {
        let (home, clock) = (tempfile::tempdir().unwrap(), clock());
        let mut number = 0;
        let provider = Provider::start(move |_| {
            number += 1;
            if number > 1 {
                let words = "AADSTS90033: cannot process refresh_token=refresh-1";
                return (status, refusal("server_error", words).1);
            }
            (200, granted(number, 3600))
        })
        .await;
        signed_in(&provider, home.path(), &clock).await;
        let tokens = tokens(&provider, home.path(), &clock);
        pass(&clock, minutes(61)).await;
        let error = tokens.access_token().await.unwrap_err();
        let told = format!("{error} {error:?} {:?}", error.text());
        assert!(!told.contains("refresh-1"), "{told}");
        assert!(told.contains("server_error, AADSTS90033"), "{told}");
    }
}
