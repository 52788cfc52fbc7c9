//! A cell of the matrix on its stage: a campaign, a server that goes wrong, and two sends.

use std::sync::OnceLock;

use jiff::SignedDuration;
use postroom::clock::Clock;
use postroom::sandbox::{Fault, Faults, Options, Sandbox, Snapshot, TlsMode};
use tokio::runtime::Runtime;

use super::raw::Raw;
use crate::home::{Ended, Home};

const ACCOUNTS: &str = "config/postroom/accounts.toml";

/// How long a message is put off: longer than the rest of a run takes.
pub(super) const BACK_OFF: SignedDuration = SignedDuration::from_secs(10);

/// The servers of all cells.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

/// Everybody on the list: three with a mail of their own, and four who share one.
pub(super) const PEOPLE: [&str; 7] = ["ann", "bob", "sam", "sue", "sid", "sol", "cid"];

/// Who shares a mail.
pub(super) fn shares(person: &str) -> bool {
    person.starts_with('s')
}

/// A content of so many bytes cannot be on its way as a whole: no buffers hold it.
const LARGE: usize = 6 * 1024 * 1024;

/// How the server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Plain,
    StartTls,
    Implicit,
}

impl Way {
    /// Host and `tls` of the account, and the server's mode.
    fn details(self) -> (&'static str, &'static str, TlsMode) {
        match self {
            Self::Plain => ("127.0.0.1", "none", TlsMode::None),
            Self::StartTls => ("localhost", "starttls", TlsMode::StartTls),
            Self::Implicit => ("127.0.0.1", "implicit", TlsMode::Implicit),
        }
    }
}

/// What a cell needs of the campaign and the account.
pub(super) struct Setting<'a> {
    pub(super) faults: &'a [Fault],
    pub(super) way: Way,
    /// Lines of the account: deadlines.
    pub(super) account: &'a str,
    /// Whose mail has a large attachment.
    pub(super) large: Option<fn(&str) -> bool>,
}

pub(super) struct Stage {
    pub(super) home: Home,
    server: Sandbox,
}

impl Stage {
    pub(super) fn set(setting: &Setting<'_>) -> Self {
        let (host, tls, mode) = setting.way.details();
        let stage = Self {
            home: Home::new(),
            server: serve(setting.faults, mode),
        };
        stage.write_campaign(setting.large);
        stage.write_account((host, tls), setting.account);
        stage
    }

    /// A socket at which this goes wrong, in place of the server until [`Self::use_server`].
    pub(super) fn use_raw(&self, act: &str) -> Raw {
        let raw = runtime().block_on(Raw::new(act));
        self.change(self.server.address().port(), raw.address.port());
        raw
    }

    pub(super) fn use_server(&self, instead: &Raw) {
        self.change(instead.address.port(), self.server.address().port());
    }

    fn change(&self, from: u16, to: u16) {
        self.edit_account(&format!("port = {from}\n"), &format!("port = {to}\n"));
    }

    /// Signs in as somebody else from now on.
    pub(super) fn use_mailbox(&self, username: &str) {
        self.edit_account("comms@contoso.com", username);
    }

    fn edit_account(&self, from: &str, to: &str) {
        let path = self.home.path(ACCOUNTS);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    /// What the server has seen so far.
    pub(super) fn seen(&self) -> Snapshot {
        self.server.snapshot()
    }

    fn write_account(&self, (host, tls): (&str, &str), more: &str) {
        let pem = self.home.write("cert.pem", self.server.certificate_pem());
        let text = format!(
            "[t]\nprovider = \"custom\"\nhost = \"{host}\"\nport = {}\ntls = \"{tls}\"\n\
             username = \"comms@contoso.com\"\nauth = \"password\"\nca_file = \"{}\"\nmax_connections = 1\n\
             retry = [\"{}s\"]\n{more}\n[t.password]\nenv = \"TEST_PASSWORD\"\n",
            self.server.address().port(),
            pem.display(),
            BACK_OFF.as_secs(),
        );
        self.home.write(ACCOUNTS, text);
    }

    fn write_campaign(&self, large: Option<fn(&str) -> bool>) {
        let file = |person: &str| match large {
            Some(is_large) if is_large(person) => "large.bin",
            _ => "small.bin",
        };
        let row = |person: &&str| {
            let name = if shares(person) { "" } else { *person };
            format!("{person}@contoso.com,{name},{}\n", file(person))
        };
        let rows: String = PEOPLE.iter().map(row).collect();
        self.home
            .write("news/staff.csv", format!("email,name,file\n{rows}"));
        self.home.write(
            "news/news.txt.hbs",
            "Dear {{#if name}}{{name}}{{else}}all{{/if}},\n\nthis is the news.\n",
        );
        let attach = if large.is_some() {
            self.home.write("news/small.bin", "small");
            self.home.write("news/large.bin", vec![b'x'; LARGE]);
            "attach = [\"{{file}}\"]\n"
        } else {
            ""
        };
        let toml = format!(
            "account = \"t\"\n[message]\nfrom = \"Comms <comms@contoso.com>\"\nsubject = \"News\"\n\
             text = \"news.txt.hbs\"\n{attach}[recipients]\nfile = \"staff.csv\"\n"
        );
        self.home.write("news/campaign.toml", toml);
    }

    pub(super) fn send(&self, more: &[&str]) -> Ended {
        self.home.run(&[&["send", "news", "--yes"], more].concat())
    }
}

fn serve(faults: &[Fault], tls: TlsMode) -> Sandbox {
    let options = Options {
        tls,
        keep_records: true,
        require_auth: true,
        faults: Faults {
            list: faults.to_vec(),
            ..Faults::default()
        },
        ..Options::default()
    };
    runtime()
        .block_on(Sandbox::start(options, Clock::system()))
        .unwrap()
}
