//! The preview page, and whoever knocks at its port.

use std::sync::Arc;

use postroom::clock::Clock;
use postroom::config::{Accounts, Campaign, SANDBOX, Sender};
use postroom::preview::{Page, Source};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

/// A page of this thread's own.
struct Stand {
    /// `127.0.0.1:PORT`.
    host: String,
    key: String,
    runtime: Runtime,
    _folder: TempDir,
}

const FILES: [(&str, &str); 3] = [
    (
        "campaign.toml",
        "account = \"sandbox\"\n[message]\nfrom = \"comms@contoso.com\"\nsubject = \"News\"\nhtml = \"news.html.hbs\"\n\
         [recipients]\nfile = \"staff.csv\"\n",
    ),
    (
        "news.html.hbs",
        "<!doctype html><html lang=en><title>News</title><p>Dear {{name}}</p></html>",
    ),
    (
        "staff.csv",
        "email,name\na@contoso.com,Ann\nb@contoso.com,Bob\nnobody,Nobody\n",
    ),
];

fn open() -> Stand {
    let folder = TempDir::new().expect("a folder");
    for (name, text) in FILES {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let campaign = Campaign::load(folder.path()).expect("it is a campaign");
    let accounts = Accounts::load(&folder.path().join("accounts.toml")).expect("no accounts");
    let sender = Sender::of(accounts.get(SANDBOX).expect("it is always there"));
    let inputs = campaign.inputs(&[sender.expect("it can send")]);
    let source = Source::Folder(Arc::new(move || Ok(inputs.clone())));
    let page = runtime.block_on(Page::open(
        source,
        folder.path().to_owned(),
        Clock::system(),
    ));
    let page = page.expect("loopback has a port");
    let address = page.address();
    let mut parts = address.split('/').skip(2).map(str::to_owned);
    let (host, key) = (parts.next(), parts.next());
    runtime.block_on(page.has_row(1));
    runtime.spawn(page.serve(std::future::pending()));
    Stand {
        host: host.expect("an address has a host"),
        key: key.expect("an address has a key"),
        runtime,
        _folder: folder,
    }
}

thread_local! {
    static STAND: Stand = open();
}

/// Whatever is asked: who does not know the key gets nothing but a refusal, and who does never gets an error of the
/// server's own. In the input `KEY` stands for the key and `HOST` for the address.
pub fn preview(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    // A question for what is new is answered when something is.
    if first.contains("seen") || first.contains('%') && first.contains("state") {
        return;
    }
    let headers = lines.take(8).filter(|line| {
        let name = line
            .split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        ![
            "content-length",
            "transfer-encoding",
            "connection",
            "upgrade",
            "expect",
        ]
        .contains(&name.trim())
    });
    let mut request = format!("{first} HTTP/1.1\r\n");
    for header in headers {
        request.push_str(header);
        request.push_str("\r\n");
    }
    request += "Connection: close\r\n\r\n";
    let knows = request.contains("KEY");
    STAND.with(|stand| {
        let request = request
            .replace("HOST", &stand.host)
            .replace("KEY", &stand.key);
        let answer = stand.runtime.block_on(ask(&stand.host, request.as_bytes()));
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1).unwrap_or_default();
        if knows {
            assert!(!status.starts_with('5'), "{request}\n{answer}");
        } else {
            assert!(!status.starts_with(['2', '3']), "{request}\n{answer}");
            assert!(!answer.contains(&stand.key), "{request}\n{answer}");
        }
    });
}

async fn ask(host: &str, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(host).await.expect("it listens");
    let mut answer = Vec::new();
    // It may hang up before it has heard all.
    let _ = stream.write_all(request).await;
    let _ = stream.read_to_end(&mut answer).await;
    answer
}
