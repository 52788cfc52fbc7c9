//! `kill -9` in every command that writes, at moments spread over its run: the store is sound, what it was to write is
//! whole or not there, and it can be run again.

#![expect(
    clippy::disallowed_methods,
    reason = "the program runs by the machine's clock, and it is killed by that"
)]

use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::home::Home;
use crate::server::Server;

/// So many moments of each command.
const MOMENTS: u32 = 8;

const PEOPLE: usize = 60;

/// A command, what comes before it, and how it may end when it is run again.
struct Writer {
    before: &'static [&'static [&'static str]],
    command: &'static [&'static str],
    again: &'static [i32],
    /// What it makes.
    makes: Option<&'static str>,
}

const PLAN: &[&str] = &["plan", "news"];
const SEND: &[&str] = &["send", "news", "--yes"];
const SOME: &[&str] = &["send", "news", "--yes", "--max", "30"];

fn writers() -> Vec<Writer> {
    let writer = |before, command, again| Writer {
        before,
        command,
        again,
        makes: None,
    };
    let maker = |before, command, makes| Writer {
        before,
        command,
        // It may have come to its end: then nothing is overwritten.
        again: &[0, 73],
        makes: Some(makes),
    };
    vec![
        writer(&[], PLAN, &[0]),
        writer(&[PLAN], &["plan", "news", "--discard", "--yes"], &[0, 66]),
        writer(&[PLAN], &["plan", "news", "--update", "--yes"], &[0]),
        writer(&[SOME], &["plan", "news", "--update", "--yes"], &[0]),
        writer(&[], SEND, &[1]),
        writer(&[SEND], &["retry", "news", "--yes"], &[0, 2, 66]),
        writer(&[SOME], &["cancel", "news", "--yes"], &[0, 2, 66]),
        writer(&[PLAN], &["suppress", "add", "p50@contoso.com"], &[0]),
        writer(&[PLAN], &["suppress", "import", "news/staff.csv"], &[0]),
        writer(&[SOME], &["forget", "p1@contoso.com", "--yes"], &[0, 66]),
        writer(
            &[SOME, &["store", "backup", "copy.db"], SOME],
            &["store", "restore", "copy.db", "--yes"],
            &[0],
        ),
        maker(&[SOME], &["store", "backup", "copy.db"], "copy.db"),
        maker(
            &[SOME],
            &["report", "news", "--out", "report.csv"],
            "report.csv",
        ),
        maker(
            &[SOME],
            &["report", "news", "--out", "report.html"],
            "report.html",
        ),
        maker(&[PLAN], &["preview", "news", "--out", "mails"], "mails"),
        maker(&[SOME], &["amend", "news", "again"], "again"),
        maker(&[], &["new", "first"], "first"),
    ]
}

/// A home as it is before the command is run.
fn prepared(writer: &Writer) -> (Home, Server) {
    let home = Home::new();
    let server = Server::start(&home, &["--refuse", "p2@*"]);
    home.account(&server, "");
    home.campaign("t", PEOPLE, true);
    for command in writer.before {
        let ended = home.run(command);
        assert!([0, 1].contains(&ended.code), "{command:?}: {ended:?}");
    }
    if writer.command.contains(&"--update") {
        home.write("news/news.txt.hbs", "Dear {{first_name}}, other news.\n");
    }
    (home, server)
}

/// Whether what was made is whole, by what stands in it last.
fn is_whole(home: &Home, path: &Path) -> bool {
    if path.is_dir() {
        return path.join("campaign.toml").exists() || path.join("index.html").exists();
    }
    match path.extension().unwrap().to_str().unwrap() {
        "csv" => std::fs::read_to_string(path).unwrap().lines().count() == PEOPLE + 1,
        "html" => std::fs::read_to_string(path)
            .unwrap()
            .trim_end()
            .ends_with("</html>"),
        _ => {
            let file = path.to_str().unwrap();
            home.run(&["store", "check", "--store", file]).code == 0
        }
    }
}

fn kill_at(writer: &Writer, after: Duration) {
    let (home, server) = prepared(writer);
    let mut child = home
        .command(writer.command)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // No waiting for anything: the moment is what is tried.
    std::thread::sleep(after);
    let _ = child.kill();
    child.wait().unwrap();
    let command = writer.command;
    let is_restored = command.contains(&"restore");
    if let Some(makes) = writer.makes {
        let path = home.path(makes);
        assert!(
            !path.exists() || is_whole(&home, &path),
            "{command:?} after {after:?}"
        );
    }
    if home.path("state/postroom/postroom.db").exists() {
        let checked = home.run(&["store", "check"]);
        let expected: &[i32] = if is_restored { &[0, 74] } else { &[0] };
        assert!(
            expected.contains(&checked.code),
            "{command:?} after {after:?}: {checked:?}"
        );
    }
    let again = home.run(command);
    assert!(
        writer.again.contains(&again.code),
        "{command:?} after {after:?}: {again:?}"
    );
    if let Some(makes) = writer.makes {
        assert!(
            is_whole(&home, &home.path(makes)),
            "{command:?} after {after:?}"
        );
    }
    if is_restored {
        home.run(SEND).exits(75);
    } else {
        home.run(&["store", "check"]);
        home.run(SEND);
        home.run(&["store", "check"]).exits(0);
    }
    assert!(
        server.copies().values().all(|count| *count == 1),
        "{command:?} after {after:?}"
    );
}

fn sweep(writer: &Writer) {
    let (home, _server) = prepared(writer);
    let begun = Instant::now();
    let ended = home.run(writer.command);
    let whole = begun.elapsed();
    assert!(
        [0, 1].contains(&ended.code),
        "{:?}: {ended:?}",
        writer.command
    );
    for moment in 0..MOMENTS {
        kill_at(writer, whole * moment / MOMENTS);
    }
}

#[test]
fn every_command_that_writes_can_be_killed_and_run_again() {
    let queue = Mutex::new(writers().into_iter());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(writer) = next(&queue) {
                    sweep(&writer);
                }
            });
        }
    });
}

/// The lock is held no longer than this takes.
fn next(queue: &Mutex<std::vec::IntoIter<Writer>>) -> Option<Writer> {
    queue.lock().unwrap().next()
}
