//! Campaigns of many rows, and the program that plans and sends them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const OFFICES: [&str; 5] = ["Berlin", "Oslo", "Nairobi", "Lisbon", "Toronto"];

/// How people get their mails.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In a few messages that they share.
    Shared,
    /// Everybody gets one of their own.
    Personal,
    /// Nine in ten share, one in ten does not; one in 200 is outside.
    Mixed,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Personal => "personal",
            Self::Mixed => "mixed",
        }
    }
}

pub(crate) struct Home {
    folder: tempfile::TempDir,
    rows: usize,
}

impl Home {
    /// With a campaign of so many rows of each kind.
    pub(crate) fn new(rows: usize) -> Self {
        let home = Self {
            folder: tempfile::tempdir().unwrap(),
            rows,
        };
        for kind in [Kind::Shared, Kind::Personal, Kind::Mixed] {
            home.write(kind);
        }
        home.account(1);
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn folder(&self, kind: Kind) -> PathBuf {
        self.path().join(kind.name())
    }

    fn write(&self, kind: Kind) {
        let folder = self.folder(kind);
        fs::create_dir_all(&folder).unwrap();
        let mut list = "email,first_name,office\n".to_owned();
        for n in 0..self.rows {
            let domain = match kind {
                Kind::Mixed if n % 200 == 7 => "partner.example",
                _ => "contoso.com",
            };
            let name = match kind {
                Kind::Mixed if n % 10 != 3 => String::new(),
                _ => format!("P{n}"),
            };
            let office = OFFICES[n % OFFICES.len()];
            writeln!(list, "p{n}@{domain},{name},{office}").unwrap();
        }
        fs::write(folder.join("list.csv"), list).unwrap();
        let who = match kind {
            Kind::Shared => "all in {{office}}",
            Kind::Personal => "{{first_name}} in {{office}}",
            Kind::Mixed => "{{default first_name \"colleague\"}}",
        };
        let body = "<p>A paragraph of news, as long as these usually are in such letters.</p>\n"
            .repeat(20);
        let page = format!("<p>Dear {who}</p>\n{body}");
        fs::write(folder.join("news.html.hbs"), page).unwrap();
        let toml = format!(
            "name = \"{}\"\naccount = \"{}\"\n[message]\nfrom = \"comms@contoso.com\"\nsubject = \"News\"\n\
             html = \"news.html.hbs\"\n[recipients]\nfile = \"list.csv\"\ninternal = [\"contoso.com\"]\n",
            kind.name(),
            if kind == Kind::Mixed { "ruled" } else { "free" },
        );
        fs::write(folder.join("campaign.toml"), toml).unwrap();
    }

    /// Accounts on this port: one without limits, and one that counts people outside.
    pub(crate) fn account(&self, port: u16) {
        let server = format!(
            "provider = \"custom\"\nhost = \"127.0.0.1\"\nport = {port}\nauth = \"none\"\ntls = \"none\"\nmax_connections = 3\n"
        );
        let text = format!(
            "[free]\n{server}limits = []\n[ruled]\n{server}limits = [\n\
             {{ max = 10000, per = \"24h\", unit = \"recipients\" }},\n\
             {{ max = 2000, per = \"24h\", unit = \"external-recipients\" }},\n\
             {{ max = 30, per = \"1m\", unit = \"messages\" }}]\n"
        );
        fs::write(self.path().join("accounts.toml"), text).unwrap();
    }

    /// The program, with a store of the kind's own.
    pub(crate) fn postroom(&self, kind: Kind, command: &str) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_postroom"));
        program
            .arg(command)
            .env("POSTROOM_STORE", self.store(kind))
            .env("POSTROOM_ACCOUNTS", self.path().join("accounts.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        program
    }

    fn store(&self, kind: Kind) -> PathBuf {
        self.path().join(format!("{}.db", kind.name()))
    }

    /// Plans it in a new store: the seconds that it takes, and the megabytes that it holds at most.
    pub(crate) fn plan(&self, kind: Kind) -> (f64, f64) {
        for beside in ["", ".mark", "-wal", "-shm"] {
            let mut file = self.store(kind).into_os_string();
            file.push(beside);
            let _ = fs::remove_file(file);
        }
        let begin = Instant::now();
        let mut child = (self.postroom(kind, "plan").arg(self.folder(kind)).spawn()).unwrap();
        let mut peak = 0.0;
        loop {
            peak = peak_of(&child).max(peak);
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success());
                return (begin.elapsed().as_secs_f64(), peak);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The megabytes that sending holds at most in this time.
    pub(crate) fn memory_of_send(&self, kind: Kind, port: u16, time: Duration) -> f64 {
        self.account(port);
        let mut sending = self.postroom(kind, "send");
        let mut child = sending.arg(self.folder(kind)).arg("--yes").spawn().unwrap();
        let begin = Instant::now();
        let mut peak = 0.0;
        while begin.elapsed() < time && child.try_wait().unwrap().is_none() {
            peak = peak_of(&child).max(peak);
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ended = child.kill();
        child.wait().unwrap();
        peak
    }

    /// The seconds that a command takes.
    pub(crate) fn time(&self, kind: Kind, command: &str) -> f64 {
        let mut program = self.postroom(kind, command);
        if command == "status" {
            program.arg(self.folder(kind));
        }
        let begin = Instant::now();
        assert!(program.arg("--json").status().unwrap().success());
        begin.elapsed().as_secs_f64()
    }
}

/// Peak resident memory of a process in megabytes; 0 where the system does not tell it.
fn peak_of(child: &Child) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let high = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes =
        high.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) * 1024.0 / 1e6
}
