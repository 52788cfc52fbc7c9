use std::collections::BTreeMap;
use std::time::Duration;

use oauth2::url::Url;
use oauth2::{PkceCodeChallenge, PkceCodeVerifier};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::provider::{Provider, granted, refusal};
use super::{clock, settings, shown};
use crate::clock::Hold;
use crate::oauth::{Error, ErrorKind, Granted, Step, sign_in};
use crate::provider::Flow;

/// A sign-in that waits for its browser.
struct Waiting {
    task: JoinHandle<Result<Granted, Error>>,
    /// What stands in the address that was shown.
    query: BTreeMap<String, String>,
    page: Url,
    port: u16,
    _hold: Hold,
}

async fn waiting(provider: &Provider) -> Waiting {
    let clock = clock();
    // The person takes no time.
    let hold = clock.hold();
    let settings = settings(provider, Flow::Browser);
    let (shown, mut steps) = mpsc::unbounded_channel();
    let task = tokio::spawn(async move {
        let mut show = |step| shown.send(step).unwrap();
        sign_in(&settings, &clock, &mut show).await
    });
    let Some(Step::Browser { address, .. }) = steps.recv().await else {
        panic!("no address");
    };
    let page = Url::parse(&address).unwrap();
    let query: BTreeMap<String, String> = page.query_pairs().into_owned().collect();
    let back = Url::parse(&query["redirect_uri"]).unwrap();
    assert_eq!(back.host_str(), Some("localhost"));
    Waiting {
        task,
        port: back.port().unwrap(),
        query,
        page,
        _hold: hold,
    }
}

impl Waiting {
    async fn send(&self, host: &str, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect((host, self.port)).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn visit(&self, target: &str) -> String {
        let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.send("127.0.0.1", request.as_bytes()).await
    }

    fn target(&self, rest: &str) -> String {
        format!("/?state={}&{rest}", self.query["state"])
    }

    async fn end(self) -> Result<Granted, Error> {
        self.task.await.unwrap()
    }
}

#[tokio::test]
async fn the_browser_comes_back_with_a_code_that_is_exchanged_with_its_proof() {
    let provider = Provider::start(|_| (200, granted(1, 3600))).await;
    let waiting = waiting(&provider).await;
    let query = waiting.query.clone();
    assert_eq!(waiting.page.path(), "/authorize");
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "app-1"),
        ("scope", "send offline"),
        ("login_hint", "comms@contoso.com"),
        ("prompt", "select_account"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(query[name], value);
    }
    let page = waiting.visit(&waiting.target("code=c%2B1")).await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("You can close this"), "{page}");
    assert!(page.contains("no-store"), "{page}");
    let signed_in = waiting.end().await.unwrap();
    assert_eq!(shown(signed_in.access_token().unwrap()), "access-1");
    let asked = &provider.asked()[0];
    assert_eq!(asked.field("code"), "c+1");
    assert_eq!(asked.field("redirect_uri"), query["redirect_uri"]);
    let verifier = PkceCodeVerifier::new(asked.field("code_verifier").to_owned());
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    assert_eq!(challenge.as_str(), query["code_challenge"]);
}

#[tokio::test]
async fn strangers_are_sent_away_and_the_wait_goes_on() {
    let provider = Provider::start(|_| (200, granted(1, 3600))).await;
    let waiting = waiting(&provider).await;
    let right = waiting.target("code=stolen");
    let _silent = TcpStream::connect(("127.0.0.1", waiting.port))
        .await
        .unwrap();
    let mut slow = TcpStream::connect(("127.0.0.1", waiting.port))
        .await
        .unwrap();
    slow.write_all(b"GET /?state=").await.unwrap();
    for target in [
        "/favicon.ico",
        "/",
        "/?code=c",
        "/?code=c&state=",
        "/?code=c&state=wrong",
        "/?error=access_denied&state=wrong",
        "/?state=%ff%fe&code=%00",
        "//evil.example/?x",
        "http://evil.example/",
        &right.replacen('/', "/callback", 1),
        &waiting.target("code="),
        &waiting.target("other=1"),
    ] {
        let page = waiting.visit(target).await;
        assert!(page.starts_with("HTTP/1.1 404"), "{target}: {page}");
    }
    for method in ["POST", "HEAD", "OPTIONS", "get"] {
        let request = format!("{method} {right} HTTP/1.1\r\n\r\n");
        let page = waiting.send("127.0.0.1", request.as_bytes()).await;
        assert!(page.starts_with("HTTP/1.1 400"), "{method}: {page}");
    }
    let long = [b"GET /?x=".as_slice(), &vec![b'a'; 100_000]].concat();
    for garbage in [
        b"".as_slice(),
        b"\x16\x03\x01\x02\0\x01",
        b"\r\n\r\n",
        &long,
    ] {
        waiting.send("127.0.0.1", garbage).await;
    }
    assert_eq!(provider.count(), 0);
    waiting.visit(&waiting.target("code=mine")).await;
    waiting.end().await.unwrap();
    assert_eq!(provider.asked()[0].field("code"), "mine");
}

#[tokio::test]
async fn the_other_loopback_address_is_as_good() {
    if tokio::net::TcpListener::bind("[::1]:0").await.is_err() {
        return;
    }
    let provider = Provider::start(|_| (200, granted(1, 3600))).await;
    let waiting = waiting(&provider).await;
    let request = format!("GET {} HTTP/1.1\r\n\r\n", waiting.target("code=c"));
    let page = waiting.send("::1", request.as_bytes()).await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    waiting.end().await.unwrap();
}

#[tokio::test]
async fn the_providers_refusal_ends_it_in_its_own_words() {
    let provider = Provider::start(|_| (200, granted(1, 3600))).await;
    let waiting = waiting(&provider).await;
    let target = waiting.target(
        "error=access_denied&error_description=AADSTS65004%3A+the+user+%3Cb%3Edeclined%3C%2Fb%3E%0a",
    );
    let page = waiting.visit(&target).await;
    assert!(page.contains("You can close this"), "{page}");
    assert!(!page.contains("<b>"), "nobody else's words on our page");
    let error = waiting.end().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Declined(_)), "{error}");
    assert!(
        error.to_string().contains("AADSTS65004: the user"),
        "{error}"
    );
    assert_eq!(provider.count(), 0);
}

#[tokio::test]
async fn a_code_that_is_refused_is_no_revoked_sign_in() {
    let provider = Provider::start(|asked| {
        let words = format!("{} is not good", asked.field("code"));
        refusal("invalid_grant", &words)
    })
    .await;
    let waiting = waiting(&provider).await;
    waiting
        .visit(&waiting.target("code=very-secret-code"))
        .await;
    let error = waiting.end().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Refused(_)), "{error}");
    assert!(
        !format!("{error:?}").contains("very-secret-code"),
        "{error:?}"
    );
}

#[tokio::test]
async fn nobody_is_waited_for_for_ever() {
    let provider = Provider::start(|_| (200, granted(1, 3600))).await;
    let clock = clock();
    let settings = settings(&provider, Flow::Browser);
    let mut show = |_| {};
    let work = sign_in(&settings, &clock, &mut show);
    let error = crate::clock::Clock::system()
        .within(Duration::from_secs(20), work)
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::TimedOut);
}
