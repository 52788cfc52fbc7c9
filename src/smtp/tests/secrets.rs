//! No secret goes where it should not: not over an open line, not to a stranger, not into an error.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::{AlertDescription, Error as RustlsError, PeerIncompatible};

use super::super::*;
use super::server::*;
use crate::clock::Clock;
use crate::delivery::Phase;

async fn connect(endpoint: &Endpoint) -> SessionError {
    let clock = Clock::system();
    Session::connect(
        &clock,
        endpoint,
        Some(&credentials()),
        &Deadlines::default(),
    )
    .await
    .unwrap_err()
}

#[tokio::test]
async fn nothing_is_sent_in_the_clear_to_another_machine() {
    // An address for documentation (RFC 5737): a connection to it would only time out.
    let mut far = plain(25);
    far.host = "192.0.2.1".into();
    let error = connect(&far).await;
    assert_eq!(
        (error.phase, error.kind),
        (Phase::Connect, SessionErrorKind::PlainRefused)
    );
}

#[tokio::test]
async fn without_starttls_no_secret_is_sent() {
    let (port, server) = serve_once(|mut peer| async move {
        peer.hello(&["AUTH PLAIN"]).await;
        peer.serve(agreeable).await;
        peer
    })
    .await;
    let error = connect(&endpoint(port, Tls::StartTls)).await;
    assert_eq!(
        (error.phase, error.kind),
        (Phase::Tls, SessionErrorKind::NoStartTls)
    );
    assert_eq!(server.await.unwrap().lines, ["EHLO here.example"]);
}

#[tokio::test]
async fn bytes_put_in_after_starttls_are_an_attack() {
    let (port, _server) = serve_once(|mut peer| async move {
        peer.hello(&["STARTTLS"]).await;
        peer.line().await;
        peer.say("220 go\r\n250 injected\r\n").await;
        peer.serve(agreeable).await;
        peer
    })
    .await;
    let error = connect(&endpoint(port, Tls::StartTls)).await;
    assert_eq!(
        (error.phase, error.kind),
        (Phase::Tls, SessionErrorKind::Injection)
    );
}

/// How a session ends with a server that shows this certificate, and what the server heard in TLS.
async fn with_certificate(tls: Certified, roots: Vec<Vec<u8>>) -> (SessionError, bool) {
    let acceptor = tls.acceptor;
    let (port, server) = serve_once(|mut peer| async move {
        peer.hello(&["STARTTLS"]).await;
        peer.line().await;
        peer.say("220 go\r\n").await;
        let shaken = acceptor.accept(&mut peer.stream).await;
        peer.lines = match shaken {
            Ok(inside) => vec![format!("{:?}", Peer::new(inside).line().await)],
            Err(_) => Vec::new(),
        };
        peer
    })
    .await;
    let endpoint = Endpoint {
        extra_roots: roots,
        ..endpoint(port, Tls::StartTls)
    };
    let error = connect(&endpoint).await;
    let heard = server.await.unwrap().lines;
    let nothing = heard.is_empty() || heard == ["None"];
    (error, nothing)
}

#[tokio::test]
async fn a_wrong_certificate_is_refused_before_any_secret_and_the_reason_is_told() {
    let stranger = certified("elsewhere.example", 4000).root;
    let namesake = certified("localhost", 4000).root;
    for root in [stranger, namesake] {
        let tls = certified("localhost", 4000);
        let (error, nothing) = with_certificate(tls, vec![root]).await;
        assert_eq!(error.kind, TlsProblem::UntrustedIssuer.into());
        assert!(nothing);
    }

    let tls = certified("localhost", 2001);
    let root = tls.root.clone();
    let (error, nothing) = with_certificate(tls, vec![root]).await;
    assert_eq!(error.kind, TlsProblem::Expired.into());
    assert!(nothing);

    let tls = certified("mail.example", 4000);
    let root = tls.root.clone();
    let (error, nothing) = with_certificate(tls, vec![root]).await;
    let expected = TlsProblem::WrongName {
        expected: "localhost".into(),
        presented: vec!["mail.example".into()],
    };
    assert_eq!((error.phase, error.kind), (Phase::Tls, expected.into()));
    assert!(nothing);

    let (error, nothing) = with_certificate(certified("localhost", 4000), Vec::new()).await;
    assert!(
        matches!(error.kind, SessionErrorKind::Tls(TlsProblem::NoRoots(_))),
        "{error}"
    );
    assert!(nothing);
}

#[tokio::test]
async fn a_server_without_tls_or_with_an_old_one_is_told_apart() {
    let (port, _server) = serve_once(|mut peer| async move {
        peer.say("220 there, in the clear\r\n").await;
        peer.serve(agreeable).await;
        peer
    })
    .await;
    let mut implicit = endpoint(port, Tls::Implicit);
    implicit.extra_roots = vec![certified("localhost", 4000).root];
    assert_eq!(connect(&implicit).await.kind, TlsProblem::NotTls.into());

    for old in [
        RustlsError::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
        RustlsError::AlertReceived(AlertDescription::ProtocolVersion),
    ] {
        assert_eq!(TlsProblem::of(&old, "x"), TlsProblem::TooOld);
    }
}

/// A record of the handshake protocol (22) with a `ServerHello` (2): this version, 32 bytes of chance, no
/// session, `TLS_RSA_WITH_AES_128_CBC_SHA`, no compression (RFC 4346 7.4.1.3).
fn server_hello(minor: u8) -> Vec<u8> {
    let mut hello = vec![3, minor];
    hello.extend([0x5a; 32]);
    hello.extend([0, 0x00, 0x2f, 0]);
    let mut record = vec![
        22,
        3,
        minor,
        0,
        hello.len() as u8 + 4,
        2,
        0,
        0,
        hello.len() as u8,
    ];
    record.extend(hello);
    record
}

/// What is left of a server as old as this: no library here can play one, so its bytes are its own.
#[tokio::test]
async fn a_server_with_tls_1_0_or_1_1_alone_gets_nothing() {
    let (tls_1_0, tls_1_1) = (1, 2);
    for (minor, answer) in [
        // It takes the client's highest version for an offer to go down to its own.
        (tls_1_0, server_hello(1)),
        (tls_1_1, server_hello(2)),
        // Or it sees that nothing fits: a fatal alert (21, 2), protocol_version (70) or handshake_failure (40).
        (tls_1_0, vec![21, 3, 1, 0, 2, 2, 70]),
        (tls_1_1, vec![21, 3, 2, 0, 2, 2, 40]),
    ] {
        for mode in [Tls::Implicit, Tls::StartTls] {
            let bytes = answer.clone();
            let (port, server) = serve_once(move |mut peer| async move {
                if mode == Tls::StartTls {
                    peer.hello(&["STARTTLS", "AUTH PLAIN"]).await;
                    peer.line().await;
                    peer.say("220 go\r\n").await;
                }
                let mut hello = [0; 5];
                peer.stream.read_exact(&mut hello).await.unwrap();
                let length = usize::from(hello[3]) << 8 | usize::from(hello[4]);
                peer.stream.read_exact(&mut vec![0; length]).await.unwrap();
                peer.stream.write_all(&bytes).await.unwrap();
                let mut rest = Vec::new();
                let _ = peer.stream.read_to_end(&mut rest).await;
                peer.raw = rest;
                peer
            })
            .await;
            let mut endpoint = endpoint(port, mode);
            endpoint.extra_roots = vec![certified("localhost", 4000).root];
            let error = connect(&endpoint).await;
            let case = format!("{mode:?} 3.{minor} {answer:?}: {error}");
            assert_eq!(error.kind, TlsProblem::TooOld.into(), "{case}");
            assert_eq!(error.phase, Phase::Tls);
            // Nothing but the client's own alert.
            let rest = server.await.unwrap().raw;
            assert!(
                rest.is_empty() || (rest[0] == 21 && rest.len() < 10),
                "{case} {rest:?}"
            );
        }
    }
}

#[tokio::test]
async fn bytes_put_in_late_after_starttls_are_refused_too() {
    let (port, server) = serve_once(|mut peer| async move {
        peer.hello(&["STARTTLS"]).await;
        peer.line().await;
        peer.say("220 go\r\n").await;
        // Once the handshake has begun: the client waits for a record of TLS and gets words.
        let mut hello = [0; 5];
        peer.stream.read_exact(&mut hello).await.unwrap();
        peer.say("250-there.example\r\n250 AUTH PLAIN\r\n").await;
        let mut rest = Vec::new();
        let _ = peer.stream.read_to_end(&mut rest).await;
        peer.raw = rest;
        peer
    })
    .await;
    let mut endpoint = endpoint(port, Tls::StartTls);
    endpoint.extra_roots = vec![certified("localhost", 4000).root];
    assert_eq!(connect(&endpoint).await.kind, TlsProblem::NotTls.into());
    let raw = server.await.unwrap().raw;
    let heard = String::from_utf8_lossy(&raw);
    assert!(!heard.contains("AUTH"), "{heard}");
}

#[tokio::test]
async fn no_secret_is_in_an_error_when_what_quotes_it_is_no_reply() {
    let cut_off = format!("501 cannot read {PASSWORD}");
    let garbage = format!("<p>cannot read {PASSWORD}</p>\r\n");
    let endless = format!("501-cannot read {PASSWORD}\r\n").repeat(600);
    for said in [cut_off, garbage, endless] {
        let (port, _server) = serve_once(move |mut peer| async move {
            peer.hello(&["AUTH PLAIN"]).await;
            peer.line().await;
            // The client does not read all of it.
            let _ = peer.stream.write_all(said.as_bytes()).await;
            let _ = peer.stream.shutdown().await;
            peer
        })
        .await;
        let error = connect(&plain(port)).await;
        assert_eq!((error.phase, error.reply()), (Phase::SignIn, None));
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("cannot read"), "{shown}");
        assert!(!shown.contains(PASSWORD), "{shown}");
    }
}

#[tokio::test]
async fn no_secret_is_in_an_error_even_when_the_server_quotes_it() {
    for mechanism in ["AUTH PLAIN", "AUTH LOGIN"] {
        let (port, _server) = serve_once(move |mut peer| async move {
            peer.hello(&[mechanism]).await;
            let mut asked = 0;
            peer.serve(|line| {
                asked += 1;
                if mechanism == "AUTH LOGIN" && asked < 3 {
                    return "334 VXNlcm5hbWU6".into();
                }
                format!("501 5.5.2 cannot read {line:?} ({PASSWORD})")
            })
            .await;
            peer
        })
        .await;
        let error = connect(&plain(port)).await;
        assert_eq!(error.phase, Phase::SignIn);
        assert_eq!(error.reply().map(|r| r.code), Some(501));
        let shown = format!("{error} {error:?} {:?}", credentials());
        assert!(shown.contains("cannot read"), "{shown}");
        for secret in [
            PASSWORD,
            "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5",
            "AHRpbQBjb3JyZWN0IGhvcnNlIGJhdHRlcnk",
        ] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[tokio::test]
async fn without_a_usable_mechanism_nothing_is_tried() {
    let (port, server) = serve_once(|mut peer| async move {
        peer.hello(&["AUTH XOAUTH2 GSSAPI"]).await;
        peer.serve(agreeable).await;
        peer
    })
    .await;
    let error = connect(&plain(port)).await;
    assert!(error.to_string().contains("XOAUTH2, GSSAPI"), "{error}");
    assert_eq!(server.await.unwrap().lines, ["EHLO here.example"]);
}

#[test]
fn a_root_file_without_a_certificate_is_refused() {
    assert!(matches!(
        roots_from_pem(b"hello"),
        Err(TlsProblem::BadRoot(_))
    ));
    let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(matches!(
        roots_from_pem(broken),
        Err(TlsProblem::BadRoot(_))
    ));
}
