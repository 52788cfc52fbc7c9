//! Who can read what the program writes, what it writes to, and what is left of secrets.

#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::home::{Ended, Home, PASSWORD};
use crate::server::Server;

/// Everything below a folder, links and folders too.
fn below(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path.clone());
            }
            found.insert(path);
        }
    }
    found
}

/// The program after these words of a shell.
fn shelled(home: &Home, before: &str, args: &[&str]) -> Command {
    let whole = home.command(args);
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{before}; exec \"$@\""), "sh"])
        .arg(whole.get_program())
        .args(whole.get_args())
        .current_dir(home.path(""))
        .env_clear()
        .stdin(Stdio::null());
    for (name, value) in whole.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command
}

#[test]
fn whatever_is_written_is_its_owners_alone() {
    for umask in ["000", "077"] {
        let home = Home::new();
        home.campaign("sandbox", 3, true);
        std::fs::create_dir(home.path("there-before")).unwrap();
        home.write(
            "bad/staff.csv",
            "email,name\nann@contoso.com,Ann\nnobody,Bob\n",
        );
        home.write("bad/news.txt.hbs", "Dear {{name}}");
        let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
        home.write("bad/campaign.toml", toml);
        let before = below(&home.path(""));
        for (code, args) in [
            (0, &["check", "news"][..]),
            (65, &["check", "bad", "--rejects", "rejects.csv"]),
            (0, &["preview", "news", "--out", "there-before"]),
            (0, &["preview", "news", "--out", "mails/new"]),
            (0, &["rehearse", "news"]),
            (0, &["rehearse", "news", "--out", "rehearsed"]),
            (0, &["plan", "news"]),
            (0, &["send", "news", "--yes", "--log", "a.log", "-v"]),
            (0, &["report", "news", "--out", "report.csv"]),
            (0, &["suppress", "add", "x@contoso.com"]),
        ] {
            let command = shelled(&home, &format!("umask {umask}"), args).output();
            Ended::of(&command.unwrap()).exits(code);
        }
        let written: Vec<PathBuf> = below(&home.path("")).difference(&before).cloned().collect();
        let known = |part: &str| {
            written
                .iter()
                .any(|path| path.to_string_lossy().contains(part))
        };
        for part in [
            "postroom.db",
            "a.log",
            "report.csv",
            "rejects.csv",
            ".eml",
            "index.html",
            "received.jsonl",
        ] {
            assert!(known(part), "{part}: {written:#?}");
        }
        for path in &written {
            let mode = path.symlink_metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{mode:o} {}", path.display());
        }
    }
}

#[test]
fn nothing_is_written_through_a_link_in_the_place_of_a_file_of_ours() {
    let home = Home::new();
    home.campaign("sandbox", 3, true);
    home.run(&["send", "news", "--yes"]).exits(0);
    let victim = home.write("victim.txt", "precious");
    let folder = home.path("state/postroom");
    let ours: Vec<PathBuf> = below(&folder)
        .into_iter()
        .filter(|path| !path.to_string_lossy().contains("postroom.db-"))
        .filter(|path| path.is_file() && path.file_name().unwrap() != "postroom.db")
        .collect();
    assert!(
        ours.iter()
            .any(|path| path.to_string_lossy().ends_with(".mark")),
        "{ours:?}"
    );
    for path in &ours {
        std::fs::remove_file(path).unwrap();
        symlink(&victim, path).unwrap();
    }
    home.write(
        "news/staff.csv",
        "email,first_name\np1@contoso.com,P1\np9@contoso.com,P9\n",
    );
    home.run(&["plan", "news", "--update"]);
    let end = home.run(&["send", "news", "--yes"]).exits(74);
    assert!(
        end.err.contains("a link stands in its place"),
        "{}",
        end.err
    );
    home.run(&["status", "news"]);
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    // Nor is a pipe waited for.
    for path in &ours {
        std::fs::remove_file(path).unwrap();
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    }
    home.run(&["send", "news", "--yes"]).exits(74);
    home.run(&["status", "news"]);
}

#[test]
fn links_to_stores_and_logs_are_followed_only_where_they_are_our_own() {
    let home = Home::new();
    home.campaign("sandbox", 2, true);
    home.run(&["plan", "news", "--store", "real.db"]).exits(0);
    symlink(home.path("real.db"), home.path("own.db")).unwrap();
    home.run(&["status", "news", "--store", "own.db"]).exits(0);
    // A link to nowhere may be to a disk that is not there: no new store is made in its place.
    symlink(home.path("unmounted/postroom.db"), home.path("gone.db")).unwrap();
    std::fs::create_dir(home.path("unmounted")).unwrap();
    let end = home.run(&["plan", "news", "--store", "gone.db"]).exits(73);
    assert!(
        end.err.contains("link to a file that is not there"),
        "{}",
        end.err
    );
    assert!(!home.path("unmounted/postroom.db").exists());

    let victim = home.write("victim.txt", "precious");
    symlink(&victim, home.path("their.log")).unwrap();
    symlink(home.path("real.db"), home.path("their.db")).unwrap();
    for link in ["their.log", "their.db"] {
        // Only root can give a link away.
        if std::os::unix::fs::lchown(home.path(link), Some(4711), None).is_err() {
            return;
        }
    }
    for args in [
        ["status", "news", "--log", "their.log"],
        ["plan", "news", "--store", "their.db"],
    ] {
        let end = home.run(&args).exits(73);
        assert!(end.err.contains("somebody else has made"), "{}", end.err);
    }
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
}

/// A secret as it is, and in base64 however that was cut.
fn forms(secret: &str) -> Vec<String> {
    let encoded = ["", "x", "xx"].map(|before| {
        let encoded = STANDARD.encode(format!("{before}{secret}"));
        encoded[4..encoded.len() - 4].to_owned()
    });
    std::iter::once(secret.to_owned()).chain(encoded).collect()
}

#[test]
fn no_file_that_is_left_has_the_password_in_it() {
    let home = Home::new();
    let server = Server::start(&home, &["--refuse", "p2@*"]);
    home.account(&server, "");
    home.campaign("t", 3, true);
    let mut said = String::new();
    for args in [
        &["doctor", "t", "--log", "a.log", "-v"][..],
        &["rehearse", "news", "--log", "a.log", "-v"],
        &["send", "news", "--yes", "--log", "a.log", "-v"],
        &[
            "report",
            "news",
            "--out",
            "report.html",
            "--log",
            "a.log",
            "-v",
        ],
    ] {
        let mut command = home.command(args);
        let end = Ended::of(&command.env("POSTROOM_LOG", "trace").output().unwrap());
        assert!([0, 1].contains(&end.code), "{end:?}");
        said += &(end.out + &end.err);
    }
    assert_eq!(server.received().len(), 2);
    let mut files = 0;
    for form in forms(PASSWORD) {
        assert!(!said.contains(&form), "{said}");
        for path in below(&home.path(""))
            .into_iter()
            .filter(|path| path.is_file())
        {
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                memchr::memmem::find(&bytes, form.as_bytes()).is_none(),
                "{}",
                path.display()
            );
            files += 1;
        }
    }
    assert!(files > 20, "{files}");
}

#[test]
fn a_crash_leaves_no_copy_of_the_memory() {
    let home = Home::new();
    let crash = |mut command: Command| {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::ABORT).unwrap();
        child.wait().unwrap()
    };
    let unlimited = "ulimit -c unlimited";
    let mut other = Command::new("sh");
    other
        .args(["-c", &format!("{unlimited}; echo here; exec sleep 60")])
        .current_dir(home.path(""));
    // Where this machine keeps no memory of any program, nothing can be seen.
    let is_seen = crash(other).core_dumped();
    let status = crash(shelled(&home, unlimited, &["sandbox"]));
    assert_eq!(status.signal(), Some(6));
    assert!(!is_seen || !status.core_dumped());
}
