//! A home of a test's own: configuration, store, campaigns.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::server::Server;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

pub(crate) struct Home(tempfile::TempDir);

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// Asserts the exit code.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout: {}\nstderr: {}",
            self.out, self.err
        );
        self
    }

    /// The last line of standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        let line = self.out.lines().last().unwrap_or_default();
        serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }
}

/// A send that goes on.
pub(crate) struct Sending {
    pub(crate) child: Child,
    /// So many of its first events were seen.
    pub(crate) seen: usize,
    /// Reads the others; the last line.
    pub(crate) rest: JoinHandle<Option<String>>,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The program with this home; its standard input is no terminal.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postroom"));
        command
            .args(args)
            .current_dir(self.0.path())
            .env_clear()
            .env("HOME", self.0.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("TMPDIR", std::env::temp_dir())
            .env("TEST_PASSWORD", PASSWORD)
            // Never the keyring of whoever runs the tests.
            .env("POSTROOM_TOKENS", "file")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        Ended::of(&self.command(args).output().unwrap())
    }

    /// Begins to send the campaign; returns once so many events were seen, or it has ended.
    pub(crate) fn sending(&self, events: usize) -> Sending {
        let mut child = self
            .command(&["send", "news", "--yes", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Sending {
            child,
            seen: lines.by_ref().take(events).count(),
            // Whoever reads events goes on reading them.
            rest: std::thread::spawn(move || lines.map_while(Result::ok).last()),
        }
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// An account `t` at a server, with these further lines.
    pub(crate) fn account(&self, server: &Server, more: &str) {
        let text = format!(
            "[t]\nprovider = \"custom\"\nhost = \"127.0.0.1\"\nport = {}\nusername = \"comms@contoso.com\"\n\
             auth = \"password\"\nca_file = \"{}\"\n{more}\n[t.password]\nenv = \"TEST_PASSWORD\"\n",
            server.port(),
            server.certificate().display(),
        );
        self.write("config/postroom/accounts.toml", text);
    }

    /// A campaign `news` of so many people, each with a mail of their own or all with the same one.
    pub(crate) fn campaign(&self, account: &str, people: usize, personal: bool) {
        let list: Vec<String> = (1..=people)
            .map(|n| {
                format!(
                    "p{n}@contoso.com,P{n}
"
                )
            })
            .collect();
        self.write(
            "news/staff.csv",
            format!("email,first_name\n{}", list.concat()),
        );
        let who = if personal { "{{first_name}}" } else { "all" };
        self.write(
            "news/news.txt.hbs",
            format!("Dear {who},\n\nthis is the news.\n"),
        );
        let toml = format!(
            "account = \"{account}\"\n[message]\nfrom = \"Comms <comms@contoso.com>\"\nsubject = \"News\"\n\
             text = \"news.txt.hbs\"\n[recipients]\nfile = \"staff.csv\"\n"
        );
        self.write("news/campaign.toml", toml);
    }

    /// `status --json` of the campaign.
    pub(crate) fn status(&self) -> Value {
        self.run(&["status", "news", "--json"]).exits(0).json()
    }

    /// Email and outcome of every row, in the list's order.
    pub(crate) fn outcomes(&self) -> Vec<(String, String)> {
        let report = self
            .run(&["report", "news", "--format", "csv"])
            .exits(0)
            .out;
        let mut reader = csv::Reader::from_reader(report.as_bytes());
        let rows = reader.records().map(|row| {
            let row = row.unwrap();
            (row[1].to_owned(), row[2].to_owned())
        });
        rows.collect()
    }
}

/// The repository's own folder.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
