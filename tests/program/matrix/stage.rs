//! A cell of the matrix on its stage: a campaign, a server that goes wrong, and two sends.

use std::net::SocketAddr;
use std::sync::OnceLock;

use postroom::clock::Clock;
use postroom::sandbox::{Fault, Faults, Options, Sandbox, Snapshot, TlsMode};
use tokio::runtime::Runtime;

use crate::home::{Ended, Home};

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

/// What a cell needs of the campaign and the account.
pub(super) struct Setting<'a> {
    /// Goes wrong in this order of precedence.
    pub(super) faults: &'a [Fault],
    pub(super) secure: bool,
    /// Lines of the account: deadlines.
    pub(super) account: &'a str,
    /// Whose mail has a large attachment.
    pub(super) large: Option<fn(&str) -> bool>,
}

pub(super) struct Stage {
    pub(super) home: Home,
    server: Option<Sandbox>,
}

impl Stage {
    pub(super) fn set(setting: &Setting<'_>) -> Self {
        let home = Home::new();
        let tls = if setting.secure {
            TlsMode::StartTls
        } else {
            TlsMode::None
        };
        let server = serve(setting.faults, tls);
        let stage = Self {
            home,
            server: Some(server),
        };
        stage.write_campaign(setting.large);
        stage.write_account(stage.server().address(), setting.secure, setting.account);
        stage
    }

    pub(super) fn server(&self) -> &Sandbox {
        self.server.as_ref().unwrap()
    }

    /// What the server has seen so far.
    pub(super) fn seen(&self) -> Snapshot {
        self.server().snapshot()
    }

    fn write_account(&self, at: SocketAddr, secure: bool, more: &str) {
        let (name, tls) = if secure {
            ("localhost", "starttls")
        } else {
            ("127.0.0.1", "none")
        };
        let pem = self.home.write("cert.pem", self.server().certificate_pem());
        let text = format!(
            "[t]\nprovider = \"custom\"\nhost = \"{name}\"\nport = {}\ntls = \"{tls}\"\n\
             username = \"comms@contoso.com\"\nauth = \"password\"\nca_file = \"{}\"\nmax_connections = 1\n\
             retry = [\"10s\", \"10s\"]\n{more}\n[t.password]\nenv = \"TEST_PASSWORD\"\n",
            at.port(),
            pem.display(),
        );
        self.home.write("config/postroom/accounts.toml", text);
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
