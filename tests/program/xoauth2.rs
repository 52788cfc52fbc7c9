//! Tokens of a real identity provider at Postfix with Dovecot's sign-in, which asks that provider about them.
//!
//! Needs what `.ci/identity-provider/run` has started, and `.ci/mail-server` after it; without them these tests
//! say that they did nothing.

use serde_json::Value;

use crate::home::{Ended, Home};
use crate::identity::{APP_SECRET, Identity};
use crate::postfix::{Postfix, campaign, people, postfix};

/// Both servers, and a home.
struct Place {
    server: Postfix,
    identity: Identity,
    home: Home,
}

impl Place {
    fn there() -> Option<Self> {
        let (server, identity) = (postfix()?, Identity::there()?);
        assert!(
            std::env::var_os("POSTROOM_TEST_POSTFIX_XOAUTH2").is_some(),
            "start the mail servers after the identity provider"
        );
        let home = Home::new();
        Some(Self {
            server,
            identity,
            home,
        })
    }

    /// An account `t` that signs in as this mailbox by this client and flow.
    fn account(&self, mailbox: &str, client: &str, flow: &str) {
        let (host, port) = self.server.submission.rsplit_once(':').unwrap();
        let server = format!(
            "host = \"{host}\"\nport = {port}\nlimits = []\nfrom = \"newsdesk@example.test\"\n{}",
            self.server.trusted()
        );
        let text = self.identity.account(&server, mailbox, client, flow);
        self.home.write("config/postroom/accounts.toml", text);
    }

    fn run(&self, args: &[&str]) -> Ended {
        let mut command = self.home.command(args);
        command.env(APP_SECRET, self.identity.app_secret());
        Ended::of(&command.output().unwrap())
    }

    fn pending(&self) -> Value {
        self.home.status()["recipients"]["pending"].clone()
    }
}

/// Signs in, looks with `doctor`, and sends.
fn mail_is_accepted(prefix: &str, client: &str, flow: &str) {
    let Some(place) = Place::there() else { return };
    let is_person = flow != "client-credentials";
    let mailbox = if is_person {
        format!("{prefix}sender@example.test")
    } else {
        place.identity.app_mailbox().to_owned()
    };
    place.account(&mailbox, client, flow);
    campaign(&place.home, &people(prefix, 5), "Dear {{first_name}}");
    if is_person {
        place.identity.sign_in(&place.home, &mailbox).ended.exits(0);
    }
    let found = place.run(&["doctor", "t", "--json"]).exits(0).json();
    let stages = found["stages"].as_array().unwrap();
    assert!(
        stages.iter().all(|stage| stage["state"] == "passed"),
        "{stages:?}"
    );
    place.run(&["send", "news", "--yes"]).exits(0);
    let mut reached: Vec<String> = place
        .server
        .delivered(prefix, 5)
        .into_iter()
        .map(|mail| mail.recipient)
        .collect();
    reached.sort();
    assert_eq!(reached, people(prefix, 5), "everybody once");
    let signed_in = format!("sasl_method=XOAUTH2, sasl_username={mailbox}");
    assert!(place.server.log().contains(&signed_in), "{signed_in}");
}

#[test]
fn mail_is_accepted_after_a_code_on_another_device() {
    mail_is_accepted("device.", "postroom", "device-code");
}

#[test]
fn mail_is_accepted_after_a_sign_in_in_the_browser() {
    mail_is_accepted("browser.", "postroom", "browser");
}

#[test]
fn mail_is_accepted_from_an_application() {
    mail_is_accepted("app.", "postroom-app", "client-credentials");
}

#[test]
fn a_campaign_goes_on_after_its_token_has_expired_and_ends_when_it_is_revoked() {
    let Some(place) = Place::there() else { return };
    let mailbox = "short.sender@example.test";
    place.account(mailbox, "postroom-short", "browser");
    campaign(&place.home, &people("short.", 6), "Dear {{first_name}}");
    place.identity.sign_in(&place.home, mailbox).ended.exits(0);
    for _ in 0..2 {
        place.run(&["send", "news", "--yes", "--max", "2"]).exits(0);
        place.identity.let_expire(&place.home);
    }
    place.identity.revoke(mailbox);
    let ended = place.run(&["send", "news", "--yes"]).exits(77);
    assert!(ended.err.contains("`postroom login t`"), "{}", ended.err);
    assert_eq!(place.pending(), 2, "nobody is blamed");
    place.identity.sign_in(&place.home, mailbox).ended.exits(0);
    place.run(&["send", "news", "--yes"]).exits(0);
    assert_eq!(place.server.delivered("short.", 6).len(), 6);
}

#[test]
fn a_token_for_another_mailbox_blames_nobody() {
    let Some(place) = Place::there() else { return };
    place.account(
        "somebody@example.test",
        "postroom-app",
        "client-credentials",
    );
    campaign(&place.home, &people("wrongtoken.", 3), "hello");
    let refused = place.run(&["send", "news", "--yes"]).exits(77);
    assert!(
        refused.err.contains("status 401"),
        "Dovecot's reason: {}",
        refused.err
    );
    assert!(refused.err.contains("postroom login t"), "{}", refused.err);
    assert_eq!(
        (&place.home.status()["state"], place.pending()),
        (&"stopped".into(), 3.into())
    );
}
