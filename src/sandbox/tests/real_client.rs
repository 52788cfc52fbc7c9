use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::SecretString;

use super::*;
use crate::sandbox::{Profile, RefuseAt, RefuseRule, SignIn};

type Transport = AsyncSmtpTransport<Tokio1Executor>;

fn transport(sandbox: &Sandbox, password: &str, mechanism: Mechanism) -> Transport {
    let certificate = Certificate::from_pem(sandbox.certificate_pem().as_bytes()).unwrap();
    let parameters = TlsParameters::builder("localhost".to_owned())
        .add_root_certificate(certificate)
        .build_rustls()
        .unwrap();
    Transport::builder_dangerous("127.0.0.1")
        .port(sandbox.address().port())
        .tls(Tls::Required(parameters))
        .credentials(Credentials::new(
            "jo@x.test".to_owned(),
            password.to_owned(),
        ))
        .authentication(vec![mechanism])
        .build()
}

fn envelope(recipients: &[&str]) -> Envelope {
    let recipients = recipients.iter().map(|to| to.parse().unwrap()).collect();
    Envelope::new(Some("jo@x.test".parse().unwrap()), recipients).unwrap()
}

fn server(profile: Profile) -> Options {
    let sign_in = SignIn {
        username: "jo@x.test".to_owned(),
        password: SecretString::from("secret"),
    };
    let refuse = RefuseRule {
        pattern: "gone@*".to_owned(),
        reply: (550, "5.1.1 No such user".to_owned()),
        at: RefuseAt::Recipient,
    };
    let refuse = vec![refuse];
    Options {
        sign_in: Some(sign_in),
        refuse,
        profile,
        keep_records: true,
        ..Options::default()
    }
}

#[tokio::test]
async fn lettre_sends_over_starttls_with_the_certificate_trusted() {
    let content = b"Message-ID: <9@x.test>\r\n\r\n.dots\r\n..more\r\n";
    for (profile, mechanism) in [
        (Profile::Generic, Mechanism::Plain),
        (Profile::Generic, Mechanism::Xoauth2),
        (Profile::Microsoft365, Mechanism::Login),
        (Profile::Microsoft365, Mechanism::Xoauth2),
    ] {
        let sandbox = start(server(profile)).await;
        let mailer = transport(&sandbox, "secret", mechanism);
        let envelope = envelope(&["a@x.test", "b@y.test"]);
        // lettre ends the last line itself, before the final dot.
        let unended = content.strip_suffix(b"\r\n").unwrap();
        let reply = mailer.send_raw(&envelope, unended).await.unwrap();
        assert!(
            reply
                .first_line()
                .unwrap()
                .starts_with("2.0.0 OK <9@x.test>")
        );
        let seen = sandbox.stop().await;
        assert_eq!(seen.records[0].digest, *blake3::hash(content).as_bytes());
        assert_eq!(seen.records[0].user, "jo@x.test");
    }
}

#[tokio::test]
async fn lettre_hears_refusals() {
    let sandbox = start(server(Profile::Microsoft365)).await;
    let mailer = transport(&sandbox, "wrong", Mechanism::Login);
    let refused = mailer
        .send_raw(&envelope(&["a@x.test"]), b"hi\r\n")
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("535"), "{refused}");
    let mailer = transport(&sandbox, "secret", Mechanism::Login);
    let refused = mailer
        .send_raw(&envelope(&["gone@x.test"]), b"hi\r\n")
        .await
        .unwrap_err();
    assert!(refused.is_permanent(), "{refused}");
    assert_eq!(sandbox.snapshot().refused_recipients, 1);
}
