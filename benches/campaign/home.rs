//! Campaigns, and the program that sends them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::sink::Sink;

pub(crate) struct Home(tempfile::TempDir);

/// What is sent.
#[derive(Clone, Copy)]
struct Campaign {
    people: usize,
    is_personal: bool,
    /// Bytes of a file that all get; none where it is 0.
    attachment: usize,
}

impl Campaign {
    fn personal(people: usize) -> Self {
        Self {
            people,
            is_personal: true,
            attachment: 0,
        }
    }
}

/// How it went.
struct Sent {
    seconds: f64,
    /// KiB at the most; 0 where the system does not tell.
    memory: u64,
}

/// The most memory that a process has had so far, in KiB.
fn peak(status: &str) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let high = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let figure = high.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    figure.unwrap_or(0)
}

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where a file of its own may lie.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.path().join(name)
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

    /// Plans a campaign, then sends it.
    fn time(&self, name: &str, sink: &Sink, connections: usize, campaign: Campaign) -> Sent {
        let (tls, trusted) = match sink.certificate() {
            Some(certificate) => {
                fs::write(self.place("sink.pem"), certificate).unwrap();
                ("implicit", "ca_file = \"sink.pem\"\n")
            }
            None => ("none", ""),
        };
        let account = format!(
            "[t]\nprovider = \"custom\"\nhost = \"127.0.0.1\"\nport = {}\nauth = \"none\"\ntls = \"{tls}\"\n{trusted}\
             limits = []\nmax_connections = {connections}\nmax_recipients_per_message = 500\n",
            sink.port()
        );
        fs::write(self.place(&format!("{name}.toml")), account).unwrap();
        let folder = self.campaign(campaign);
        let planned = self.postroom("plan", name, &folder).status();
        assert!(planned.unwrap().success());
        let begin = Instant::now();
        let mut child = self.postroom("send", name, &folder).arg("--yes").spawn();
        let child = child.as_mut().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut memory = 0;
        let ended = loop {
            if let Some(ended) = child.try_wait().unwrap() {
                break ended;
            }
            memory = memory.max(peak(&status));
            std::thread::sleep(Duration::from_millis(2));
        };
        assert!(ended.success());
        Sent {
            seconds: begin.elapsed().as_secs_f64(),
            memory,
        }
    }

    /// Mails a second.
    pub(crate) fn send(&self, name: &str, sink: &Sink, connections: usize, mails: usize) -> f64 {
        let sent = self.time(name, sink, connections, Campaign::personal(mails));
        mails as f64 / sent.seconds
    }

    /// Mails a second that each have a file of 1 MB, and how many KiB of memory that takes at most.
    pub(crate) fn send_files(&self, name: &str, sink: &Sink, mails: usize) -> (f64, u64) {
        let campaign = Campaign {
            attachment: 1_000_000,
            ..Campaign::personal(mails)
        };
        let sent = self.time(name, sink, 3, campaign);
        (mails as f64 / sent.seconds, sent.memory)
    }

    /// Seconds from the start of the program to its end.
    pub(crate) fn send_one_to_500(&self, name: &str, sink: &Sink) -> f64 {
        let campaign = Campaign {
            is_personal: false,
            ..Campaign::personal(500)
        };
        self.time(name, sink, 1, campaign).seconds
    }

    /// Seconds that a rehearsal of so many personal mails takes, at 30 a minute and 10,000 a day.
    pub(crate) fn rehearse(&self, name: &str, mails: usize) -> f64 {
        let account = "[t]\nprovider = \"microsoft365\"\nauth = \"password\"\nusername = \"comms@contoso.com\"\n\
                       limits = [{ max = 30, per = \"1m\", unit = \"messages\" }, \
                       { max = 10000, per = \"24h\", unit = \"recipients\" }]\n";
        fs::write(self.place(&format!("{name}.toml")), account).unwrap();
        let folder = self.campaign(Campaign::personal(mails));
        let out = self.place(&format!("{name}.out"));
        let begin = Instant::now();
        let mut rehearsing = self.postroom("rehearse", name, &folder);
        let ended = rehearsing.arg("--out").arg(&out).status();
        assert!(ended.unwrap().success());
        begin.elapsed().as_secs_f64()
    }

    /// Some 4 KB of mail, a text part beside the HTML.
    fn campaign(&self, campaign: Campaign) -> PathBuf {
        let Campaign {
            people,
            is_personal,
            attachment,
        } = campaign;
        let folder = self.place(&format!("{people}-{is_personal}-{attachment}"));
        if folder.exists() {
            return folder;
        }
        fs::create_dir_all(&folder).unwrap();
        let mut list = "email,first_name,office\n".to_owned();
        for n in 0..people {
            writeln!(list, "p{n}@contoso.com,P{n},Berlin").unwrap();
        }
        fs::write(folder.join("staff.csv"), list).unwrap();
        let who = if is_personal {
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
        let attach = if attachment > 0 {
            let bytes: Vec<u8> = (0..attachment).map(|n| (n * 31 % 251) as u8).collect();
            fs::write(folder.join("report.pdf"), bytes).unwrap();
            "attach = [\"report.pdf\"]\n"
        } else {
            ""
        };
        let toml = format!(
            "account = \"t\"\n[message]\nfrom = \"comms@contoso.com\"\nsubject = \"News\"\n\
             html = \"news.html.hbs\"\ntext = \"news.txt.hbs\"\n{attach}[recipients]\nfile = \"staff.csv\"\n"
        );
        fs::write(folder.join("campaign.toml"), toml).unwrap();
        folder
    }
}
