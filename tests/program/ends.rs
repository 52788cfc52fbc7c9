//! How a command ends when whoever it speaks to is gone, or it is told to end itself.

use std::process::Stdio;

use crate::at_dot::AtDot;
use crate::home::{Ended, Home};
use crate::server::{Server, signal};

/// A campaign of which there is more to tell than a pipe holds.
fn planned() -> Home {
    let home = Home::new();
    home.campaign("sandbox", 3_000, true);
    home.run(&["plan", "news"]).exits(0);
    home
}

const TELLING: [&[&str]; 9] = [
    &["report", "news"],
    &["report", "news", "--format", "csv"],
    &["report", "news", "--json"],
    &["status", "news"],
    &["status", "news", "--json"],
    &["show", "p1@contoso.com"],
    &["--help"],
    &["man"],
    &["completions", "bash"],
];

#[test]
fn a_reader_that_goes_away_has_failed_nobody() {
    let home = planned();
    for args in TELLING {
        let mut command = home.command(args);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let ended = Ended::of(&child.wait_with_output().unwrap());
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
        assert_eq!(ended.err, "", "{args:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_told_for_want_of_room_is_said() {
    let home = planned();
    for args in TELLING {
        let full = std::fs::File::options().write(true).open("/dev/full");
        let mut command = home.command(args);
        let ended = Ended::of(&command.stdout(full.unwrap()).output().unwrap()).exits(74);
        assert!(
            ended.err.contains("no room left"),
            "{args:?}: {}",
            ended.err
        );
    }
    // A send goes on all the same: its result is in the store.
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 10, true);
    home.run(&["plan", "news", "--discard", "--yes"]).exits(0);
    let full = std::fs::File::options().write(true).open("/dev/full");
    let mut command = home.command(&["send", "news", "--yes", "--json"]);
    Ended::of(&command.stdout(full.unwrap()).output().unwrap()).exits(74);
    assert_eq!(server.received().len(), 10);
    home.run(&["store", "check"]).exits(0);
    assert_eq!(home.status()["recipients"]["sent"], 10);
}

/// A send that waits for its limit.
fn waiting(home: &Home) -> Server {
    let server = Server::start(home, &[]);
    home.account(
        &server,
        "limits = [{ max = 3, per = \"1h\", unit = \"messages\" }]",
    );
    home.campaign("t", 10, true);
    server
}

#[test]
fn being_told_to_end_or_losing_the_terminal_is_like_ctrl_c() {
    for name in ["INT", "TERM", "HUP"] {
        let home = Home::new();
        let server = waiting(&home);
        let mut sending = home.sending(4);
        signal(&sending.child, name);
        assert_eq!(sending.child.wait().unwrap().code(), Some(130), "{name}");
        home.run(&["store", "check"]).exits(0);
        let status = home.status();
        assert_eq!(status["state"], "planned", "{name}");
        assert_eq!(status["recipients"]["in_doubt"], 0, "{name}");
        assert_eq!(server.received().len(), 3);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn whoever_says_nohup_means_it() {
    let home = Home::new();
    let server = waiting(&home);
    let like = home.command(&[]);
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", "trap '' HUP; exec \"$0\" send news --yes --json"])
        .arg(like.get_program())
        .current_dir(home.path(""))
        .env_clear()
        .envs(
            like.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    assert_eq!(lines.by_ref().take(4).count(), 4);
    signal(&child, "HUP");
    // It answers to Ctrl-C alone; had it heeded the other, it would have ended by itself.
    assert_eq!(home.status()["state"], "waiting");
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(server.received().len(), 3);
}

#[test]
fn the_second_signal_ends_at_once_and_leaves_one_in_doubt() {
    for second in ["TERM", "INT", "HUP"] {
        let home = Home::new();
        let (reached, told) = std::sync::mpsc::channel();
        let server = AtDot::start(move |_| {
            let _gone = reached.send(());
            // It keeps the verdict to itself.
            false
        });
        server.account(&home);
        home.campaign("t", 3, true);
        home.run(&["plan", "news"]).exits(0);
        let mut command = home.command(&["send", "news", "--yes"]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        told.recv().unwrap();
        signal(&child, "TERM");
        let mut lines =
            std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
        let finishing =
            lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("finishing")));
        assert!(finishing.is_some());
        signal(&child, second);
        assert_eq!(child.wait().unwrap().code(), Some(130));
        home.run(&["store", "check"]).exits(0);
        let status = home.status();
        assert_eq!(status["recipients"]["in_doubt"], 1, "{status}");
        assert_eq!(status["recipients"]["pending"], 2, "{status}");
    }
}
