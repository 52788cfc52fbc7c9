use secrecy::SecretString;

use super::provider::{Provider, granted, refusal};
use super::{clock, settings, shown};
use crate::oauth::{Error, ErrorKind, Granted, is_safe_address, sign_in};
use crate::provider::Flow;

/// The application's own sign-in: one request.
async fn ask(provider: &Provider) -> Result<Granted, Error> {
    let mut settings = settings(provider, Flow::ClientCredentials);
    settings.client_secret = Some(SecretString::from("app-secret-1"));
    sign_in(&settings, &clock(), &mut |_| {}).await
}

#[tokio::test]
async fn the_application_sends_its_secret_in_the_body() {
    let provider = Provider::start(|_| (200, granted(1, 3600))).await;
    let signed_in = ask(&provider).await.unwrap();
    assert_eq!(shown(signed_in.access_token().unwrap()), "access-1");
    let asked = &provider.asked()[0];
    assert_eq!(asked.field("grant_type"), "client_credentials");
    assert_eq!(asked.field("client_secret"), "app-secret-1");
    assert_eq!(asked.field("scope"), "send offline");
}

#[tokio::test]
async fn a_secret_that_comes_back_is_not_shown() {
    let provider = Provider::start(|asked| {
        let words = format!("AADSTS7000215: {} is wrong", asked.field("client_secret"));
        refusal("invalid_client", &words)
    })
    .await;
    let error = ask(&provider).await.unwrap_err();
    let said = format!("{error} {error:?} {}", error.text().unwrap());
    assert!(said.contains("AADSTS7000215: [hidden] is wrong"), "{said}");
    assert!(!said.contains("app-secret-1"), "{said}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Provider::start(|_| (200, granted(1, 3600))).await;
    let address = format!("http://127.0.0.1:{}/token", elsewhere.port);
    for status in [301, 302, 307, 308] {
        let address = address.clone();
        let provider = Provider::start(move |_| (status, address.clone())).await;
        let error = ask(&provider).await.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Protocol { .. }),
            "{error}"
        );
    }
    assert_eq!(elsewhere.count(), 0);
}

#[tokio::test]
async fn nonsense_is_named_and_not_quoted() {
    for body in [
        String::new(),
        "<html>Sign in to the hotel's network</html>".to_owned(),
        r#"{"access_token":"secret-token-1"}"#.to_owned(),
        r#"{"access_token":{"secret-token-1":1},"token_type":"Bearer"}"#.to_owned(),
        r#"{"access_token":"secret-token-1","token_type":7}"#.to_owned(),
        "x".repeat(2_000_000),
    ] {
        let provider = Provider::start(move |_| (200, body.clone())).await;
        let error = ask(&provider).await.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Protocol { .. }),
            "{error}"
        );
        let said = format!("{error} {error:?}");
        assert!(
            !said.contains("secret-token-1") && said.len() < 1000,
            "{said}"
        );
    }
}

#[tokio::test]
async fn trouble_at_the_other_end_is_no_refusal() {
    for (status, body, words) in [
        (
            503,
            r#"{"error":"temporarily_unavailable","error_description":"AADSTS90033: trouble"}"#,
            "AADSTS90033",
        ),
        (500, "<html>", "500"),
        (429, "", "429"),
        (0, "", "127.0.0.1"),
    ] {
        let provider = Provider::start(move |_| (status, body.to_owned())).await;
        let error = ask(&provider).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    // Nobody is there at all.
    let provider = Provider::absent();
    let error = ask(&provider).await.unwrap_err();
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
}

#[tokio::test]
async fn an_unencrypted_endpoint_elsewhere_gets_nothing() {
    let provider = Provider::start(|_| (200, granted(1, 3600))).await;
    let mut settings = settings(&provider, Flow::ClientCredentials);
    settings.token = "http://login.example/token".to_owned();
    let error = sign_in(&settings, &clock(), &mut |_| {}).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Settings(_)), "{error}");
    assert!(is_safe_address("https://login.example/token"));
    assert!(!is_safe_address("https://login.example/#token"));
}

#[tokio::test]
async fn a_certificate_must_be_vouched_for() {
    let (provider, root) = Provider::encrypted().await;
    let mut settings = settings(&provider, Flow::ClientCredentials);
    settings.token = format!("https://localhost:{}/token", provider.port);
    let untrusted = sign_in(&settings, &clock(), &mut |_| {}).await.unwrap_err();
    assert!(
        matches!(untrusted.kind(), ErrorKind::Untrusted { .. }),
        "{untrusted}"
    );
    assert!(untrusted.remedy().contains("ca_file"));
    assert_eq!(provider.count(), 0, "nothing was sent");
    settings.extra_roots = vec![root.clone()];
    sign_in(&settings, &clock(), &mut |_| {}).await.unwrap();
    // For another name it is worth nothing.
    settings.token = format!("https://127.0.0.1:{}/token", provider.port);
    let other = sign_in(&settings, &clock(), &mut |_| {}).await.unwrap_err();
    assert!(
        matches!(other.kind(), ErrorKind::Untrusted { .. }),
        "{other}"
    );
}
