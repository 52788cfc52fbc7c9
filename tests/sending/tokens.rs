//! Access tokens that end, are refused, renewed and revoked while a campaign is sent.

use std::time::Duration;

use postroom::clock::Clock;
use postroom::delivery::Class;
use postroom::oauth::Tokens;
use postroom::sandbox::{self, Act, Phase, Profile, Sandbox, When};
use postroom::send::{self, Ended, Event, SignIn, Stop, Trouble};

use crate::authority::{Authority, Mood};
use crate::campaign::*;

const HOUR: Duration = Duration::from_hours(1);

/// A campaign, the authority that its account gets tokens from, and a server that takes these alone.
struct Stage {
    campaign: Campaign,
    clock: Clock,
    authority: Authority,
    known: sandbox::Tokens,
    server: sandbox::Options,
}

impl Stage {
    async fn new(campaign: Campaign) -> Self {
        let clock = Clock::simulated(start());
        let known = sandbox::Tokens::default();
        let mut options = server(vec![]);
        options.require_auth = true;
        options.tokens = Some(known.clone());
        options.profile = Profile::Microsoft365;
        Self {
            authority: Authority::start(&clock, &known, HOUR).await,
            campaign,
            clock,
            known,
            server: options,
        }
    }

    async fn people(count: usize) -> Self {
        Self::new(Campaign::new(count, true)).await
    }

    fn as_application(&self) -> Tokens {
        self.authority
            .as_application(self.campaign.folder.path(), &self.clock)
    }

    /// Sends; `on_event` may change the world meanwhile.
    async fn send(&self, tokens: Tokens, mut on_event: impl FnMut(&Event)) -> Sent {
        let server = Sandbox::start(self.server.clone(), self.clock.clone())
            .await
            .unwrap();
        let mut account = self.campaign.account(0, &server, &[]);
        account.sign_in = SignIn::OAuth2 {
            username: "comms@contoso.com".to_owned(),
            tokens,
        };
        let (job, options) = self.campaign.sender(vec![account], &self.clock);
        let (stop, _handle) = Stop::new();
        let mut events = Vec::new();
        let mut report = |event: Event| {
            on_event(&event);
            events.push(event);
        };
        let ended = send::run(job, options, &self.clock, stop, &mut report).await;
        let took = self.clock.now().duration_since(start()).as_secs();
        let seen = server.stop().await;
        Sent {
            ended: ended.unwrap(),
            events,
            took,
            all: vec![seen.clone()],
            seen,
        }
    }

    fn everybody_has_it(&self, sent: &Sent, count: u64) {
        assert!(matches!(sent.ended, Ended::Finished), "{:?}", sent.ended);
        assert_eq!(self.campaign.counts().sent, count);
        assert_eq!((sent.seen.messages, sent.seen.recipients), (count, count));
    }

    /// The account has stopped because of its sign-in, and nobody is blamed.
    fn is_stopped(&self, sent: &Sent, pending: u64) -> Trouble {
        let Ended::Stopped(trouble) = &sent.ended else {
            panic!("{:?}", sent.ended);
        };
        assert_eq!(trouble.class, Class::SignIn, "{trouble:?}");
        let counts = self.campaign.counts();
        assert_eq!((counts.refused, counts.in_doubt), (0, 0), "{counts:?}");
        assert_eq!(counts.pending + counts.deferred, pending, "{counts:?}");
        let shown = format!("{:?} {:?}", sent.events, trouble);
        assert!(!shown.contains("access-token-number"), "{shown}");
        (**trouble).clone()
    }
}

fn login(trouble: &Trouble) -> bool {
    trouble.remedy.contains("`postroom login comms-0`")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_goes_out_over_days_by_tokens_that_hold_an_hour() {
    let rule = per_day(10);
    let campaign = Campaign::planned(
        35,
        true,
        &[vec![rule]],
        postroom::limits::Schedule::default(),
    );
    let mut stage = Stage::new(campaign).await;
    stage.server.rules = vec![rule];
    let tokens = stage
        .authority
        .as_person(stage.campaign.folder.path(), &stage.clock)
        .await;
    // The rules are the account's too.
    let server = Sandbox::start(stage.server.clone(), stage.clock.clone())
        .await
        .unwrap();
    let mut account = stage.campaign.account(0, &server, &[rule]);
    account.sign_in = SignIn::OAuth2 {
        username: "comms@contoso.com".to_owned(),
        tokens,
    };
    let (job, options) = stage.campaign.sender(vec![account], &stage.clock);
    let (stop, _handle) = Stop::new();
    let ended = send::run(job, options, &stage.clock, stop, &mut |_| {}).await;
    assert!(matches!(ended.unwrap(), Ended::Finished));
    let seen = server.stop().await;
    assert_eq!((seen.messages, seen.breaches.len()), (35, 0));
    assert_eq!(stage.campaign.counts().sent, 35);
    // One at the sign-in, one for each further day: renewed before it was refused.
    assert_eq!(stage.authority.requests(), 4);
    assert_eq!(seen.refused_messages, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_server_no_longer_takes_is_renewed_once() {
    for mid_session in [false, true] {
        let mut stage = Stage::people(6).await;
        stage.server.faults.list = if mid_session {
            let words = says(535, "5.7.143 Expired token");
            vec![fault(Phase::Mail, When::Nth(3), words)]
        } else {
            // The line breaks when the first token has been taken back.
            vec![fault(Phase::Mail, When::Nth(3), Act::Drop)]
        };
        let known = stage.known.clone();
        let mut taken = 0;
        let on_event = |event: &Event| {
            taken += u32::from(matches!(event, Event::Sent { .. }));
            if taken == 2 && !mid_session {
                known.revoke(&"access-token-number-1".to_owned().into());
            }
        };
        let sent = stage.send(stage.as_application(), on_event).await;
        stage.everybody_has_it(&sent, 6);
        assert_eq!(stage.authority.requests(), 2, "mid-session: {mid_session}");
        assert!(sent.took < 5, "nobody waits for it: {}", sent.took);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_token_that_has_served_may_be_renewed_in_its_turn() {
    let mut stage = Stage::people(8).await;
    // The line breaks twice, each time after the token that had opened it was taken back.
    stage.server.faults.list = [3, 6]
        .map(|nth| fault(Phase::Mail, When::Nth(nth), Act::Drop))
        .to_vec();
    let known = stage.known.clone();
    let mut taken = 0;
    let on_event = |event: &Event| {
        taken += u32::from(matches!(event, Event::Sent { .. }));
        match taken {
            2 => known.revoke(&"access-token-number-1".to_owned().into()),
            4 => known.revoke(&"access-token-number-2".to_owned().into()),
            _ => {}
        }
    };
    let sent = stage.send(stage.as_application(), on_event).await;
    stage.everybody_has_it(&sent, 8);
    assert_eq!(stage.authority.requests(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn googles_way_to_refuse_a_token_is_no_different() {
    let mut stage = Stage::people(3).await;
    stage.server.profile = Profile::Generic;
    let known = stage.known.clone();
    // The first token is refused from the start.
    let tokens = stage.as_application();
    tokens.access_token().await.unwrap();
    known.revoke_all();
    let sent = stage.send(tokens, |_| {}).await;
    stage.everybody_has_it(&sent, 3);
    assert_eq!((stage.authority.requests(), sent.seen.connections), (2, 2));

    let stage = Stage {
        campaign: Campaign::new(3, true),
        ..stage
    };
    stage.authority.set(Mood::Useless);
    known.revoke_all();
    let sent = stage.send(stage.as_application(), |_| {}).await;
    let trouble = stage.is_stopped(&sent, 3);
    assert!(trouble.reply.contains("status 401"), "{trouble:?}");

    // As Dovecot says it, of which only the general table knows something.
    let mut stage = Stage::people(2).await;
    let words = says(
        535,
        "5.7.8 Error: authentication failed: (reason unavailable)",
    );
    stage.server.faults.list = vec![fault(Phase::Auth, When::Every(1), words)];
    let sent = stage.send(stage.as_application(), |_| {}).await;
    assert!(login(&stage.is_stopped(&sent, 2)));
    assert_eq!(sent.seen.connections, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_after_it_was_renewed_ends_it() {
    for connections in [1, 3] {
        let mut stage = Stage::people(9).await;
        stage.campaign.connections = connections;
        stage.authority.set(Mood::Useless);
        let sent = stage.send(stage.as_application(), |_| {}).await;
        let trouble = stage.is_stopped(&sent, 9);
        assert!(trouble.reply.contains("535 5.7.3"), "{trouble:?}");
        assert!(login(&trouble), "{trouble:?}");
        assert_eq!(stage.authority.requests(), 2, "one, and one more");
        assert_eq!(sent.seen.connections, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_every_token_in_mid_session_is_not_asked_for_ever() {
    let mut stage = Stage::people(5).await;
    let words = says(535, "5.7.143 Expired token");
    // The second message, and whatever comes after it.
    stage.server.faults.list = vec![fault(Phase::Mail, When::Between(2, 1_000), words)];
    let sent = stage.send(stage.as_application(), |_| {}).await;
    let trouble = stage.is_stopped(&sent, 4);
    assert!(login(&trouble), "{trouble:?}");
    assert_eq!((stage.authority.requests(), sent.seen.connections), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_connections_together_renew_a_token_once() {
    let mut stage = Stage::people(60).await;
    stage.campaign.connections = 3;
    stage.server.faults.list = vec![fault(Phase::Mail, When::Between(20, 22), Act::Drop)];
    let known = stage.known.clone();
    let mut taken = 0;
    let sent = stage
        .send(stage.as_application(), |event| {
            taken += u32::from(matches!(event, Event::Sent { .. }));
            if taken == 10 {
                known.revoke(&"access-token-number-1".to_owned().into());
            }
        })
        .await;
    stage.everybody_has_it(&sent, 60);
    assert_eq!(stage.authority.requests(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_is_over_ends_it_with_what_to_do() {
    let mut stage = Stage::people(4).await;
    let folder = stage.campaign.folder.path().to_owned();
    let tokens = stage.authority.as_person(&folder, &stage.clock).await;
    stage.known.revoke_all();
    stage.authority.set(Mood::Revoked);
    let sent = stage.send(tokens, |_| {}).await;
    let trouble = stage.is_stopped(&sent, 4);
    assert!(trouble.reply.contains("AADSTS50173"), "{trouble:?}");
    assert!(login(&trouble), "{trouble:?}");
    assert_eq!(stage.authority.requests(), 2, "the sign-in and one more");

    // The next run is told the same, without another request; whoever signs in again goes on.
    let tokens = stage.authority.as_nobody(&folder, &stage.clock);
    let sent = stage.send(tokens, |_| {}).await;
    assert!(login(&stage.is_stopped(&sent, 4)));
    assert_eq!((stage.authority.requests(), sent.seen.connections), (2, 0));
    stage.authority.set(Mood::Good);
    let tokens = stage.authority.as_person(&folder, &stage.clock).await;
    let sent = stage.send(tokens, |_| {}).await;
    stage.everybody_has_it(&sent, 4);

    stage.campaign = Campaign::new(2, true);
    let nobody = stage
        .authority
        .as_nobody(stage.campaign.folder.path(), &stage.clock);
    let sent = stage.send(nobody, |_| {}).await;
    assert!(login(&stage.is_stopped(&sent, 2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_is_out_of_order_is_waited_for() {
    let stage = Stage::people(3).await;
    let tokens = stage.as_application();
    stage.authority.set(Mood::Down(1));
    let sent = stage.send(tokens, |_| {}).await;
    stage.everybody_has_it(&sent, 3);
    let waits = sent
        .events
        .iter()
        .filter(|event| matches!(event, Event::Reconnecting { .. }));
    assert_eq!(waits.count(), 1);

    let stage = Stage::people(3).await;
    stage.authority.set(Mood::Down(1_000));
    let sent = stage.send(stage.as_application(), |_| {}).await;
    let Ended::Stopped(trouble) = sent.ended else {
        panic!("{:?}", sent.ended);
    };
    assert!(
        trouble.unreachable && trouble.class == Class::Server,
        "{trouble:?}"
    );
    assert_eq!(stage.campaign.counts().pending, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passing_fault_at_the_sign_in_is_no_bad_token() {
    let mut stage = Stage::people(3).await;
    let words = says(
        451,
        "4.7.0 Temporary server error. Please try again later. PRX5",
    );
    stage.server.faults.list = vec![fault(Phase::Auth, When::Nth(1), words)];
    let sent = stage.send(stage.as_application(), |_| {}).await;
    stage.everybody_has_it(&sent, 3);
    assert_eq!(stage.authority.requests(), 1);
    assert!(
        (30..600).contains(&sent.took),
        "after a pause: {}",
        sent.took
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_xoauth2_gets_no_token() {
    let mut stage = Stage::people(2).await;
    stage.server.mechanisms = Some(vec!["LOGIN".to_owned(), "PLAIN".to_owned()]);
    let sent = stage.send(stage.as_application(), |_| {}).await;
    let trouble = stage.is_stopped(&sent, 2);
    assert!(trouble.reply.contains("XOAUTH2"), "{trouble:?}");
    assert!(
        trouble.remedy.contains("auth = \"password\""),
        "{trouble:?}"
    );
}
