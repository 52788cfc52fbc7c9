//! Campaigns, and the program that sends them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::sink::Sink;

pub(crate) struct Home(tempfile::TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn postroom(&self, command: &str, name: &str, folder: &Path) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_postroom"));
        program
            .arg(command)
            .arg(folder)
            .env("POSTROOM_STORE", self.path().join(format!("{name}.db")))
            .env(
                "POSTROOM_ACCOUNTS",
                self.path().join(format!("{name}.toml")),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        program
    }

    /// Plans a campaign of so many people, then sends it; what sending takes, in seconds.
    fn time(
        &self,
        name: &str,
        sink: &Sink,
        connections: usize,
        (people, personal): (usize, bool),
    ) -> f64 {
        let account = format!(
            "[t]\nprovider = \"custom\"\nhost = \"127.0.0.1\"\nport = {}\nauth = \"none\"\ntls = \"none\"\n\
             limits = []\nmax_connections = {connections}\n",
            sink.port()
        );
        fs::write(self.path().join(format!("{name}.toml")), account).unwrap();
        let folder = self.campaign(people, personal);
        assert!(
            self.postroom("plan", name, &folder)
                .status()
                .unwrap()
                .success()
        );
        let begin = Instant::now();
        let ended = self.postroom("send", name, &folder).arg("--yes").status();
        assert!(ended.unwrap().success());
        begin.elapsed().as_secs_f64()
    }

    /// Mails a second.
    pub(crate) fn send(&self, name: &str, sink: &Sink, connections: usize, mails: usize) -> f64 {
        mails as f64 / self.time(name, sink, connections, (mails, true))
    }

    /// Seconds from the start of the program to its end.
    pub(crate) fn send_one_to_500(&self, name: &str, sink: &Sink) -> f64 {
        self.time(name, sink, 1, (500, false))
    }

    /// Some 4 KB of mail, a text part beside the HTML.
    fn campaign(&self, people: usize, personal: bool) -> PathBuf {
        let folder = self.path().join(format!("{people}-{personal}"));
        if folder.exists() {
            return folder;
        }
        fs::create_dir_all(&folder).unwrap();
        let mut list = "email,first_name,office\n".to_owned();
        for n in 0..people {
            writeln!(list, "p{n}@contoso.com,P{n},Berlin").unwrap();
        }
        fs::write(folder.join("staff.csv"), list).unwrap();
        let who = if personal {
            "{{first_name}} in {{office}}"
        } else {
            "all"
        };
        let body = "<p>A paragraph of news, as long as these usually are in such letters.</p>\n"
            .repeat(25);
        fs::write(
            folder.join("news.html.hbs"),
            format!("<p>Dear {who}</p>\n{body}"),
        )
        .unwrap();
        let text =
            "A paragraph of news, as long as these usually are in such letters.\n".repeat(25);
        fs::write(folder.join("news.txt.hbs"), format!("Dear {who}\n{text}")).unwrap();
        let toml = "account = \"t\"\n[message]\nfrom = \"comms@contoso.com\"\nsubject = \"News\"\n\
                    html = \"news.html.hbs\"\ntext = \"news.txt.hbs\"\n[recipients]\nfile = \"staff.csv\"\n";
        fs::write(folder.join("campaign.toml"), toml).unwrap();
        folder
    }
}
