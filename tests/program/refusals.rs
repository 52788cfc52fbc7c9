//! What a server refuses costs only what it refuses.

use postroom::clock::Clock;
use postroom::sandbox::{Options, RefuseAt, RefuseRule, Sandbox, TlsMode};

use crate::home::Home;
use crate::server::Server;

#[test]
fn a_refused_recipient_among_five_hundred_costs_only_itself_on_the_same_connection() {
    let home = Home::new();
    let server = Server::start(&home, &["--refuse", "p250@*"]);
    home.account(
        &server,
        "max_connections = 1\nmax_recipients_per_message = 500",
    );
    home.campaign("t", 1000, false);
    home.run(&["send", "news", "--yes"]).exits(1);
    let received = server.received();
    let sizes: Vec<usize> = received
        .iter()
        .map(|message| message.recipients.len())
        .collect();
    assert_eq!(sizes, [499, 500]);
    let refused: Vec<_> = home
        .outcomes()
        .into_iter()
        .filter(|(_, outcome)| outcome != "sent")
        .collect();
    assert_eq!(
        refused,
        [("p250@contoso.com".to_owned(), "refused".to_owned())]
    );
    let report = home.run(&["report", "news", "--format", "csv"]).out;
    assert!(
        report.contains("550 5.1.10"),
        "the server's own words are in the report"
    );
    assert_eq!(server.stop()["connections"], 1);
}

#[test]
fn a_refused_sign_in_blames_nobody() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 3, true);
    let accounts = home.path("config/postroom/accounts.toml");
    let text = std::fs::read_to_string(&accounts).unwrap();
    // A server without TLS on that port: nothing secret may go out.
    std::fs::write(&accounts, text.replace("ca_file", "# ca_file")).unwrap();
    let untrusted = home.run(&["send", "news", "--yes"]).exits(69);
    assert!(untrusted.err.contains("certificate"), "{}", untrusted.err);
    assert!(!untrusted.err.contains(crate::home::PASSWORD));
    let status = home.status();
    assert_eq!(status["state"], "stopped");
    assert_eq!(status["recipients"]["pending"], 3);
    assert!(
        status["stopped_because"]
            .as_str()
            .unwrap()
            .contains("certificate")
    );
    std::fs::write(&accounts, text).unwrap();
    home.run(&["send", "news", "--yes"]).exits(0);
    assert_eq!(server.copies().len(), 3);
}

#[test]
fn a_server_that_is_not_there_ends_with_69_and_loses_nothing() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 2, true);
    server.stop();
    home.run(&["send", "news", "--yes"]).exits(69);
    assert_eq!(home.status()["recipients"]["pending"], 2);
}

#[test]
fn a_server_that_takes_fewer_recipients_a_message_costs_no_time() {
    let home = Home::new();
    // The preset's stand-in takes 500; the account believes in 1,000.
    let server = Server::start(&home, &["--provider", "microsoft365", "--lenient"]);
    home.account(
        &server,
        "max_connections = 1\nmax_recipients_per_message = 1000\nretry = [\"1h\"]",
    );
    home.campaign("t", 1200, false);
    home.run(&["send", "news", "--yes", "--no-wait"]).exits(0);
    let sizes: Vec<usize> = server
        .received()
        .iter()
        .map(|message| message.recipients.len())
        .collect();
    assert_eq!(sizes.iter().sum::<usize>(), 1200, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= 500));
    assert!(server.copies().values().all(|count| *count == 1));
}

#[test]
fn an_account_that_is_throttled_uses_up_nobodys_attempts() {
    let home = Home::new();
    let server = Server::start(&home, &["--provider", "microsoft365"]);
    // A single attempt more than the first, and limits that the account does not know of.
    home.account(&server, "max_connections = 3\nretry = [\"1h\"]");
    home.campaign("t", 40, true);
    for _ in 0..4 {
        home.run(&["send", "news", "--yes", "--no-wait"]).exits(75);
    }
    let status = home.status();
    assert_eq!(status["recipients"]["sent"], 30);
    assert_eq!(
        status["recipients"]["refused"], 0,
        "nobody is refused for the account's limit: {status}"
    );
}

/// A block list whose words name nobody, and a copy that every message has: nobody of the list is to pay for it.
#[test]
fn a_copy_that_is_blocked_stops_the_account_before_many_are_refused_for_it() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let options = Options {
        tls: TlsMode::None,
        require_auth: false,
        refuse: vec![RefuseRule {
            pattern: "boss@*".to_owned(),
            reply: (550, "5.7.703 recipients blocked".to_owned()),
            at: RefuseAt::Content,
        }],
        ..Options::default()
    };
    let server = runtime
        .block_on(Sandbox::start(options, Clock::system()))
        .unwrap();
    let home = Home::new();
    let port = server.address().port();
    home.write(
        "config/postroom/accounts.toml",
        format!(
            "[t]\nprovider = \"microsoft365\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nlimits = []\nmax_connections = 1\n"
        ),
    );
    home.campaign("t", 30, true);
    let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    let toml = toml.replace("[recipients]", "cc = [\"boss@partner.test\"]\n[recipients]");
    home.write("news/campaign.toml", toml);
    let ended = home.run(&["send", "news", "--yes"]);
    assert_ne!(ended.code, 0, "{ended:?}");
    assert!(ended.err.contains("cc or bcc"), "{}", ended.err);
    let people = &home.status()["recipients"];
    assert_eq!(
        (&people["refused"], &people["pending"]),
        (&3.into(), &27.into())
    );
    runtime.block_on(server.stop());
}
