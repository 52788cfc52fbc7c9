//! `send --canary N`: the first N messages go, the others wait for a word.

use crate::home::Home;
use crate::server::Server;

#[test]
fn without_a_terminal_the_first_ones_go_and_a_plain_send_goes_on() {
    let home = Home::new();
    let server = Server::start(&home, &["--refuse", "p3@*"]);
    home.account(&server, "max_connections = 3");
    home.campaign("t", 30, true);
    let args = ["send", "news", "--yes", "--canary", "8"];
    let ended = home.run(&args).exits(75);
    for words in [
        "8 of 30 messages are out, to 8 of 30 recipients: 7 sent, 1 refused",
        "the other 22 messages wait for a word",
        "`postroom send --yes` goes on",
    ] {
        assert!(ended.err.contains(words), "{words}: {}", ended.err);
    }
    assert_eq!(server.received().len(), 7);
    let outcomes = home.outcomes();
    let left = outcomes.iter().filter(|(_, outcome)| outcome == "pending");
    assert_eq!(left.count(), 22);
    assert!(
        outcomes[8..]
            .iter()
            .all(|(_, outcome)| outcome == "pending")
    );

    // The number is the campaign's, not the run's; and --yes is no word to go on.
    home.run(&args).exits(75);
    assert_eq!(server.received().len(), 7);
    let json = home
        .run(&["send", "news", "--yes", "--canary", "10", "--json"])
        .exits(75);
    let event = json.out.lines().find(|line| line.contains("\"canary\""));
    let event: serde_json::Value = serde_json::from_str(event.unwrap()).unwrap();
    let said = (&event["out"], &event["left"], &event["recipients"]["sent"]);
    assert_eq!(said, (&10.into(), &20.into(), &9.into()));
    assert_eq!(json.json()["event"], "ended");
    assert_eq!(server.received().len(), 9);

    home.run(&["send", "news", "--yes"]).exits(1);
    assert_eq!(server.received().len(), 29);
    assert!(server.copies().values().all(|count| *count == 1));
}

#[test]
fn the_smaller_of_max_and_canary_wins_and_a_canary_for_all_asks_nothing() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 10, true);
    let send = |more: &[&str]| home.run(&[&["send", "news", "--yes", "--no-wait"], more].concat());
    send(&["--canary", "4", "--max", "2"]).exits(0);
    assert_eq!(server.received().len(), 2);
    send(&["--canary", "4", "--max", "5"]).exits(75);
    assert_eq!(server.received().len(), 4);
    send(&["--canary", "0"]).exits(2);
    let all = send(&["--canary", "10"]).exits(0);
    assert!(all.err.contains("holds none of them back"), "{}", all.err);
    assert_eq!(server.received().len(), 10);
    assert_eq!(home.status()["state"], "finished");
}

#[cfg(target_os = "linux")]
mod asked {
    use super::*;
    use crate::terminal::Terminal;

    fn send(home: &Home, more: &[&str]) -> Terminal {
        Terminal::start(home.command(&[&["send", "news", "--canary", "4"], more].concat()))
    }

    fn begun() -> (Home, Server) {
        let home = Home::new();
        let server = Server::start(&home, &[]);
        home.account(&server, "");
        home.campaign("t", 10, true);
        (home, server)
    }

    #[test]
    fn a_yes_goes_on_in_the_same_process() {
        let (home, server) = begun();
        let mut terminal = send(&home, &[]);
        let first = terminal.until("[y/N]");
        assert!(
            first.contains("after the first 4 messages you are asked again"),
            "{first}"
        );
        terminal.types("y");
        let second = terminal.until("[y/N]");
        assert!(second.contains("4 of 10 messages are out"), "{second}");
        assert!(
            second.contains("Go on with the other 6 messages?"),
            "{second}"
        );
        assert_eq!(server.received().len(), 4);
        // Whoever looks meanwhile finds it planned, and nobody sending.
        assert_eq!(home.status()["state"], "planned");
        terminal.types("y");
        let (code, shown) = terminal.end();
        assert_eq!(code, 0, "{shown}");
        assert_eq!(server.received().len(), 10);
        assert!(server.copies().values().all(|count| *count == 1));
    }

    #[test]
    fn a_no_leaves_the_others_where_they_are() {
        let (home, server) = begun();
        let mut terminal = send(&home, &["--yes", "--max", "7"]);
        terminal.until("[y/N]");
        terminal.types("");
        let (code, shown) = terminal.end();
        assert_eq!(code, 75, "{shown}");
        assert!(
            shown.contains("the other 6 messages wait for a word"),
            "{shown}"
        );
        // It asks at once now; what --max allows is counted over both halves of a run.
        let mut terminal = send(&home, &["--yes", "--max", "3"]);
        terminal.until("Go on with the other 6 messages? [y/N]");
        assert_eq!(server.received().len(), 4);
        terminal.types("yes");
        let (code, shown) = terminal.end();
        assert_eq!(code, 0, "{shown}");
        assert_eq!(server.received().len(), 7);
    }

    #[test]
    fn ctrl_c_at_the_question_ends_it() {
        let (home, server) = begun();
        let mut terminal = send(&home, &["--yes"]);
        terminal.until("[y/N]");
        terminal.interrupt();
        let (code, shown) = terminal.end();
        assert_eq!(code, 130, "{shown}");
        assert_eq!(server.received().len(), 4);
        assert_eq!(home.status()["state"], "planned");
        assert_eq!(home.status()["recipients"]["pending"], 6);
    }
}
